/* SPDX-License-Identifier: ISC */
/* Streams between the producers of their data and the server's loop.
 * Only the loop touches `pending`, except while the connection is parked,
 * when only the worker does; the lock is for the two flags that meet. */

#include "web/http/stream.h"

#include <microhttpd.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/xalloc.h"
#include "web/http/worker-pool.h"

enum { BLOCK = 16 * 1024 };

struct stream {
	const struct stream_ops *ops;
	void *ctx;
	const struct stream_host *host;
	struct exchange *exchange;
	struct buf pending;
	size_t taken; /* of pending */
	bool ended, failed;
	struct {
		const char *name;
		char value[48];
	} trailers[STREAM_TRAILERS];
	size_t trailer_count;
	struct MHD_Response *response; /* whose body this is */
	struct worker_job job;
	pthread_mutex_t lock;
	bool woken;   /* while none waited */
	bool waiting; /* parked until stream_wake */
};

struct stream *stream_new(const struct stream_ops *ops, void *ctx)
{
	struct stream *stream = xcalloc(1, sizeof(*stream));
	stream->ops = ops;
	stream->ctx = ctx;
	pthread_mutex_init(&stream->lock, NULL);
	return stream;
}

void stream_free(struct stream *stream)
{
	if (!stream)
		return;
	stream->ops->close(stream->ctx);
	buf_fini(&stream->pending);
	pthread_mutex_destroy(&stream->lock);
	free(stream);
}

void stream_wake(struct stream *stream)
{
	pthread_mutex_lock(&stream->lock);
	bool waiting = stream->waiting;
	stream->waiting = false;
	stream->woken = !waiting;
	pthread_mutex_unlock(&stream->lock);
	/* The one that cleared the flag resumes; then the stream may be gone.
	 */
	if (waiting)
		stream->host->resume(stream->exchange);
}

/* Parks until a wake; false when one has come already. */
static bool park(struct stream *stream)
{
	pthread_mutex_lock(&stream->lock);
	bool parked = false;
	if (stream->woken)
		stream->woken = false;
	else if (stream->host->suspend(stream->exchange))
		parked = stream->waiting = true;
	else
		stream->ended = true;
	pthread_mutex_unlock(&stream->lock);
	return parked;
}

static void run_slow(void *arg)
{
	struct stream *stream = arg;
	enum stream_next next =
	    stream->ops->slow(stream->ctx, &stream->pending);
	stream->ended = next == STREAM_END || next == STREAM_FAIL;
	stream->failed = next == STREAM_FAIL;
	stream->host->resume(stream->exchange);
}

void stream_trailer(struct stream *stream, const char *name, const char *value)
{
	if (stream->trailer_count == STREAM_TRAILERS)
		BUG("too many trailers: %s", name);
	stream->trailers[stream->trailer_count].name = name;
	snprintf(stream->trailers[stream->trailer_count++].value,
	    sizeof(stream->trailers[0].value), "%s", value);
}

/* The library sends a response's footers after its last chunk, so the reader
 * may add them until it returns the end. */
static ssize_t end_of_stream(struct stream *stream)
{
	for (size_t i = 0; i < stream->trailer_count; i++)
		MHD_add_response_footer(stream->response,
		    stream->trailers[i].name, stream->trailers[i].value);
	return MHD_CONTENT_READER_END_OF_STREAM;
}

static ssize_t take_pending(struct stream *stream, char *to, size_t most)
{
	size_t left = stream->pending.len - stream->taken;
	size_t len = left < most ? left : most;
	memcpy(to, stream->pending.data + stream->taken, len);
	stream->taken += len;
	if (stream->taken == stream->pending.len) {
		buf_clear(&stream->pending);
		stream->taken = 0;
	}
	stream->host->count(stream->exchange, len);
	return (ssize_t)len;
}

static ssize_t read_stream(void *arg, uint64_t position, char *to, size_t most)
{
	struct stream *stream = arg;
	(void)position;
	stream->host->extend(stream->exchange);
	while (stream->pending.len == 0 && !stream->ended) {
		switch (stream->ops->next(stream->ctx, &stream->pending)) {
		case STREAM_DATA: break;
		case STREAM_WAIT:
			if (park(stream))
				return 0;
			break;
		case STREAM_SLOW:
			if (!stream->host->suspend(stream->exchange)) {
				stream->ended = true;
				break;
			}
			stream->job =
			    (struct worker_job){ run_slow, stream, NULL };
			stream->host->submit(stream->exchange, &stream->job);
			return 0;
		case STREAM_FAIL:
			stream->failed = true;
			__attribute__((fallthrough));
		case STREAM_END: stream->ended = true; break;
		}
	}
	if (stream->pending.len == 0)
		return stream->failed ? MHD_CONTENT_READER_END_WITH_ERROR
				      : end_of_stream(stream);
	return take_pending(stream, to, most);
}

static void free_stream(void *arg)
{
	stream_free(arg);
}

struct MHD_Response *stream_respond(struct stream *stream,
    const struct stream_host *host, struct exchange *exchange)
{
	stream->host = host;
	stream->exchange = exchange;
	struct MHD_Response *response = MHD_create_response_from_callback(
	    MHD_SIZE_UNKNOWN, BLOCK, read_stream, stream, free_stream);
	if (response)
		stream->response = response;
	else
		stream_free(stream);
	return response;
}
