/* SPDX-License-Identifier: ISC */
/*
 * Everything that happens at a time, next first.  A heap of timers that
 * live inside what they are for; equal times keep their order.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "lib/base/clock.h"

struct timer {
	struct monotime at;
	uint64_t order;
	size_t place; /* in the heap, from 1; 0: not set */
	int kind;     /* the owner's, who may have timers in several structs */
};

/* What is compared lies in the heap, or each comparison would miss the cache
 * where timers are many. */
struct timers_item {
	int64_t ns;
	uint64_t order;
	struct timer *timer;
};

struct timers {
	struct timers_item *heap; /* owned; the timers are not */
	size_t count, room;
	uint64_t order;
};

void timer_set(struct timers *timers, struct timer *timer, struct monotime at);
void timer_clear(struct timers *timers, struct timer *timer); /* if set */
struct timer *timer_first(const struct timers *timers);       /* or NULL */
void timers_fini(struct timers *timers);
