/* SPDX-License-Identifier: ISC */
/* /api/v1/results/rows: a page of JSON, or (format=csv) all of a table. */

#include <string.h>

#include "web/api/answers.h"
#include "web/api/handlers.h"
#include "web/api/page-stream.h"

static void append_text(struct buf *to, const json_t *text)
{
	if (json_is_string(text))
		buf_bytes(
		    to, json_string_value(text), json_string_length(text));
}

/* The query has the lines ready. */
static void print_csv(const json_t *page, bool first, struct buf *to)
{
	const json_t *lines = json_object_get(page, "items");
	if (first)
		append_text(to, json_object_get(page, "titles"));
	for (size_t i = 0; i < json_array_size(lines); i++)
		append_text(to, json_array_get(lines, i));
}

static const struct page_format row_csv = {
	.query = query_result_rows,
	.content_type = "text/csv; charset=utf-8; header=present",
	.print = print_csv,
};

void handle_result_rows(struct request *request)
{
	const char *format = request_arg(request, "format");
	if (format && strcmp(format, "csv") == 0)
		answer_pages(request, &row_csv);
	else
		answer_query(request, query_result_rows);
}
