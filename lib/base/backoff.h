/* SPDX-License-Identifier: ISC */
/* How long to wait after a failure: of an exchange, and of a process. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/clock.h"

/* After the nth failed exchange in a row: anything from nothing to twice as
 * long as last time ("full jitter"), so that a hundred agents whose collector
 * comes back do not come back together. */
struct backoff {
	int64_t least_ns, most_ns; /* the first ceiling, and the last */
	unsigned failures;
};

/* random: any 64 random bits.  Counts one more failure. */
int64_t backoff_next_ns(struct backoff *backoff, uint64_t random);
void backoff_reset(struct backoff *backoff);

/* When a process that died starts again: soon, then later and later, and after
 * a budget of crashes in a row never.  One that has lived for a minute has its
 * whole budget again. */
#define RESTART_MOST_NS (30 * NS_PER_S)
#define RESTART_CLEAN_NS (60 * NS_PER_S)

struct restart {
	int64_t least_ns; /* the first wait */
	unsigned budget;  /* crashes in a row that are forgiven */
	unsigned crashes;
	bool failed; /* given up */
};

/* It ran from `since` to `now` and died.  False: given up; else *at says when
 * to start it again. */
bool restart_plan(struct restart *restart, struct monotime since,
    struct monotime now, struct monotime *at);
