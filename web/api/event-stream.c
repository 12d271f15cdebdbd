/* SPDX-License-Identifier: ISC */
/* One thread copies new events from the store into the ring and wakes the
 * subscribers; each takes what it has not had when its connection is ready.
 * Lock order: the ring's, then a stream's. */

#include "web/api/event-stream.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "collector/core/event-log.h"
#include "lib/base/wake-thread.h"
#include "lib/base/xalloc.h"
#include "web/api/api-private.h"
#include "web/api/handlers.h"
#include "web/http/client-limits.h"
#include "web/http/problem.h"
#include "web/http/stream.h"

enum {
	RING = 2048,
	FETCH = 64,          /* events of one read from the store */
	SERVE_BYTES = 65536, /* of one turn of a subscriber */
	HEARTBEAT_S = 15,
	SLOW_S = 2,
	REPLAY_MAX = 1000
};

struct ring_event {
	uint64_t id;
	char *text; /* as it goes out */
	size_t len;
};

struct subscriber {
	struct subscriber *next, **link;
	struct event_stream *events;
	struct stream *stream;
	struct connection *connection;
	uint64_t after;             /* had all up to this id */
	uint64_t had_bytes;         /* events->bytes when it last took */
	struct monotime owed_since; /* the first event since then; 0: none */
	struct monotime sent_at;    /* when it last got anything */
	bool greeted, heartbeat;
};

struct event_stream {
	struct collector *collector;
	struct wake_thread thread; /* its lock is the ring's */
	bool noticed, failed, stopped;
	struct ring_event ring[RING];
	size_t first, count;
	uint64_t ring_after; /* the ring has every event above this */
	uint64_t last_id;
	uint64_t bytes; /* ever put into the ring */
	struct subscriber *subscribers;
	struct event_stream_stats stats;
};

static void print_event(struct buf *to, const struct event *event)
{
	buf_printf(to, "id: %llu\nevent: %s\ndata: %s\n\n",
	    (unsigned long long)event->id, event->type, event->data);
}

static void ring_add(struct event_stream *events, const struct event *event)
{
	if (events->count == RING) {
		struct ring_event *oldest = &events->ring[events->first];
		events->ring_after = oldest->id;
		free(oldest->text);
		events->first = (events->first + 1) % RING;
		events->count--;
	}
	struct buf text = { 0 };
	print_event(&text, event);
	events->ring[(events->first + events->count++) % RING] =
	    (struct ring_event){ event->id, (char *)text.data, text.len };
	events->last_id = event->id;
	events->bytes += text.len;
}

static void cut_if_slow(struct subscriber *s, struct monotime now)
{
	if (s->owed_since.ns == 0)
		s->owed_since = now;
	if (s->events->bytes - s->had_bytes <= EVENT_BACKLOG_BYTES ||
	    monotime_diff(now, s->owed_since) < SLOW_S * NS_PER_S)
		return;
	s->events->stats.cut++;
	s->had_bytes = s->events->bytes;
	connection_cut(s->connection);
}

static void wake_all(struct event_stream *events)
{
	struct subscriber *s = events->subscribers;
	for (; s; s = s->next)
		stream_wake(s->stream);
}

/* Moves what is new into the ring; false when there was nothing. */
static bool fetch_events(struct event_stream *events)
{
	struct event batch[FETCH];
	int n = events_after(
	    events->collector, events->last_id, batch, FETCH, NULL);
	events->failed = n < 0; /* only this thread's: try again in a second */
	if (n <= 0)
		return false;
	struct monotime now = monotime_now();
	pthread_mutex_lock(&events->thread.lock);
	for (int i = 0; i < n; i++) {
		ring_add(events, &batch[i]);
		event_fini(&batch[i]);
	}
	for (struct subscriber *s = events->subscribers; s; s = s->next)
		cut_if_slow(s, now);
	wake_all(events);
	pthread_mutex_unlock(&events->thread.lock);
	return true;
}

