/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/vec.h"
#include "lib/base/xalloc.h"
#include "lib/record/result-row.h"
#include "lib/record/result-view.h"

static void map_part(const struct result_view *view,
    struct result_view_part *part, const struct result_schema *schema, int at)
{
	const struct result_table *table = &schema->tables[at];
	*part = (struct result_view_part){ .schema = schema,
		.table = (uint32_t)at };
	for (size_t i = 0; i < view->table->column_count; i++) {
		const struct result_column *want = &view->table->columns[i];
		int found = result_column_find(table, want->name);
		if (found >= 0 &&
		    (table->columns[found].type != want->type ||
			table->columns[found].element != want->element))
			found = -1;
		part->from[i] = found;
	}
}

static int list_tables(
    const struct result_schema *schema, const char *table, struct errmsg *msg)
{
	struct buf names = { 0 };
	for (size_t i = 0; i < schema->table_count; i++)
		buf_printf(
		    &names, "%s%s", i ? ", " : "", schema->tables[i].name);
	int err = err_set(msg, ERR_NOT_FOUND,
	    "table: expected one of %.*s, got '%.40s'",
	    (int)(names.len < 150 ? names.len : 150), (const char *)names.data,
	    table);
	buf_fini(&names);
	return err;
}

int result_view_open(struct result_view *view,
    const struct result_schema *const *schemas, size_t count,
    const char *script, const char *table, struct errmsg *msg)
{
	*view = (struct result_view){ .parts = NULL };
	const struct result_schema *any = NULL;
	for (size_t i = 0; i < count; i++) {
		if (strcmp(schemas[i]->script, script) != 0)
			continue;
		if (!any)
			any = schemas[i];
		int at = result_table_find(schemas[i], table);
		if (at < 0)
			continue;
		if (!view->newest) {
			view->newest = schemas[i];
			view->table = &schemas[i]->tables[at];
		}
		VEC_ROOM(view->parts, view->part_count);
		map_part(
		    view, &view->parts[view->part_count++], schemas[i], at);
	}
	if (view->newest)
		return 0;
	if (any)
		return list_tables(any, table, msg);
	return err_set(msg, ERR_NOT_FOUND,
	    "script: no tables of a script '%.64s' are known", script);
}

void result_view_fini(struct result_view *view)
{
	free(view->parts);
	*view = (struct result_view){ .parts = NULL };
}

bool result_view_take(const struct result_view *view, const Sonde__Result *row,
    struct result_view_row *to)
{
	static Sonde__Cell absent = SONDE__CELL__INIT;
	const struct result_view_part *part = NULL;
	for (size_t i = 0; i < view->part_count && !part; i++)
		if (row->table == view->parts[i].table &&
		    row->hash.len == RESULT_HASH_LEN &&
		    memcmp(row->hash.data, view->parts[i].schema->hash,
			RESULT_HASH_LEN) == 0)
			part = &view->parts[i];
	if (!part || result_check(part->schema, row, NULL) < 0)
		return false;
	to->result = *row;
	to->result.table = view->parts[0].table;
	to->result.n_row = view->table->column_count;
	to->result.row = to->cells;
	for (size_t i = 0; i < view->table->column_count; i++)
		to->cells[i] =
		    part->from[i] < 0 ? &absent : row->row[part->from[i]];
	return true;
}
