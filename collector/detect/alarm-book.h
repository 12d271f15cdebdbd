/* SPDX-License-Identifier: ISC */
/*
 * The alarms of a stretch of time: those that are stored, and those that a
 * round found.  One that was found and overlaps a stored one of the same
 * detector, subject and direction is that one, updated: so ids are stable
 * though late data may move an onset.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "collector/registry/registry-alarms.h"
#include "lib/base/err.h"

/* One alarm with its own texts. */
struct held_alarm {
	struct registry_alarm alarm;
	char detector[16], verdict[72], signature[72], test[64];
	bool matched, changed;
};
struct alarm_book {
	struct held_alarm *items; /* owned; the stored ones first */
	size_t count, stored;
};

int alarm_book_read(struct alarm_book *book, struct registry_reader *reader,
    int64_t from_ns, int64_t to_ns);
/* What a detector found: a stored one confirmed, or a new one. */
void alarm_book_add(
    struct alarm_book *book, const struct registry_alarm *found);
/* Open alarms of this bin width that nothing confirmed have ended. */
void alarm_book_end_others(
    struct alarm_book *book, uint32_t bin_s, int64_t end_ns);
/* Whether the alarm of all agents together covers this one too. */
bool alarm_book_is_part(
    const struct alarm_book *book, const struct held_alarm *held);
bool alarm_book_changed(const struct alarm_book *book);
/* With the texts in place, to be stored or shown. */
struct registry_alarm alarm_book_alarm(const struct held_alarm *held);
void alarm_book_fini(struct alarm_book *book);
