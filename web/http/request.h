/* SPDX-License-Identifier: ISC */
/*
 * A request and its answer as handlers see them: no libmicrohttpd here, so a
 * handler can be called by a test.  A handler fills the answer and calls
 * request_done exactly once, from any thread, before or after it returns.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <jansson.h>

#include "lib/base/addr.h"
#include "lib/base/buf.h"
#include "web/http/application.h"
#include "web/http/params.h"

enum header {
	HEADER_ACCEPT,
	HEADER_ACCEPT_ENCODING,
	HEADER_AUTHORIZATION,
	HEADER_CONTENT_LENGTH,
	HEADER_CONTENT_TYPE,
	HEADER_FETCH_SITE,
	HEADER_HOST,
	HEADER_IF_NONE_MATCH,
	HEADER_LAST_EVENT_ID,
	HEADER_ORIGIN,
	HEADER_SONDE_AGENT,
	HEADER_SONDE_SIGNATURE,
	HEADER_SONDE_TIME,
	HEADER_TRANSFER_ENCODING,
	HEADERS
};
extern const char *const header_names[HEADERS];

struct connection;
struct packed_body;
struct worker_job;
struct request;
struct route;
struct server;
struct stream;

struct request_ops {
	void (*done)(struct request *request);
	/* Runs the job in a thread of the route's kind. */
	void (*submit)(struct request *request, struct worker_job *job);
};

struct response {
	unsigned status;
	const char *content_type; /* static text */
	const void *fixed;        /* a body that lives as long as the server */
	size_t fixed_len;
	struct packed_body *packed; /* else this one; a reference */
	struct buf body;            /* else this one */
	struct stream *stream;      /* else made piece by piece; owned */
	const char *cache_control;  /* static text; NULL: no-store */
	const char *etag;           /* quoted, static; NULL: of the body */
	const char *encoding;       /* Content-Encoding, static; NULL: none */
	char *disposition;          /* owned; Content-Disposition */
	const char *trailer; /* static; names that stream_trailer gives */
	bool varies_by_encoding;
	uint32_t retry_after_s; /* 0: no such header */
	char *allow, *location; /* owned; NULL: no such header */
};

struct request {
	const struct request_ops *ops;
	const struct application *app;
	struct server *server; /* for server_stats */
	const char *method;
	const char *target;            /* path and query as sent */
	size_t path_len;               /* of the path in target */
	const char *headers[HEADERS];  /* borrowed; NULL: absent */
	struct connection *connection; /* web/http/client-limits.h */
	struct addr peer;
	bool tls;
	struct caller caller;      /* who asks */
	const struct route *route; /* NULL: a page, not an API route */
	struct request_params params;
	struct buf body;
	struct response response;
};

bool request_is_loopback(const struct request *request);
/* The token after "Bearer ", or NULL. */
const char *request_bearer(const struct request *request);
/* Whether Accept-Encoding allows gzip. */
bool request_takes_gzip(const struct request *request);
/* Whether the Accept header names this media type (wildcards do not count). */
bool request_accepts(const struct request *request, const char *type);

static inline void request_done(struct request *request)
{
	request->ops->done(request);
}