static void send_heartbeats(struct event_stream *events)
{
	struct monotime now = monotime_now();
	struct subscriber *s = events->subscribers;
	for (; s; s = s->next) {
		if (monotime_diff(now, s->sent_at) < HEARTBEAT_S * NS_PER_S)
			continue;
		s->heartbeat = true;
		stream_wake(s->stream);
	}
}

static void *follow_log(void *arg)
{
	struct event_stream *events = arg;
	pthread_mutex_lock(&events->thread.lock);
	while (!events->thread.stop) {
		struct monotime until = monotime_add(monotime_now(), NS_PER_S);
		while (!events->noticed && !events->thread.stop &&
		    wake_thread_wait(&events->thread, until))
			;
		bool noticed = events->noticed || events->failed;
		events->noticed = false;
		send_heartbeats(events);
		pthread_mutex_unlock(&events->thread.lock);
		while (noticed && fetch_events(events))
			;
		pthread_mutex_lock(&events->thread.lock);
	}
	events->stopped = true;
	wake_all(events);
	pthread_mutex_unlock(&events->thread.lock);
	return NULL;
}

void event_stream_free(struct event_stream *events)
{
	for (; events->count > 0; events->count--) {
		free(events->ring[events->first].text);
		events->first = (events->first + 1) % RING;
	}
	wake_thread_fini(&events->thread);
	free(events);
}

int event_stream_open(struct event_stream **result, struct collector *collector,
    struct errmsg *msg)
{
	struct event_stream *events = xcalloc(1, sizeof(*events));
	events->collector = collector;
	events->last_id = events->ring_after = events_last_id(collector);
	wake_thread_init(&events->thread);
	int err = wake_thread_start(
	    &events->thread, follow_log, events, "web-events", msg);
	if (err < 0) {
		event_stream_free(events);
		return err;
	}
	*result = events;
	return 0;
}

void event_stream_notify(struct event_stream *events)
{
	pthread_mutex_lock(&events->thread.lock);
	events->noticed = true;
	wake_thread_wake(&events->thread);
	pthread_mutex_unlock(&events->thread.lock);
}

void event_stream_stop(struct event_stream *events)
{
	wake_thread_stop(&events->thread);
}

void event_stream_stats(
    struct event_stream *events, struct event_stream_stats *stats)
{
	pthread_mutex_lock(&events->thread.lock);
	*stats = events->stats;
	pthread_mutex_unlock(&events->thread.lock);
}

/* Everything above s->after that fits one turn. */
static void serve_ring(struct subscriber *s, struct buf *to)
{
	const struct event_stream *events = s->events;
	for (size_t i = 0; i < events->count && to->len < SERVE_BYTES; i++) {
		const struct ring_event *e =
		    &events->ring[(events->first + i) % RING];
		if (e->id <= s->after)
			continue;
		buf_bytes(to, e->text, e->len);
		s->after = e->id;
	}
}

static enum stream_next next_events(void *ctx, struct buf *to)
{
	struct subscriber *s = ctx;
	struct event_stream *events = s->events;
	pthread_mutex_lock(&events->thread.lock);
	enum stream_next result = STREAM_WAIT;
	s->had_bytes = events->bytes;
	s->owed_since.ns = 0;
	if (!s->greeted)
		buf_printf(to, "retry: 3000\n\n");
	if (s->heartbeat)
		buf_printf(to, ":\n\n");
	s->greeted = true;
	s->heartbeat = false;
	if (events->stopped)
		result = STREAM_END;
	else if (s->after < events->ring_after)
		result = STREAM_SLOW;
	else
		serve_ring(s, to);
	if (to->len > 0) {
		result = STREAM_DATA;
		s->sent_at = monotime_now();
	}
	pthread_mutex_unlock(&events->thread.lock);
	return result;
}

/* Some events that were asked for are no longer kept: an event for that. */
static void print_gap(struct buf *to, uint64_t from, uint64_t until)
{
	char at[WALLTIME_TEXT_LEN];
	buf_printf(to,
	    "event: gone\ndata: {\"at\":\"%s\",\"type\":\"gone\","
	    "\"text\":\"events %llu to %llu are no longer kept\","
	    "\"from\":%llu,\"to\":%llu}\n\n",
	    walltime_text(walltime_now(), at), (unsigned long long)from,
	    (unsigned long long)until, (unsigned long long)from,
	    (unsigned long long)until);
}

