/* SPDX-License-Identifier: ISC */
/* A heap in which every timer knows its place, so that any of them can be moved
 * or taken out.  Each has four below it: an item that moves meets half as many
 * timers as in a binary heap, and their places are what is not in the cache. */
#include <stdbool.h>
#include <stdlib.h>

#include "lib/base/xalloc.h"
#include "lib/base/timer.h"

#define BELOW 4

static bool is_before(const struct timers_item *a, const struct timers_item *b)
{
	return a->ns != b->ns ? a->ns < b->ns : a->order < b->order;
}

static void put_item(
    struct timers *timers, size_t place, const struct timers_item *item)
{
	timers->heap[place - 1] = *item;
	item->timer->place = place;
}

/* Finds the place of an item for which `place` is free. */
static void settle_item(
    struct timers *timers, size_t place, struct timers_item item)
{
	struct timers_item *heap = timers->heap;
	while (place > 1) {
		size_t parent = (place - 2) / BELOW + 1;
		if (!is_before(&item, &heap[parent - 1]))
			break;
		put_item(timers, place, &heap[parent - 1]);
		place = parent;
	}
	for (;;) {
		size_t first = BELOW * (place - 1) + 2, least = first;
		for (size_t i = first + 1;
		     i < first + BELOW && i <= timers->count; i++)
			if (is_before(&heap[i - 1], &heap[least - 1]))
				least = i;
		if (first > timers->count ||
		    !is_before(&heap[least - 1], &item))
			break;
		put_item(timers, place, &heap[least - 1]);
		place = least;
	}
	put_item(timers, place, &item);
}

void timer_set(struct timers *timers, struct timer *timer, struct monotime at)
{
	size_t place = timer->place;
	if (place == 0) {
		if (timers->count == timers->room) {
			timers->room = timers->room ? 2 * timers->room : 64;
			timers->heap = xreallocarray(
			    timers->heap, timers->room, sizeof(*timers->heap));
		}
		place = ++timers->count;
	}
	timer->at = at;
	timer->order = timers->order++;
	settle_item(
	    timers, place, (struct timers_item){ at.ns, timer->order, timer });
}

void timer_clear(struct timers *timers, struct timer *timer)
{
	size_t place = timer->place;
	if (place == 0)
		return;
	struct timers_item last = timers->heap[--timers->count];
	timer->place = 0;
	if (last.timer != timer)
		settle_item(timers, place, last);
}

struct timer *timer_first(const struct timers *timers)
{
	return timers->count ? timers->heap[0].timer : NULL;
}

void timers_fini(struct timers *timers)
{
	free(timers->heap);
	*timers = (struct timers){ 0 };
}
