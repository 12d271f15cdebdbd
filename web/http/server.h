/* SPDX-License-Identifier: ISC */
/*
 * An HTTP server for one application: listeners, pages, limits, deadlines.
 * It knows no more of the application than application.h says.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "lib/base/err.h"
#include "web/http/application.h"
#include "web/http/client-limits.h"
#include "web/http/server-config.h"

struct server;

/* Listens and serves until server_stop.  ERR_CONFIG names the key that is
 * wrong, as plain HTTP off loopback; -EADDRINUSE names the address; -EAGAIN:
 * the machine gives no thread. */
int server_start(struct server **server, const struct server_config *config,
    const struct application *app, struct errmsg *msg);

/* Waits for answers under way.  The application has ended what waits for
 * something else to happen: event streams, long polls. */
void server_stop(struct server *server);

/* "http://127.0.0.1:8470" of the index'th listener, with the real port; NULL
 * past the last.  Borrowed until server_stop. */
const char *server_url(const struct server *server, size_t index);

struct server_stats {
	struct clients_stats clients;
	uint64_t answers[6]; /* by status class; 0: cut off */
	uint64_t body_bytes_in, body_bytes_out;
};
void server_stats(const struct server *server, struct server_stats *stats);
