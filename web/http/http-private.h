/* SPDX-License-Identifier: ISC */
/* What the files of web/ know of the server; nobody else includes this. */
#pragma once

#include <pthread.h>
#include <stdatomic.h>

#include "collector/collector.h"
#include "web/http/client-limits.h"
#include "web/http/origin-check.h"
#include "web/http/worker-pool.h"
#include "web/http/server.h"

enum { WEB_LISTENERS_MAX = 16 };

struct web_listener {
	struct web *web;
	struct MHD_Daemon *daemon;
	int fd; /* ours to close only when daemon is NULL */
	bool tls;
	char url[80];
};

/* Requests by what came of them, for /metrics. */
struct web_counters {
	atomic_uint_least64_t answers[6]; /* by status class; 0: cut off */
	atomic_uint_least64_t body_bytes_in, body_bytes_out;
};

struct web {
	struct collector *collector;
	struct guard guard;
	struct clients *clients;
	struct pool *reads, *writes;
	struct feed *feed;   /* event streams */
	struct polls *polls; /* agents that wait for work */
	struct pages *pages;
	struct web_listener listeners[WEB_LISTENERS_MAX];
	size_t listener_count;
	struct web_counters counters;
	pthread_t clock; /* the thread that keeps deadlines */
	bool clock_runs;

	pthread_mutex_t lock; /* for what follows */
	pthread_cond_t changed;
	bool stopping;
	size_t held;    /* connections that somebody will resume */
	size_t running; /* requests between handler and answer's end */
};

/* A connection is about to be suspended: false when the server stops, and it
 * must not be.  web_release when it was resumed. */
bool web_hold(struct web *web);
void web_release(struct web *web);

/* Around a request's handling, until its answer has gone out. */
void web_enter(struct web *web);
void web_leave(struct web *web);
