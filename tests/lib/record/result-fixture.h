/* SPDX-License-Identifier: ISC */
/* A schema of two tables with every type, and a row of each, to be changed. */
#pragma once

#include "lib/record/result.h"

#define FIXTURE_COLUMNS 14 /* of the first table */

struct result_fixture {
	Sonde__ResultColumn columns[FIXTURE_COLUMNS + 1];
	Sonde__ResultColumn *column_list[FIXTURE_COLUMNS + 1];
	Sonde__ResultTable tables[2], *table_list[2];
	Sonde__ResultSchema schema;
	Sonde__Value values[FIXTURE_COLUMNS + 3];
	Sonde__Value *value_lists[FIXTURE_COLUMNS + 3];
	Sonde__Cell cells[FIXTURE_COLUMNS], *cell_list[FIXTURE_COLUMNS];
	Sonde__Result row; /* of the first table; its hash is not filled in */
};
void result_fixture_init(struct result_fixture *f);
/* Its schema, checked, to be freed; aborts where that is refused. */
struct result_schema *result_fixture_schema(const struct result_fixture *f);
