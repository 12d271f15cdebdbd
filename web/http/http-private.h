/* SPDX-License-Identifier: ISC */
/* The server as the files of web/http/ know it; nothing else includes this. */
#pragma once

#include <pthread.h>
#include <stdatomic.h>

#include "web/http/application.h"
#include "web/http/client-limits.h"
#include "web/http/in-flight.h"
#include "web/http/origin-check.h"
#include "web/http/server-config.h"
#include "web/http/worker-pool.h"

struct listener {
	struct server *server;
	struct MHD_Daemon *daemon;
	int fd; /* ours to close only when daemon is NULL */
	bool tls;
	char url[80];
};

struct server_counters {
	atomic_uint_least64_t answers[6]; /* by status class; 0: cut off */
	atomic_uint_least64_t body_bytes_in, body_bytes_out;
};

struct server {
	const struct application *app;
	struct origin_rules origins;
	struct clients *clients;
	struct worker_pool *reads, *writes;
	struct pages *pages;
	struct listener listeners[SERVER_LISTENERS_MAX];
	size_t listener_count;
	struct server_counters counters;
	pthread_t clock; /* the thread that keeps deadlines */
	bool clock_runs;
	atomic_bool ending; /* no new connections */
	struct in_flight flight;
};
