/* SPDX-License-Identifier: ISC */
/* The format writes to a stdio stream whose bytes land in a buffer; a page
 * ends when the buffer is full enough, and its cursor is where the next one
 * begins.  Nothing is held open in the store between pages; what was read
 * ahead of a page is a copy. */

#include "web/api/download.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "collector/query/query-params.h"
#include "lib/base/xalloc.h"
#include "lib/formats/format.h"
#include "web/api/answers.h"
#include "web/api/api-private.h"
#include "web/http/problem.h"
#include "web/http/stream.h"

enum { PAGE_BYTES = 256 * 1024 };

const struct param download_param_format = { "format", PARAM_WORD,
	.help = "a file of this format; of the format's usual kinds unless "
		"`kind` names others",
	.words = format_names, .example = "csv" };

struct download {
	struct collector *collector;
	const struct principal *principal; /* lives as long as the server */
	const struct format_ops *ops;
	void *format; /* the format's context; NULL: closed */
	FILE *to;
	struct buf out;                /* what was written and not sent */
	struct request_params params;  /* a copy: the request's end with it */
	char cursor[QUERY_CURSOR_LEN]; /* of the next page; "": none */
	struct query_ahead ahead;
	bool one_page, ended;
	int err; /* of the format */
	struct errmsg why;
	uint64_t skipped;
	struct stream *stream;
};

static ssize_t write_out(void *arg, const char *data, size_t len)
{
	struct download *d = arg;
	buf_bytes(&d->out, data, len);
	return (ssize_t)len;
}

static void download_free(void *ctx)
{
	struct download *d = ctx;
	if (d->format)
		d->ops->close(d->format, NULL);
	if (d->to)
		fclose(d->to);
	buf_fini(&d->out);
	params_fini(&d->params);
	query_ahead_fini(&d->ahead);
	free(d);
}

static const char *download_arg(void *ctx, const char *name)
{
	const struct download *d = ctx;
	const char *given = params_get(&d->params, name);
	bool is_given = given && *given;
	if (strcmp(name, "cursor") == 0 && d->cursor[0])
		return d->cursor;
	if (strcmp(name, "limit") == 0 && !is_given)
		return "500"; /* of a page; its bytes end it earlier */
	if (strcmp(name, "kind") == 0 && !is_given)
		return d->ops->kinds;
	return given;
}

static bool take_record(void *ctx, const Sonde__Record *record)
{
	struct download *d = ctx;
	struct errmsg msg = { "" };
	int err = d->ops->item(d->format, record, &msg);
	if (ferror(d->to)) {
		d->err = err < 0 ? err : -EIO;
		d->why = msg;
		return false;
	}
	/* A record that is not what it says has no form either. */
	d->skipped += err != 0;
	fflush(d->to);
	return d->out.len < PAGE_BYTES || d->one_page;
}

static bool take_schema(void *ctx, const Sonde__Record *record)
{
	struct download *d = ctx;
	d->ops->item(d->format, record, NULL);
	return !ferror(d->to);
}

/* Rows of scripts' tables are read by schemas that came long before them. */
static void give_schemas(struct download *d)
{
	const char *kinds = download_arg(d, "kind");
	if (d->ops->select && (!kinds || strstr(kinds, "result")))
		query_each_schema(d->collector, take_schema, d);
}

static int close_format(struct download *d, struct errmsg *msg)
{
	char count[24];
	int err = d->ops->close(d->format, msg);
	d->format = NULL;
	fflush(d->to);
	d->ended = true;
	snprintf(count, sizeof(count), "%" PRIu64, d->skipped);
	stream_trailer(d->stream, "Sonde-Skipped", count);
	if (d->one_page && d->cursor[0])
		stream_trailer(d->stream, "Sonde-Next", d->cursor);
	return err;
}

