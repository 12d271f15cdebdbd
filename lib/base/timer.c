/* SPDX-License-Identifier: ISC */
/* A binary heap in which every timer knows its place, so that any of them can
 * be moved or taken out. */
#include <stdbool.h>
#include <stdlib.h>

#include "lib/base/xalloc.h"
#include "lib/base/timer.h"

static bool is_before(const struct timer *a, const struct timer *b)
{
	return a->at.ns != b->at.ns ? a->at.ns < b->at.ns : a->order < b->order;
}

static void put_timer(struct timers *timers, size_t place, struct timer *timer)
{
	timers->heap[place - 1] = timer;
	timer->place = place;
}

/* Finds the place of a timer for which `place` is free. */
static void settle_timer(
    struct timers *timers, size_t place, struct timer *timer)
{
	struct timer **heap = timers->heap;
	for (; place > 1 && is_before(timer, heap[place / 2 - 1]); place /= 2)
		put_timer(timers, place, heap[place / 2 - 1]);
	for (;;) {
		size_t child = 2 * place;
		if (child > timers->count)
			break;
		if (child < timers->count &&
		    is_before(heap[child], heap[child - 1]))
			child++;
		if (!is_before(heap[child - 1], timer))
			break;
		put_timer(timers, place, heap[child - 1]);
		place = child;
	}
	put_timer(timers, place, timer);
}

void timer_set(struct timers *timers, struct timer *timer, struct monotime at)
{
	size_t place = timer->place;
	if (place == 0) {
		if (timers->count == timers->room) {
			timers->room = timers->room ? 2 * timers->room : 64;
			timers->heap = xreallocarray(
			    timers->heap, timers->room, sizeof(struct timer *));
		}
		place = ++timers->count;
	}
	timer->at = at;
	timer->order = timers->order++;
	settle_timer(timers, place, timer);
}

void timer_clear(struct timers *timers, struct timer *timer)
{
	size_t place = timer->place;
	if (place == 0)
		return;
	struct timer *last = timers->heap[--timers->count];
	timer->place = 0;
	if (last != timer)
		settle_timer(timers, place, last);
}

struct timer *timer_first(const struct timers *timers)
{
	return timers->count ? timers->heap[0] : NULL;
}

void timers_fini(struct timers *timers)
{
	free(timers->heap);
	*timers = (struct timers){ 0 };
}
