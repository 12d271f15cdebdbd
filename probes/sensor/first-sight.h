/* SPDX-License-Identifier: ISC */
/*
 * Which sightings leave at once instead of with their interval: the first of
 * a source with a signature.  Bounded twice: so many a second, and a table of
 * those that were reported already, so that sources which are evicted and
 * return in an outbreak do not use up what belongs to new ones.
 */
#pragma once

#include <stdint.h>

enum first_sight_answer {
	FIRST_SIGHT_REPORT,
	FIRST_SIGHT_KNOWN, /* reported before */
	FIRST_SIGHT_DEFER  /* this second's are used up */
};

struct first_sight;
/* per_second: 1 or more. */
struct first_sight *first_sight_new(uint32_t per_second);
void first_sight_free(struct first_sight *first_sight);

/* key: a hash of source and signature that no sender can choose.  One
 * that is reported or deferred is known from then on, until others have taken
 * its place in the table (16,384). */
enum first_sight_answer first_sight_ask(
    struct first_sight *first_sight, uint64_t key, int64_t at_ns);
