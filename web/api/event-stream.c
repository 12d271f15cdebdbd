/* SPDX-License-Identifier: ISC */
/* The feed's thread copies new events from the store into the ring and wakes
 * the subscribers; each takes what it has not had when its connection is
 * ready.  Lock order: the feed's, then a stream's. */

#include "web/api/event-stream.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "collector/core/event-log.h"
#include "lib/base/xalloc.h"
#include "web/api/handlers.h"
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
	struct feed *feed;
	struct stream *stream;
	struct connection *connection;
	uint64_t after;             /* had all up to this id */
	uint64_t had_bytes;         /* feed->bytes when it last took */
	struct monotime owed_since; /* the first event since then; 0: none */
	struct monotime spoken;     /* when it last got anything */
	bool greeted, heartbeat;
};

struct feed {
	struct web *web;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool noticed, failed, stopping, stopped;
	struct ring_event ring[RING];
	size_t first, count;
	uint64_t ring_after; /* the ring has every event above this */
	uint64_t last_id;
	uint64_t bytes; /* ever put into the ring */
	struct subscriber *subscribers;
	struct feed_stats stats;
};

static void print_event(struct buf *to, const struct event *event)
{
	buf_printf(to, "id: %llu\nevent: %s\ndata: %s\n\n",
	    (unsigned long long)event->id, event->type, event->data);
}

static void ring_add(struct feed *feed, const struct event *event)
{
	if (feed->count == RING) {
		struct ring_event *oldest = &feed->ring[feed->first];
		feed->ring_after = oldest->id;
		free(oldest->text);
		feed->first = (feed->first + 1) % RING;
		feed->count--;
	}
	struct buf text = { 0 };
	print_event(&text, event);
	feed->ring[(feed->first + feed->count++) % RING] =
	    (struct ring_event){ event->id, (char *)text.data, text.len };
	feed->last_id = event->id;
	feed->bytes += text.len;
}

static void cut_if_slow(struct subscriber *s, struct monotime now)
{
	if (s->owed_since.ns == 0)
		s->owed_since = now;
	if (s->feed->bytes - s->had_bytes <= FEED_BACKLOG_BYTES ||
	    monotime_diff(now, s->owed_since) < SLOW_S * NS_PER_S)
		return;
	s->feed->stats.cut++;
	s->had_bytes = s->feed->bytes;
	connection_cut(s->connection);
}

static void wake_all(struct feed *feed)
{
	struct subscriber *s = feed->subscribers;
	for (; s; s = s->next)
		stream_wake(s->stream);
}

/* Moves what is new into the ring; false when there was nothing. */
static bool fetch(struct feed *feed)
{
	struct event events[FETCH];
	int n = events_after(
	    feed->web->collector, feed->last_id, events, FETCH, NULL);
	feed->failed = n < 0; /* only this thread's: try again in a second */
	if (n <= 0)
		return false;
	struct monotime now = monotime_now();
	pthread_mutex_lock(&feed->lock);
	for (int i = 0; i < n; i++) {
		ring_add(feed, &events[i]);
		event_fini(&events[i]);
	}
	for (struct subscriber *s = feed->subscribers; s; s = s->next)
		cut_if_slow(s, now);
	wake_all(feed);
	pthread_mutex_unlock(&feed->lock);
	return true;
}

static void beat(struct feed *feed)
{
	struct monotime now = monotime_now();
	struct subscriber *s = feed->subscribers;
	for (; s; s = s->next) {
		if (monotime_diff(now, s->spoken) < HEARTBEAT_S * NS_PER_S)
			continue;
		s->heartbeat = true;
		stream_wake(s->stream);
	}
}

static void *run(void *arg)
{
	struct feed *feed = arg;
	pthread_mutex_lock(&feed->lock);
	while (!feed->stopping) {
		struct timespec until;
		clock_gettime(CLOCK_MONOTONIC, &until);
		until.tv_sec += 1;
		while (!feed->noticed && !feed->stopping &&
		    pthread_cond_timedwait(
			&feed->changed, &feed->lock, &until) == 0)
			;
		bool noticed = feed->noticed || feed->failed;
		feed->noticed = false;
		beat(feed);
		pthread_mutex_unlock(&feed->lock);
		while (noticed && fetch(feed))
			;
		pthread_mutex_lock(&feed->lock);
	}
	feed->stopped = true;
	wake_all(feed);
	pthread_mutex_unlock(&feed->lock);
	return NULL;
}

struct feed *feed_new(struct web *web)
{
	struct feed *feed = xcalloc(1, sizeof(*feed));
	feed->web = web;
	feed->last_id = feed->ring_after = events_last_id(web->collector);
	pthread_mutex_init(&feed->lock, NULL);
	pthread_condattr_t attr;
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&feed->changed, &attr);
	pthread_condattr_destroy(&attr);
	int err = pthread_create(&feed->thread, NULL, run, feed);
	if (err != 0)
		BUG("thread: %s", err_str(-err));
	pthread_setname_np(feed->thread, "web-feed");
	return feed;
}

void feed_notice(struct feed *feed)
{
	pthread_mutex_lock(&feed->lock);
	feed->noticed = true;
	pthread_cond_signal(&feed->changed);
	pthread_mutex_unlock(&feed->lock);
}

void feed_stop(struct feed *feed)
{
	pthread_mutex_lock(&feed->lock);
	feed->stopping = true;
	pthread_cond_signal(&feed->changed);
	pthread_mutex_unlock(&feed->lock);
	pthread_join(feed->thread, NULL);
}

