/* SPDX-License-Identifier: ISC */
/*
 * Event streams (SSE).  One ring of recent events for all subscribers, each of
 * which is only a place in it: a thousand cost a thousand numbers.  One that is
 * further behind than the ring reads from the store; one that does not read is
 * cut and may come back with Last-Event-ID.
 */
#pragma once

#include <stdint.h>

#include "lib/base/err.h"

#define EVENT_BACKLOG_BYTES (UINT64_C(256) * 1024)

struct collector;
struct event_stream;

/* Starts the thread that reads new events.  -EAGAIN: the machine gives none. */
int event_stream_open(struct event_stream **events, struct collector *collector,
    struct errmsg *msg);
/* Ends every stream; event_stream_free when all of them are closed. */
void event_stream_stop(struct event_stream *events);
void event_stream_free(struct event_stream *events);

/* Something was added to the event log; any thread. */
void event_stream_notify(struct event_stream *events);

struct event_stream_stats {
	uint64_t subscribers; /* now */
	uint64_t cut;         /* for not reading */
};
void event_stream_stats(
    struct event_stream *events, struct event_stream_stats *stats);
