/* SPDX-License-Identifier: ISC */
#include "collector/core/chores.h"

#include <stdlib.h>

#include "collector/core/fault.h"
#include "collector/core/part.h"
#include "collector/core/private.h"
#include "lib/base/xalloc.h"

#define IDLE_MOST_NS (60 * NS_PER_S)

void chores_init(struct chores *chores, const struct collector *c, bool beside)
{
	size_t parts = 0;
	while (c->parts[parts])
		parts++;
	chores->due = xcalloc(parts, sizeof(*chores->due));
	chores->beside = beside;
}

void chores_fini(struct chores *chores)
{
	free(chores->due);
	chores->due = NULL;
}

/* The folder may have been replaced meanwhile.  The registry is the writer's to
 * look at. */
static bool is_sound(const struct chores *chores, struct collector *c)
{
	if (!chores->beside)
		return fault_check(c, NULL) == ERR_OK;
	return !collector_fault(c, NULL) &&
	    c->ops->fault(c->store, NULL) == ERR_OK;
}

struct monotime chores_run(struct chores *chores, struct collector *c, bool all)
{
	struct monotime now = monotime_now();
	struct monotime next = monotime_add(now, IDLE_MOST_NS);
	bool sound = is_sound(chores, c);
	for (size_t i = 0; c->parts[i]; i++) {
		const struct part *part = c->parts[i];
		struct monotime *due = &chores->due[i];
		if (!part->run || part->beside != chores->beside)
			continue;
		if (all || !monotime_before(now, *due)) {
			if (sound)
				part->run(c);
			*due = monotime_add(now, part->period_ns);
		}
		if (monotime_before(*due, next))
			next = *due;
	}
	return next;
}
