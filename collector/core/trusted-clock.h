/* SPDX-License-Identifier: ISC */
/*
 * The time by which history is deleted.  A wall clock that jumps ahead by a
 * year would take a year of history with it, so the wall is believed only as
 * far as something else agrees: the monotonic clock while we run, the last
 * run's time at the start, or the newest data, which carries the clocks of the
 * agents.  A clock that goes back deletes less, and needs no agreement.
 */
#pragma once

#include <stdbool.h>

#include "collector/core/part.h"
#include "lib/base/clock.h"
#include "lib/base/err.h"

/* What the writer's thread keeps of it, in struct collector. */
struct trusted_clock {
	/* At monotonic `since` it was `base`, as far as we know. */
	struct walltime base;
	struct monotime since;
	_Atomic bool in_doubt;
};

/* Never above the wall.  In doubt: from the base by the monotonic clock, and
 * the doubt is logged once.  Writer's thread. */
struct walltime trusted_clock_now(struct collector *collector);

/* A record was made at this time, by its agent's clock, and has just come.
 * Writer's thread. */
void trusted_clock_observe(struct collector *collector, struct walltime newest);

/* False: in doubt; detail: why, and what to do. */
bool trusted_clock_is_well(
    const struct collector *collector, char *detail, size_t len);

/* Reads the last run's time; saves ours each minute and at the end. */
extern const struct part trusted_clock_part;
