/* SPDX-License-Identifier: ISC */
/* /api/v1/records: a page of JSON, a file of some format (download.c), or
 * (Accept: application/x-ndjson) all of it as lines. */

#include "web/api/answers.h"
#include "web/api/download.h"
#include "web/api/handlers.h"
#include "web/api/page-stream.h"

static int append_json(const char *text, size_t len, void *to)
{
	buf_bytes(to, text, len);
	return 0;
}

static void print_lines(const json_t *page, bool first, struct buf *to)
{
	size_t i;
	json_t *item;
	(void)first;
	json_array_foreach(json_object_get(page, "items"), i, item)
	{
		json_dump_callback(item, append_json, to, JSON_COMPACT);
		buf_u8(to, '\n');
	}
}

static const struct page_format record_lines = {
	.query = query_records,
	.content_type = "application/x-ndjson",
	.print = print_lines,
};

void handle_records(struct request *request)
{
	const char *format = params_get(&request->params, "format");
	if (format && *format)
		download_records(request);
	else if (request_accepts(request, record_lines.content_type))
		answer_pages(request, &record_lines);
	else
		answer_query(request, query_records);
}