static int fetch_page(struct download *d, struct errmsg *msg)
{
	char next[QUERY_CURSOR_LEN];
	const struct query_args args = { download_arg, d };
	const struct query_context context = { .collector = d->collector,
		.principal = d->principal,
		.args = &args };
	int err = query_each_record(&context, take_record, d,
	    d->one_page ? NULL : &d->ahead, next, msg);
	if (err < 0)
		return err;
	if (d->err < 0) {
		*msg = d->why;
		return d->err;
	}
	memcpy(d->cursor, next, sizeof(next));
	return d->cursor[0] && !d->one_page ? 0 : close_format(d, msg);
}

static enum stream_next next_bytes(void *ctx, struct buf *to)
{
	struct download *d = ctx;
	if (d->out.len == 0)
		return d->ended ? STREAM_END : STREAM_SLOW;
	buf_bytes(to, d->out.data, d->out.len);
	buf_clear(&d->out);
	return STREAM_DATA;
}

/* The page's bytes are taken by next_bytes, so `to` stays as it is. */
static enum stream_next read_page(void *ctx, struct buf *to)
{
	struct errmsg msg = { "" };
	(void)to;
	return fetch_page(ctx, &msg) < 0 ? STREAM_FAIL : STREAM_DATA;
}

static const struct stream_ops download_ops = { next_bytes, read_page,
	download_free };

static bool has_word(const char *words, const char *word, size_t len)
{
	while (*words) {
		size_t n = strcspn(words, ",");
		if (n == len && memcmp(words, word, n) == 0)
			return true;
		words += n + (words[n] == ',');
	}
	return false;
}

/* Whether the format can hold one of the kinds that are asked for. */
static bool can_hold(const struct format_ops *ops, const char *kinds)
{
	if (!ops->holds || !kinds || !*kinds)
		return true;
	while (*kinds) {
		size_t len = strcspn(kinds, ",");
		if (has_word(ops->holds, kinds, len))
			return true;
		kinds += len + (kinds[len] == ',');
	}
	return false;
}

static struct download *download_new(
    const struct request *request, const struct format_ops *ops)
{
	static const cookie_io_functions_t hooks = { .write = write_out };
	struct download *d = xcalloc(1, sizeof(*d));
	const char *limit = params_get(&request->params, "limit");
	d->collector = request_api(request)->collector;
	d->principal = request->caller.principal;
	d->ops = ops;
	d->one_page = limit && *limit;
	for (size_t i = 0; i < request->params.count; i++) {
		d->params.names[i] = xstrdup(request->params.names[i]);
		d->params.values[i] = xstrdup(request->params.values[i]);
		d->params.count++;
	}
	d->to = fopencookie(d, "w", hooks);
	d->stream = stream_new(&download_ops, d);
	return d;
}

/* "sonde-records-20261122.csv", by the day of the download. */
static char *disposition_of(const struct format_ops *ops)
{
	char day[WALLTIME_TEXT_LEN];
	walltime_text(walltime_now(), day);
	return xasprintf(
	    "attachment; filename=\"sonde-records-%.4s%.2s%.2s.%s\"", day,
	    day + 5, day + 8, ops->extension);
}

static void answer_download(
    struct request *request, const struct format_ops *ops)
{
	struct download *d = download_new(request, ops);
	struct errmsg msg = { "" };
	int err = d->to ? ops->open(&d->format, d->to, 0, &msg)
			: err_set(&msg, -ENOMEM, "%s", err_str(-ENOMEM));
	if (err < 0)
		goto failed;
	give_schemas(d);
	err = fetch_page(d, &msg);
	if (err < 0)
		goto failed;
	request->response.status = 200;
	request->response.content_type = ops->media_type;
	request->response.disposition = disposition_of(ops);
	request->response.trailer = "Sonde-Skipped, Sonde-Next";
	request->response.stream = d->stream;
	return;
failed:
	answer_error(request, err, &msg);
	stream_free(d->stream);
}

void download_records(struct request *request)
{
	const struct format_ops *ops =
	    format_find(params_get(&request->params, "format"));
	const char *kinds = params_get(&request->params, "kind");
	if (!can_hold(ops, kinds))
		problem_answer(request, PROBLEM_BAD_PARAMETER,
		    "parameter 'kind': format %s holds %s, got '%s'", ops->name,
		    ops->holds, kinds);
	else
		answer_download(request, ops);
	request_done(request);
}
