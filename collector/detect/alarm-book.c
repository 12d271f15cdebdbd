/* SPDX-License-Identifier: ISC */
#include "collector/detect/alarm-book.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/vec.h"
#include "lib/base/xalloc.h"

static struct held_alarm *hold(
    struct alarm_book *book, const struct registry_alarm *alarm)
{
	VEC_ROOM(book->items, book->count);
	struct held_alarm *held = &book->items[book->count++];
	*held = (struct held_alarm){ .alarm = *alarm };
	held->alarm.agents = NULL; /* borrowed, and out of date soon */
	snprintf(held->detector, sizeof(held->detector), "%s", alarm->detector);
	snprintf(held->test, sizeof(held->test), "%s", alarm->test);
	snprintf(held->verdict, sizeof(held->verdict), "%s", alarm->verdict);
	snprintf(
	    held->signature, sizeof(held->signature), "%s", alarm->signature);
	return held;
}

struct registry_alarm alarm_book_alarm(const struct held_alarm *held)
{
	struct registry_alarm alarm = held->alarm;
	alarm.detector = held->detector;
	alarm.test = held->test;
	alarm.verdict = held->verdict;
	alarm.signature = held->signature;
	return alarm;
}

static int take_stored(void *ctx, const struct registry_alarm *alarm)
{
	hold(ctx, alarm);
	return 0;
}

int alarm_book_read(struct alarm_book *book, struct registry_reader *reader,
    int64_t from_ns, int64_t to_ns)
{
	struct registry_alarm_filter filter = {
		.from_ns = from_ns,
		.to_ns = to_ns,
		.agent_row = -1,
	};
	int err = registry_read_alarms(reader, &filter, take_stored, book);
	book->stored = book->count;
	return err;
}

static bool overlaps(
    const struct registry_alarm *a, const struct registry_alarm *b)
{
	return (b->ended_ns == 0 || a->onset_ns <= b->ended_ns) &&
	    (a->ended_ns == 0 || b->onset_ns <= a->ended_ns);
}

/* The same story, but for whose it is. */
static bool is_alike(const struct held_alarm *held, const char *detector,
    const char *verdict, const char *signature,
    const struct registry_alarm *other)
{
	return held->alarm.bin_s == other->bin_s &&
	    held->alarm.direction == other->direction &&
	    strcmp(held->detector, detector) == 0 &&
	    strcmp(held->signature, signature) == 0 &&
	    strcmp(held->verdict, verdict) == 0 &&
	    overlaps(&held->alarm, other);
}

static struct held_alarm *find_same(
    struct alarm_book *book, const struct registry_alarm *found)
{
	for (size_t i = 0; i < book->stored; i++) {
		struct held_alarm *held = &book->items[i];
		if (!held->matched &&
		    held->alarm.agent_row == found->agent_row &&
		    is_alike(held, found->detector, found->verdict,
			found->signature, found))
			return held;
	}
	return NULL;
}

static void confirm(struct held_alarm *held, const struct registry_alarm *found)
{
	struct registry_alarm *a = &held->alarm;
	held->matched = true;
	held->changed = a->onset_ns != found->onset_ns ||
	    a->ended_ns != found->ended_ns || a->observed != found->observed ||
	    a->expected != found->expected;
	a->onset_ns = found->onset_ns;
	a->ended_ns = found->ended_ns;
	a->observed = found->observed;
	a->expected = found->expected;
}

void alarm_book_add(struct alarm_book *book, const struct registry_alarm *found)
{
	struct held_alarm *same = find_same(book, found);
	if (same)
		confirm(same, found);
	else
		hold(book, found)->changed = true;
}

void alarm_book_end_others(
    struct alarm_book *book, uint32_t bin_s, int64_t end_ns)
{
	for (size_t i = 0; i < book->stored; i++) {
		struct held_alarm *held = &book->items[i];
		if (held->matched || held->alarm.ended_ns ||
		    held->alarm.bin_s != bin_s)
			continue;
		held->alarm.ended_ns = end_ns;
		held->changed = true;
	}
}

bool alarm_book_is_part(
    const struct alarm_book *book, const struct held_alarm *held)
{
	for (size_t i = 0; held->alarm.agent_row && i < book->count; i++)
		if (book->items[i].alarm.agent_row == 0 &&
		    is_alike(&book->items[i], held->detector, held->verdict,
			held->signature, &held->alarm))
			return true;
	return false;
}

bool alarm_book_changed(const struct alarm_book *book)
{
	for (size_t i = 0; i < book->count; i++)
		if (book->items[i].changed)
			return true;
	return false;
}

void alarm_book_fini(struct alarm_book *book)
{
	free(book->items);
	*book = (struct alarm_book){ 0 };
}