void feed_free(struct feed *feed)
{
	for (; feed->count > 0; feed->count--) {
		free(feed->ring[feed->first].text);
		feed->first = (feed->first + 1) % RING;
	}
	pthread_cond_destroy(&feed->changed);
	pthread_mutex_destroy(&feed->lock);
	free(feed);
}

void feed_stats(struct feed *feed, struct feed_stats *stats)
{
	pthread_mutex_lock(&feed->lock);
	*stats = feed->stats;
	pthread_mutex_unlock(&feed->lock);
}

/* Everything above s->after that fits one turn. */
static void serve_ring(struct subscriber *s, struct buf *to)
{
	const struct feed *feed = s->feed;
	for (size_t i = 0; i < feed->count && to->len < SERVE_BYTES; i++) {
		const struct ring_event *e =
		    &feed->ring[(feed->first + i) % RING];
		if (e->id <= s->after)
			continue;
		buf_bytes(to, e->text, e->len);
		s->after = e->id;
	}
}

static enum stream_next next(void *ctx, struct buf *to)
{
	struct subscriber *s = ctx;
	struct feed *feed = s->feed;
	pthread_mutex_lock(&feed->lock);
	enum stream_next result = STREAM_WAIT;
	s->had_bytes = feed->bytes;
	s->owed_since.ns = 0;
	if (!s->greeted)
		buf_printf(to, "retry: 3000\n\n");
	if (s->heartbeat)
		buf_printf(to, ":\n\n");
	s->greeted = true;
	s->heartbeat = false;
	if (feed->stopped)
		result = STREAM_END;
	else if (s->after < feed->ring_after)
		result = STREAM_SLOW;
	else
		serve_ring(s, to);
	if (to->len > 0) {
		result = STREAM_DATA;
		s->spoken = monotime_now();
	}
	pthread_mutex_unlock(&feed->lock);
	return result;
}

/* Some events that were asked for are no longer kept: says so. */
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
static enum stream_next slow(void *ctx, struct buf *to)
{
	struct subscriber *s = ctx;
	struct event events[FETCH];
	uint64_t oldest = 0;
	int n = events_after(
	    s->feed->web->collector, s->after, events, FETCH, &oldest);
	if (n < 0)
		return STREAM_FAIL;
	if (n > 0 && oldest > s->after + 1)
		print_gap(to, s->after + 1, oldest - 1);
	for (int i = 0; i < n; i++) {
		print_event(to, &events[i]);
		s->after = events[i].id;
		event_fini(&events[i]);
	}
	pthread_mutex_lock(&s->feed->lock);
	if (n == 0 && s->after < s->feed->ring_after) {
		print_gap(to, s->after + 1, s->feed->ring_after);
		s->after = s->feed->ring_after;
	}
	s->spoken = monotime_now();
	pthread_mutex_unlock(&s->feed->lock);
	return STREAM_DATA;
}

static void close_subscriber(void *ctx)
{
	struct subscriber *s = ctx;
	pthread_mutex_lock(&s->feed->lock);
	*s->link = s->next;
	if (s->next)
		s->next->link = s->link;
	s->feed->stats.subscribers--;
	pthread_mutex_unlock(&s->feed->lock);
	free(s);
}

static const struct stream_ops subscriber_ops = { next, slow,
	close_subscriber };

/* A number without sign or surroundings. */
static bool parse_id(const char *text, uint64_t most, uint64_t *id)
{
	size_t len = strspn(text, "0123456789");
	*id = strtoull(text, NULL, 10);
	return len > 0 && len < 20 && text[len] == 0 && *id <= most;
}

/* Where the subscriber wants to begin; false: the answer says what is wrong. */
static bool choose_start(struct request *request, uint64_t *after)
{
	uint64_t newest = events_last_id(request->web->collector), n;
	const char *last_id = request->headers[HEADER_LAST_EVENT_ID];
	const char *last = params_get(&request->params, "last");
	*after = newest;
	if (last_id) {
		if (!parse_id(last_id, UINT64_MAX, &n)) {
			problem_answer(request, PROBLEM_BAD_REQUEST,
			    "Last-Event-ID: expected the id of an event");
			return false;
		}
		/* An id of the future is one of another database. */
		*after = n < newest ? n : newest;
	} else if (last) {
		if (!parse_id(last, REPLAY_MAX, &n)) {
			problem_answer(request, PROBLEM_BAD_PARAMETER,
			    "parameter 'last': expected a whole number from 0 "
			    "to %d",
			    REPLAY_MAX);
			return false;
		}
		*after = n < newest ? newest - n : 0;
	}
	return true;
}

void handle_events(struct request *request)
{
	struct feed *feed = request->web->feed;
	uint64_t after;
	if (!choose_start(request, &after)) {
		request_done(request);
		return;
	}
	struct subscriber *s = xcalloc(1, sizeof(*s));
	s->feed = feed;
	s->connection = request->connection;
	s->after = after;
	s->spoken = monotime_now();
	s->stream = stream_new(&subscriber_ops, s);
	connection_limit_buffer(s->connection, (int)(FEED_BACKLOG_BYTES / 4));

	pthread_mutex_lock(&feed->lock);
	s->had_bytes = feed->bytes;
	s->next = feed->subscribers;
	s->link = &feed->subscribers;
	if (s->next)
		s->next->link = &s->next;
	feed->subscribers = s;
	feed->stats.subscribers++;
	pthread_mutex_unlock(&feed->lock);

	request->answer.status = 200;
	request->answer.content_type = "text/event-stream";
	request->answer.cache_control = "no-store";
	request->answer.stream = s->stream;
	request_done(request);
}
