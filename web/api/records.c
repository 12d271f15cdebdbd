/* SPDX-License-Identifier: ISC */
/* /api/v1/records: a page of JSON, or (Accept: application/x-ndjson) all of
 * it as lines, fetched page after page while the client reads. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/xalloc.h"
#include "web/api/answers.h"
#include "web/api/api-private.h"
#include "web/api/handlers.h"
#include "web/http/stream.h"

struct lines {
	struct collector *collector;
	const struct principal *principal; /* lives as long as the server */
	struct request_params params; /* a copy: the request's end with it */
	char *cursor;                 /* of the next page; NULL: none */
	bool one_page;                /* the client set the limit itself */
	struct buf first;             /* what the first page gave */
};

static void lines_free(void *ctx)
{
	struct lines *lines = ctx;
	params_fini(&lines->params);
	buf_fini(&lines->first);
	free(lines->cursor);
	free(lines);
}

static const char *lines_arg(void *ctx, const char *name)
{
	const struct lines *lines = ctx;
	const char *given = params_get(&lines->params, name);
	if (strcmp(name, "cursor") == 0 && lines->cursor)
		return lines->cursor;
	if (strcmp(name, "limit") == 0 && !given)
		return "1000";
	return given;
}

static int append_json(const char *text, size_t len, void *to)
{
	buf_bytes(to, text, len);
	return 0;
}

static int fetch_page(struct lines *lines, struct buf *to, struct errmsg *msg)
{
	const struct query_args args = { lines_arg, lines };
	json_t *page = NULL;
	const struct query_context context = { lines->collector,
		lines->principal, &args, NULL, NULL };
	int err = query_run(query_records, &context, &page, msg);
	if (err != 0)
		return err;
	size_t i;
	json_t *item;
	json_array_foreach(json_object_get(page, "items"), i, item)
	{
		json_dump_callback(item, append_json, to, JSON_COMPACT);
		buf_u8(to, '\n');
	}
	const char *next = json_string_value(json_object_get(page, "next"));
	free(lines->cursor);
	lines->cursor = next && !lines->one_page ? xstrdup(next) : NULL;
	json_decref(page);
	return 0;
}

static enum stream_next next_lines(void *ctx, struct buf *to)
{
	struct lines *lines = ctx;
	if (lines->first.len == 0)
		return lines->cursor ? STREAM_SLOW : STREAM_END;
	buf_bytes(to, lines->first.data, lines->first.len);
	buf_fini(&lines->first);
	return STREAM_DATA;
}

static enum stream_next read_page(void *ctx, struct buf *to)
{
	struct errmsg msg;
	return fetch_page(ctx, to, &msg) == 0 ? STREAM_DATA : STREAM_FAIL;
}

static const struct stream_ops lines_ops = { next_lines, read_page,
	lines_free };

static void answer_lines(struct request *request)
{
	struct lines *lines = xcalloc(1, sizeof(*lines));
	lines->collector = request_api(request)->collector;
	lines->principal = request->caller.principal;
	lines->one_page = params_get(&request->params, "limit") != NULL;
	for (size_t i = 0; i < request->params.count; i++) {
		lines->params.names[i] = xstrdup(request->params.names[i]);
		lines->params.values[i] = xstrdup(request->params.values[i]);
		lines->params.count++;
	}
	struct errmsg msg = { 0 };
	int err = fetch_page(lines, &lines->first, &msg);
	if (err != 0) {
		answer_error(request, err, &msg);
		lines_free(lines);
		return;
	}
	request->response.status = 200;
	request->response.content_type = "application/x-ndjson";
	request->response.stream = stream_new(&lines_ops, lines);
}

void handle_records(struct request *request)
{
	if (!request_accepts(request, "application/x-ndjson")) {
		answer_query(request, query_records);
		return;
	}
	answer_lines(request);
	request_done(request);
}
