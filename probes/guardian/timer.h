/* SPDX-License-Identifier: ISC */
/*
 * Everything that happens at a time: probes that leave, probes that stop
 * listening, workers that want to be woken.  A binary heap of pointers to
 * timers that live inside what they are for; equal times keep their order.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "lib/clock.h"

struct timer {
	struct monotime at;
	uint64_t order;
	size_t place; /* in the heap, from 1; 0: not set */
	enum { TIMER_FLIGHT, TIMER_RUN } kind;
};

struct timers {
	struct timer **heap; /* owned; the timers are not */
	size_t count, room;
	uint64_t order;
};

void timer_set(struct timers *timers, struct timer *timer, struct monotime at);
void timer_clear(struct timers *timers, struct timer *timer); /* if set */
struct timer *timer_first(const struct timers *timers);       /* or NULL */
void timers_fini(struct timers *timers);
