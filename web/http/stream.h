/* SPDX-License-Identifier: ISC */
/*
 * An answer whose body is made while it is sent.  A stream without
 * data parks its connection (no thread waits for it) until stream_wake; what
 * may block runs in a worker thread, never in the server's loop.
 */
#pragma once

#include <stdbool.h>

#include "lib/base/buf.h"

enum stream_next {
	STREAM_DATA, /* something was appended */
	STREAM_WAIT, /* nothing now: stream_wake will be called */
	STREAM_SLOW, /* ask .slow, in a worker thread; not from .slow itself */
	STREAM_END,
	STREAM_FAIL /* the client must see that this is not all */
};

struct stream_ops {
	/* Appends what there is; must not block. */
	enum stream_next (*next)(void *ctx, struct buf *to);
	enum stream_next (*slow)(void *ctx, struct buf *to); /* may be NULL */
	void (*close)(void *ctx); /* no call comes after it; frees ctx */
};

struct stream;
struct exchange;
struct MHD_Response;
struct worker_job;

/* What a stream needs of the exchange that sends it. */
struct stream_host {
	/* Parks the connection; false: the server stops. */
	bool (*suspend)(struct exchange *exchange);
	void (*resume)(struct exchange *exchange); /* any thread */
	void (*extend)(struct exchange *exchange); /* the answer moved on */
	/* Runs the job in a worker thread. */
	void (*submit)(struct exchange *exchange, struct worker_job *job);
	void (*count)(struct exchange *exchange, size_t sent_bytes);
};

struct stream *stream_new(const struct stream_ops *ops, void *ctx);
void stream_free(struct stream *stream); /* closes; NULL is fine */

/* A field after the body (RFC 9110 section 6.5), which HTTP/1.1 clients get;
 * name is static.  From next or slow, at most STREAM_TRAILERS times. */
enum { STREAM_TRAILERS = 2 };
void stream_trailer(struct stream *stream, const char *name, const char *value);

/* From any thread, while the stream's close cannot run. */
void stream_wake(struct stream *stream);

/* The response takes the stream; NULL (and the stream is closed): no memory. */
struct MHD_Response *stream_respond(struct stream *stream,
    const struct stream_host *host, struct exchange *exchange);
