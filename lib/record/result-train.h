/* SPDX-License-Identifier: ISC */
/*
 * Trains, which scripts without tables record (and all scripts of older agents
 * did), as rows of a table: their fields are its columns, found in the records
 * themselves, because no schema came with them.
 */
#pragma once

#include "lib/record/result.h"

#define RESULT_TRAIN_TABLE "fields"

struct train_columns { /* zero: none */
	struct {
		char name[RESULT_NAME_MAX + 1];
		column_type type;
	} columns[RESULT_COLUMNS_MAX];
	size_t count;
};
/* The fields that are not there yet; what has no name that a column can have
 * (after '-' became '_'), or no place any more, is left out. */
void train_columns_add(
    struct train_columns *columns, const Sonde__Train *train);
/* ERR_MALFORMED: the script has no name that a schema can have, or no field
 * was found.  Free with result_schema_free. */
int train_columns_schema(const struct train_columns *columns,
    const char *script, struct result_schema **schema, struct errmsg *msg);

struct train_row {
	Sonde__Result result; /* borrows the train's values */
	Sonde__Cell cells[RESULT_COLUMNS_MAX], *cell_list[RESULT_COLUMNS_MAX];
	Sonde__Value values[RESULT_COLUMNS_MAX],
	    *value_list[RESULT_COLUMNS_MAX];
};
/* By the table of a schema that train_columns_schema made; a field of another
 * type than its column is absent. */
void train_row_fill(const struct result_schema *schema,
    const Sonde__Train *train, struct train_row *row);
