/* SPDX-License-Identifier: ISC */
/* A socket that is bound stays so while the link is down: the kernel lets it
 * hear again when it comes up.  It can be bound only while the interface is
 * up, and a removed one never comes back: another has another index. */
#include "probes/sensor/interface-state.h"

#include <string.h>

#include "lib/base/err.h"

#define ALL UINT32_MAX /* of `listening`, where all are listened at */

int interface_begin(struct interface_facts *facts, const char *name)
{
	size_t len = strlen(name);
	*facts = (struct interface_facts){ .all = strcmp(name, "any") == 0 };
	if (len == 0 || len >= sizeof(facts->name))
		return ERR_LIMIT;
	memcpy(facts->name, name, len);
	return 0;
}

static void forget_link(struct interface_facts *facts)
{
	facts->index = 0;
	facts->is_up = facts->has_carrier = false;
}

bool interface_link(
    struct interface_facts *facts, const struct netlink_link *link)
{
	if (facts->all)
		return false;
	if (link->gone || strcmp(link->name, facts->name) != 0) {
		if (facts->index == 0 || link->index != facts->index)
			return false;
		forget_link(facts);
		return true;
	}
	facts->index = link->index;
	facts->type = link->type;
	facts->is_up = link->is_up;
	facts->has_carrier = link->has_carrier;
	facts->listed = true;
	return true;
}

void interface_list_begin(struct interface_facts *facts)
{
	facts->listed = false;
}

void interface_list_end(struct interface_facts *facts)
{
	if (!facts->listed)
		forget_link(facts);
}

enum interface_step interface_next(const struct interface_facts *facts)
{
	if (facts->all)
		return facts->listening ? INTERFACE_STAY : INTERFACE_LISTEN;
	if (facts->listening && facts->listening != facts->index)
		return INTERFACE_LEAVE;
	if (!facts->listening && facts->index && facts->is_up)
		return INTERFACE_LISTEN;
	return INTERFACE_STAY;
}

void interface_listens(struct interface_facts *facts, bool listens)
{
	uint32_t at = facts->all ? ALL : facts->index;
	facts->listening = listens ? at : 0;
}

enum interface_state interface_state_of(const struct interface_facts *facts)
{
	if (facts->all)
		return facts->listening ? INTERFACE_UP : INTERFACE_DOWN;
	if (facts->index == 0)
		return INTERFACE_ABSENT;
	return facts->is_up && facts->has_carrier &&
		facts->listening == facts->index
	    ? INTERFACE_UP
	    : INTERFACE_DOWN;
}

const char *interface_why(const struct interface_facts *facts)
{
	if (interface_state_of(facts) == INTERFACE_UP)
		return "";
	if (!facts->all && facts->index == 0)
		return "no such interface";
	if (!facts->all && !facts->is_up)
		return "the interface is down";
	if (!facts->all && !facts->has_carrier)
		return "no link";
	return "no socket to listen by yet";
}