/* The same from the store. */
static enum stream_next read_store(void *ctx, struct buf *to)
{
	struct subscriber *s = ctx;
	struct event batch[FETCH];
	uint64_t oldest = 0;
	int n =
	    events_after(s->events->collector, s->after, batch, FETCH, &oldest);
	if (n < 0)
		return STREAM_FAIL;
	if (n > 0 && oldest > s->after + 1)
		print_gap(to, s->after + 1, oldest - 1);
	for (int i = 0; i < n; i++) {
		print_event(to, &batch[i]);
		s->after = batch[i].id;
		event_fini(&batch[i]);
	}
	pthread_mutex_lock(&s->events->thread.lock);
	if (n == 0 && s->after < s->events->ring_after) {
		print_gap(to, s->after + 1, s->events->ring_after);
		s->after = s->events->ring_after;
	}
	s->sent_at = monotime_now();
	pthread_mutex_unlock(&s->events->thread.lock);
	return STREAM_DATA;
}

static void close_subscriber(void *ctx)
{
	struct subscriber *s = ctx;
	pthread_mutex_lock(&s->events->thread.lock);
	*s->link = s->next;
	if (s->next)
		s->next->link = s->link;
	s->events->stats.subscribers--;
	pthread_mutex_unlock(&s->events->thread.lock);
	free(s);
}

static const struct stream_ops subscriber_ops = { next_events, read_store,
	close_subscriber };

const struct param events_param_last = { "last", PARAM_INTEGER,
	.help = "begin with so many of the newest events", .max = REPLAY_MAX,
	.fallback = "0" };

/* A number without sign or surroundings. */
static bool parse_id(const char *text, uint64_t *id)
{
	size_t len = strspn(text, "0123456789");
	*id = strtoull(text, NULL, 10);
	return len > 0 && len < 20 && text[len] == 0;
}

/* Where the stream begins; false: the answer says what is wrong. */
static bool choose_start(struct request *request, uint64_t *after)
{
	uint64_t newest = events_last_id(request_api(request)->collector);
	const char *last_id = request->headers[HEADER_LAST_EVENT_ID];
	const char *last = params_get(&request->params, "last");
	*after = newest;
	if (last_id) {
		uint64_t id;
		if (!parse_id(last_id, &id)) {
			problem_answer(request, PROBLEM_BAD_REQUEST,
			    "Last-Event-ID: expected the id of an event");
			return false;
		}
		/* An id of the future is one of another database. */
		*after = id < newest ? id : newest;
	} else if (last && *last) {
		/* The router has checked it. */
		uint64_t count = strtoull(last, NULL, 10);
		*after = count < newest ? newest - count : 0;
	}
	return true;
}

void handle_events(struct request *request)
{
	struct event_stream *events = request_api(request)->events;
	uint64_t after;
	if (!choose_start(request, &after)) {
		request_done(request);
		return;
	}
	struct subscriber *s = xcalloc(1, sizeof(*s));
	s->events = events;
	s->connection = request->connection;
	s->after = after;
	s->sent_at = monotime_now();
	s->stream = stream_new(&subscriber_ops, s);
	connection_limit_buffer(s->connection, (int)(EVENT_BACKLOG_BYTES / 4));

	pthread_mutex_lock(&events->thread.lock);
	s->had_bytes = events->bytes;
	s->next = events->subscribers;
	s->link = &events->subscribers;
	if (s->next)
		s->next->link = &s->next;
	events->subscribers = s;
	events->stats.subscribers++;
	pthread_mutex_unlock(&events->thread.lock);

	request->response.status = 200;
	request->response.content_type = "text/event-stream";
	request->response.cache_control = "no-store";
	request->response.stream = s->stream;
	request_done(request);
}
