/* SPDX-License-Identifier: ISC */
/*
 * One table of a script over all versions of its schema that are known.  The
 * columns are those of the newest version; a row of an older one is read by
 * the columns that it has in common, by name and type, and is absent in the
 * others.
 */
#pragma once

#include "lib/record/result.h"

struct result_view_part {
	const struct result_schema *schema;
	uint32_t table;
	/* The part's column for each of the view's; -1: none. */
	int from[RESULT_COLUMNS_MAX];
};
struct result_view {
	const struct result_schema *newest;
	const struct result_table *table; /* its */
	struct result_view_part *parts;   /* owned */
	size_t part_count;
};
/* schemas: newest first, and longer-lived than the view.  ERR_NOT_FOUND: no
 * schema of this script, or none with this table; msg says which there are. */
int result_view_open(struct result_view *view,
    const struct result_schema *const *schemas, size_t count,
    const char *script, const char *table, struct errmsg *msg);
void result_view_fini(struct result_view *view);

/* A row as the view's columns have it: *to borrows the cells of `row`, which
 * must outlive it.  False: the row is of another table, or of a schema that it
 * does not fit. */
struct result_view_row {
	Sonde__Result result;
	Sonde__Cell *cells[RESULT_COLUMNS_MAX];
};
bool result_view_take(const struct result_view *view, const Sonde__Result *row,
    struct result_view_row *to);
