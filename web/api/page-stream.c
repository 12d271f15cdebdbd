/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <string.h>

#include "lib/base/xalloc.h"
#include "web/api/answers.h"
#include "web/api/api-private.h"
#include "web/api/page-stream.h"
#include "web/http/stream.h"

struct page_stream {
	const struct page_format *format;
	struct collector *collector;
	const struct principal *principal; /* lives as long as the server */
	struct request_params params; /* a copy: the request's end with it */
	char *cursor;                 /* of the next page; NULL: none */
	bool one_page;                /* the client set the limit itself */
	bool begun;                   /* a page was printed */
	struct buf first;             /* what the first page gave */
};

static void page_stream_free(void *ctx)
{
	struct page_stream *stream = ctx;
	params_fini(&stream->params);
	buf_fini(&stream->first);
	free(stream->cursor);
	free(stream);
}

static const char *page_stream_arg(void *ctx, const char *name)
{
	const struct page_stream *stream = ctx;
	const char *given = params_get(&stream->params, name);
	if (strcmp(name, "cursor") == 0 && stream->cursor)
		return stream->cursor;
	if (strcmp(name, "limit") == 0 && !given)
		return "500";
	return given;
}

static int fetch_page(
    struct page_stream *stream, struct buf *to, struct errmsg *msg)
{
	const struct query_args args = { page_stream_arg, stream };
	json_t *page = NULL;
	const struct query_context context = { stream->collector,
		stream->principal, &args, NULL, NULL };
	int err = query_run(stream->format->query, &context, &page, msg);
	if (err != 0)
		return err;
	stream->format->print(page, !stream->begun, to);
	stream->begun = true;
	const char *next = json_string_value(json_object_get(page, "next"));
	free(stream->cursor);
	stream->cursor = next && !stream->one_page ? xstrdup(next) : NULL;
	json_decref(page);
	return 0;
}

static enum stream_next next_text(void *ctx, struct buf *to)
{
	struct page_stream *stream = ctx;
	if (stream->first.len == 0)
		return stream->cursor ? STREAM_SLOW : STREAM_END;
	buf_bytes(to, stream->first.data, stream->first.len);
	buf_fini(&stream->first);
	return STREAM_DATA;
}

static enum stream_next read_page(void *ctx, struct buf *to)
{
	struct page_stream *stream = ctx;
	struct errmsg msg;
	size_t before = to->len;
	int err;
	do /* a page may have nothing in it, and another after it */
		err = fetch_page(stream, to, &msg);
	while (err == 0 && to->len == before && stream->cursor);
	return err == 0 ? STREAM_DATA : STREAM_FAIL;
}

static const struct stream_ops page_stream_ops = { next_text, read_page,
	page_stream_free };

void answer_pages(struct request *request, const struct page_format *format)
{
	struct page_stream *stream = xcalloc(1, sizeof(*stream));
	stream->format = format;
	stream->collector = request_api(request)->collector;
	stream->principal = request->caller.principal;
	stream->one_page = params_get(&request->params, "limit") != NULL;
	for (size_t i = 0; i < request->params.count; i++) {
		stream->params.names[i] = xstrdup(request->params.names[i]);
		stream->params.values[i] = xstrdup(request->params.values[i]);
		stream->params.count++;
	}
	struct errmsg msg = { 0 };
	int err = fetch_page(stream, &stream->first, &msg);
	if (err != 0) {
		answer_error(request, err, &msg);
		page_stream_free(stream);
		request_done(request);
		return;
	}
	request->response.status = 200;
	request->response.content_type = format->content_type;
	request->response.stream = stream_new(&page_stream_ops, stream);
	request_done(request);
}
