/* SPDX-License-Identifier: ISC */
/*
 * The event log: what happened, one line a human can read, with an id that only
 * grows.  Events are written in the transaction of what they report and can be
 * asked for again for some days, so a browser that reconnects misses nothing.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <jansson.h>

#include "collector/core/part.h"

#define EVENT_TYPE_LEN 16

struct event {
	uint64_t id;
	char type[EVENT_TYPE_LEN]; /* "agent", "alarm", "sighting", "run",
				      "gap" */
	char *data;                /* one line of JSON; owned */
};

uint64_t events_last_id(struct collector *collector);

/* Up to count events with ids above `after`, oldest first; *oldest (may be
 * NULL) is the first id still kept, so the caller sees whether some are gone.
 * Returns how many, or ERR_UNAVAILABLE.  The caller calls event_fini.  An
 * `after` above events_last_id comes from before a restore: start at the
 * last id instead. */
int events_after(struct collector *collector, uint64_t after,
    struct event *events, size_t count, uint64_t *oldest);
void event_fini(struct event *event);

/* Events.  event_log_add belongs into a job's run: the event appears with its
 * COMMIT.  fields: more members of data (consumed; may be NULL). */
int event_log_add(struct collector *collector, const char *type,
    const char *text, json_t *fields, struct errmsg *msg);
size_t event_log_pending(struct collector *collector);
void event_log_cut(struct collector *collector, size_t count); /* undo */
void event_log_publish(struct collector *collector);

extern const struct part event_log_part;
