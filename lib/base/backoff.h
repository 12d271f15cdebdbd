/* SPDX-License-Identifier: ISC */
/*
 * How long to wait after the nth failure in a row: anything from nothing to
 * twice as long as last time ("full jitter"), so that a hundred agents whose
 * collector comes back do not come back together.
 */
#pragma once

#include <stdint.h>

struct backoff {
	int64_t least_ns, most_ns; /* the first ceiling, and the last */
	unsigned failures;
};

/* random: any 64 random bits.  Counts one more failure. */
int64_t backoff_next_ns(struct backoff *backoff, uint64_t random);
void backoff_reset(struct backoff *backoff);
