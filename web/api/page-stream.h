/* SPDX-License-Identifier: ISC */
/* A list of the API as one long text, fetched page after page while the client
 * reads: lines of JSON, rows of CSV. */
#pragma once

#include <jansson.h>

#include "collector/query/query.h"
#include "lib/base/buf.h"
#include "web/http/request.h"

struct page_format {
	query_fn *query; /* answers with items and next */
	const char *content_type;
	/* Appends a page; first: nothing was before it. */
	void (*print)(const json_t *page, bool first, struct buf *to);
};
/* Answers and ends the request.  With `limit` one page. */
void answer_pages(struct request *request, const struct page_format *format);
