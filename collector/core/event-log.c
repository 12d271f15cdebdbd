/* SPDX-License-Identifier: ISC */
/*
 * An event is a row in the transaction of what it reports; the last ones are
 * also held in a ring, so that a thousand browsers waiting for the
 * next one do not read the database a thousand times.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "collector/core/event-log.h"
#include "lib/json/json-value.h"
#include "collector/core/listener.h"
#include "collector/core/private.h"
#include "collector/core/reader-pool.h"
#include "collector/registry/registry-events.h"
#include "lib/base/xalloc.h"

#define RING 1024

struct event_log {
	pthread_mutex_t lock;
	struct event ring[RING]; /* by id % RING; id 0: empty */
	uint64_t last_id;
	/* Of the transaction under way; the writer's thread only. */
	struct event *pending;
	size_t pending_count, pending_cap;
};

void event_fini(struct event *event)
{
	free(event->data);
	*event = (struct event){ 0 };
}

static struct event event_copy(uint64_t id, const char *type, const char *data)
{
	struct event copy = { .id = id, .data = xstrdup(data) };
	snprintf(copy.type, sizeof(copy.type), "%s", type);
	return copy;
}

static int event_log_open(struct collector *c, struct errmsg *msg)
{
	struct registry_reader *reader;
	int64_t oldest, newest = 0;
	int err = registry_get(c, &reader, msg);
	if (err < 0)
		return err;
	err = registry_event_range(reader, &oldest, &newest);
	if (err < 0)
		err_set(msg, err, "%s", registry_reader_error(reader));
	registry_put(c, reader);
	c->event_log = xcalloc(1, sizeof(*c->event_log));
	pthread_mutex_init(&c->event_log->lock, NULL);
	c->event_log->last_id = (uint64_t)newest;
	return err;
}

static void event_log_close(struct collector *c)
{
	struct event_log *log = c->event_log;
	if (!log)
		return;
	event_log_cut(c, 0);
	free(log->pending);
	for (size_t i = 0; i < RING; i++)
		event_fini(&log->ring[i]);
	pthread_mutex_destroy(&log->lock);
	free(log);
	c->event_log = NULL;
}

int event_log_add(struct collector *c, const char *type, const char *text,
    json_t *fields, struct errmsg *msg)
{
	struct event_log *log = c->event_log;
	int64_t now = collector_wall(c).ns;
	json_t *data = json_pack("{s:o, s:s, s:o}", "at", json_time(now),
	    "type", type, "text", json_text(text));
	json_object_update(data, fields);
	json_decref(fields);
	char *line = json_dumps(data, JSON_COMPACT);
	json_decref(data);
	struct registry_event row = {
		.at_ns = now, .type = type, .data = line
	};
	int err = registry_event_add(c->registry, &row, msg);
	/* Before the log is open, who reads it finds the row. */
	if (err == ERR_OK && log) {
		if (log->pending_count == log->pending_cap) {
			log->pending_cap = log->pending_cap * 2 + 16;
			log->pending = xreallocarray(log->pending,
			    log->pending_cap, sizeof(*log->pending));
		}
		log->pending[log->pending_count++] =
		    event_copy((uint64_t)row.id, type, line);
	}
	free(line);
	return err;
}

size_t event_log_pending(struct collector *c)
{
	return c->event_log->pending_count;
}

void event_log_cut(struct collector *c, size_t count)
{
	while (c->event_log->pending_count > count)
		event_fini(
		    &c->event_log->pending[--c->event_log->pending_count]);
}

void event_log_publish(struct collector *c)
{
	struct event_log *log = c->event_log;
	if (log->pending_count == 0)
		return;
	c->counters.events += log->pending_count;
	pthread_mutex_lock(&log->lock);
	for (size_t i = 0; i < log->pending_count; i++) {
		struct event *slot = &log->ring[log->pending[i].id % RING];
		event_fini(slot);
		*slot = log->pending[i];
		log->last_id = slot->id;
	}
	uint64_t last_id = log->last_id;
	pthread_mutex_unlock(&log->lock);
	log->pending_count = 0;
	listener_event_added(c, last_id);
}

uint64_t events_last_id(struct collector *c)
{
	pthread_mutex_lock(&c->event_log->lock);
	uint64_t last_id = c->event_log->last_id;
	pthread_mutex_unlock(&c->event_log->lock);
	return last_id;
}

/* -1: the ring does not reach back that far. */
static int from_ring(
    struct event_log *log, uint64_t after, struct event *events, size_t count)
{
	size_t n = 0;
	pthread_mutex_lock(&log->lock);
	bool reaches = after >= log->last_id ||
	    log->ring[(after + 1) % RING].id == after + 1;
	for (uint64_t id = after + 1;
	     reaches && n < count && id <= log->last_id; id++) {
		const struct event *held = &log->ring[id % RING];
		/* Ids may have holes: a retried transaction takes new ones. */
		if (held->id == id)
			events[n++] =
			    event_copy(held->id, held->type, held->data);
	}
	pthread_mutex_unlock(&log->lock);
	return reaches ? (int)n : -1;
}

struct taker {
	struct event *events;
	size_t n;
};

static int take_event(void *ctx, const struct registry_event *event)
{
	struct taker *taker = ctx;
	taker->events[taker->n++] =
	    event_copy((uint64_t)event->id, event->type, event->data);
	return 0;
}

static int from_store(
    struct collector *c, uint64_t after, struct event *events, size_t count)
{
	struct registry_reader *reader;
	if (after > INT64_MAX || registry_get(c, &reader, NULL) < 0)
		return ERR_UNAVAILABLE;
	struct taker taker = { .events = events };
	int err = registry_read_events(
	    reader, (int64_t)after, (uint32_t)count, take_event, &taker);
	registry_put(c, reader);
	if (err == ERR_OK)
		return (int)taker.n;
	while (taker.n > 0)
		event_fini(&events[--taker.n]);
	return ERR_UNAVAILABLE;
}

static int oldest_kept(struct collector *c, uint64_t *oldest)
{
	struct registry_reader *reader;
	int64_t low = 0, high;
	if (registry_get(c, &reader, NULL) < 0)
		return ERR_UNAVAILABLE;
	int err = registry_event_range(reader, &low, &high);
	registry_put(c, reader);
	*oldest = (uint64_t)low;
	return err < 0 ? ERR_UNAVAILABLE : ERR_OK;
}

int events_after(struct collector *c, uint64_t after, struct event *events,
    size_t count, uint64_t *oldest)
{
	int n = from_ring(c->event_log, after, events, count);
	if (n < 0)
		n = from_store(c, after, events, count);
	if (n < 0 || !oldest)
		return n;
	if (oldest_kept(c, oldest) < 0) {
		while (n > 0)
			event_fini(&events[--n]);
		return ERR_UNAVAILABLE;
	}
	return n;
}

const struct part event_log_part = {
	.name = "events",
	.open = event_log_open,
	.close = event_log_close,
};
