/* SPDX-License-Identifier: ISC */
/* A binary heap in which every timer knows its place, so that any of them can
 * be moved or taken out. */
#include <stdbool.h>
#include <stdlib.h>

#include "lib/base/xalloc.h"
#include "lib/base/timer.h"

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
	for (; place > 1 && is_before(&item, &heap[place / 2 - 1]); place /= 2)
		put_item(timers, place, &heap[place / 2 - 1]);
	for (;;) {
		size_t child = 2 * place;
		if (child > timers->count)
			break;
		if (child < timers->count &&
		    is_before(&heap[child], &heap[child - 1]))
			child++;
		if (!is_before(&heap[child - 1], &item))
			break;
		put_item(timers, place, &heap[child - 1]);
		place = child;
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
