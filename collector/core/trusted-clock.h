/* SPDX-License-Identifier: ISC */
/* The time by which this collector deletes history (trusted-time.h): kept over
 * restarts, fed with the agents' clocks, its doubt logged and shown. */
#pragma once

#include <pthread.h>
#include <stdbool.h>

#include "collector/core/part.h"
#include "collector/core/trusted-time.h"
#include "lib/base/clock.h"
#include "lib/base/err.h"

struct trusted_clock {
	pthread_mutex_t lock; /* of time */
	struct trusted_time time;
	int64_t boot;
	_Atomic int64_t lag_ns; /* of the line behind the wall */
	_Atomic bool in_doubt;
};

/* Never above the wall.  Doubt is logged when it begins and when it ends. */
struct walltime trusted_clock_now(struct collector *collector);

/* A record was made at this time, by this agent's clock, and has just come from
 * this address; family 0: from this machine, which says nothing. */
void trusted_clock_observe(struct collector *collector, int64_t agent,
    const struct addr *from, struct walltime newest);

/* False: in doubt; detail: why, and what to do. */
bool trusted_clock_is_healthy(
    const struct collector *collector, char *detail, size_t len);

/* Reads the last run's time; saves ours each minute and at the end. */
extern const struct part trusted_clock_part;
