/* SPDX-License-Identifier: ISC */
/*
 * A list that comes in pages.  Each page is asked for with one row more than
 * it shows: that row says that there are others, and the cursor names the
 * last one shown.
 */
#pragma once

#include "collector/query/query-args.h"

struct query_list {
	struct query query;
	struct store_plan filter; /* cursor and limit are set */
	json_t *items;
	uint32_t limit;
	size_t bytes;              /* of records, packed */
	int64_t last_ns, last_row; /* shown; at first the cursor's */
	bool more;
	char *next; /* instead of both; owned, NULL: by them */
};

/* Begins the query, reads limit and cursor.  On success query_list_end must
 * follow. */
int query_list_begin(struct query_list *list,
    const struct query_context *context, struct errmsg *msg);
/* The same for a list whose cursor the caller reads, and sets as `next`. */
int query_list_begin_page(struct query_list *list,
    const struct query_context *context, struct errmsg *msg);
/* When the page is full: ends the reading (returns true). */
bool query_list_is_full(struct query_list *list);
/* Consumes item; ns and row are where the next page goes on. */
void query_list_add(
    struct query_list *list, json_t *item, int64_t ns, int64_t row);
/* err: how it went; above 0 is no failure. */
int query_list_end(struct query_list *list, int err, json_t **answer);
