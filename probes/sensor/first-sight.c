/* SPDX-License-Identifier: ISC */
/* Sets of four keys, the latest first: the fifth of a set takes the place of
 * the oldest.  128 KiB, of which quiet networks touch a page or two. */
#include <stdlib.h>
#include <string.h>

#include "lib/base/clock.h"
#include "lib/base/xalloc.h"
#include "probes/sensor/first-sight.h"

#define SETS 4096
#define WAYS 4

struct first_sight {
	uint64_t known[SETS][WAYS]; /* 0: empty */
	uint32_t per_second, used;
	int64_t second; /* that `used` is of */
};

struct first_sight *first_sight_new(uint32_t per_second)
{
	struct first_sight *f = xcalloc(1, sizeof(*f));
	f->per_second = per_second;
	return f;
}

void first_sight_free(struct first_sight *f)
{
	free(f);
}

enum first_sight_answer first_sight_ask(
    struct first_sight *f, uint64_t key, int64_t at_ns)
{
	uint64_t *set = f->known[key % SETS];
	key = key ? key : 1;
	for (size_t i = 0; i < WAYS; i++)
		if (set[i] == key)
			return FIRST_SIGHT_KNOWN;
	memmove(set + 1, set, (WAYS - 1) * sizeof(*set));
	set[0] = key;
	if (at_ns / NS_PER_S != f->second) {
		f->second = at_ns / NS_PER_S;
		f->used = 0;
	}
	if (f->used == f->per_second)
		return FIRST_SIGHT_DEFER;
	f->used++;
	return FIRST_SIGHT_REPORT;
}
