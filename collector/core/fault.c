/* SPDX-License-Identifier: ISC */
/* One latch, set once, read by every thread: the flag shows whether the text
 * may be read, and the text never changes after. */
#include "collector/core/fault.h"

#include "collector/core/private.h"
#include "lib/base/log.h"

bool collector_fault(struct collector *c, struct errmsg *msg)
{
	if (!atomic_load(&c->fault.set))
		return false;
	if (msg)
		*msg = c->fault.why;
	return true;
}

void fault_note(struct collector *c, const struct errmsg *msg)
{
	if (atomic_exchange(&c->fault.taken, true))
		return;
	c->fault.why = *msg;
	atomic_store(&c->fault.set, true);
	log_error("%s; nothing is taken in until the next start", msg->text);
}

static int find_fault(struct collector *c, struct errmsg *msg)
{
	int err = c->ops->fault(c->store, msg);
	if (err < 0)
		return err;
	return registry_fault(c->registry, msg);
}

int fault_check(struct collector *c, struct errmsg *msg)
{
	struct errmsg why = { "" };
	int err = ERR_OK;
	if (!collector_fault(c, &why))
		err = find_fault(c, &why);
	if (err < 0)
		fault_note(c, &why);
	return err < 0 || collector_fault(c, &why)
	    ? err_set(msg, ERR_UNAVAILABLE, "%s", why.text)
	    : ERR_OK;
}
