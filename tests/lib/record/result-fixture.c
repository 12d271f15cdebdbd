/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/record/result-fixture.h"

static uint8_t address[] = { 192, 0, 2, 1 };
static uint8_t network[] = { 192, 0, 2, 0, 24 };

static const struct {
	const char *name;
	column_type type;
} columns[FIXTURE_COLUMNS] = {
	{ "n", SONDE__COLUMN_TYPE__COLUMN_INTEGER },
	{ "x", SONDE__COLUMN_TYPE__COLUMN_NUMBER },
	{ "x_low", SONDE__COLUMN_TYPE__COLUMN_NUMBER },
	{ "x_high", SONDE__COLUMN_TYPE__COLUMN_NUMBER },
	{ "p", SONDE__COLUMN_TYPE__COLUMN_NUMBER },
	{ "b", SONDE__COLUMN_TYPE__COLUMN_BOOLEAN },
	{ "t", SONDE__COLUMN_TYPE__COLUMN_TEXT },
	{ "a", SONDE__COLUMN_TYPE__COLUMN_ADDRESS },
	{ "net", SONDE__COLUMN_TYPE__COLUMN_PREFIX },
	{ "o", SONDE__COLUMN_TYPE__COLUMN_OCTETS },
	{ "at_ns", SONDE__COLUMN_TYPE__COLUMN_TIME },
	{ "d_ns", SONDE__COLUMN_TYPE__COLUMN_DURATION },
	{ "r", SONDE__COLUMN_TYPE__COLUMN_RATE },
	{ "l", SONDE__COLUMN_TYPE__COLUMN_LIST },
};

static void init_schema(struct result_fixture *f)
{
	for (size_t i = 0; i < FIXTURE_COLUMNS; i++) {
		sonde__result_column__init(&f->columns[i]);
		f->columns[i].name = (char *)columns[i].name;
		f->columns[i].type = columns[i].type;
		f->column_list[i] = &f->columns[i];
	}
	f->columns[0].key = true;
	f->columns[1].unit = (char *)"share";
	f->columns[1].help = (char *)"a share";
	f->columns[1].low = (char *)"x_low";
	f->columns[1].high = (char *)"x_high";
	f->columns[1].probability = (char *)"p";
	f->columns[12].unit = (char *)"probes";
	f->columns[13].element = SONDE__COLUMN_TYPE__COLUMN_ADDRESS;
	f->columns[FIXTURE_COLUMNS] = f->columns[0];
	f->column_list[FIXTURE_COLUMNS] = &f->columns[FIXTURE_COLUMNS];
	for (size_t i = 0; i < 2; i++) {
		sonde__result_table__init(&f->tables[i]);
		f->table_list[i] = &f->tables[i];
	}
	f->tables[0].name = (char *)"first";
	f->tables[0].help = (char *)"all types";
	f->tables[0].n_columns = FIXTURE_COLUMNS;
	f->tables[0].columns = f->column_list;
	f->tables[1].name = (char *)"second";
	f->tables[1].n_columns = 1;
	f->tables[1].columns = &f->column_list[FIXTURE_COLUMNS];
	sonde__result_schema__init(&f->schema);
	f->schema.script = (char *)"my-script";
	f->schema.n_tables = 2;
	f->schema.tables = f->table_list;
}

static void init_values(Sonde__Value *v)
{
	v[0].value_case = SONDE__VALUE__VALUE_INTEGER;
	v[0].integer = -7;
	for (size_t i = 1; i < 5; i++)
		v[i].value_case = SONDE__VALUE__VALUE_NUMBER;
	v[1].number = 0.25;
	v[2].number = 0.125;
	v[3].number = 0.5;
	v[4].number = 0.95;
	v[5].value_case = SONDE__VALUE__VALUE_BOOLEAN;
	v[5].boolean = true;
	v[6].value_case = SONDE__VALUE__VALUE_TEXT;
	v[6].text = (char *)"=1,\"2\"";
	v[7].value_case = SONDE__VALUE__VALUE_ADDRESS;
	v[7].address = (ProtobufCBinaryData){ sizeof(address), address };
	v[8].value_case = SONDE__VALUE__VALUE_PREFIX;
	v[8].prefix = (ProtobufCBinaryData){ sizeof(network), network };
	v[9].value_case = SONDE__VALUE__VALUE_OCTETS;
	v[9].octets = (ProtobufCBinaryData){ sizeof(network), network };
	v[10].value_case = SONDE__VALUE__VALUE_TIME_NS;
	v[10].time_ns = INT64_C(1795305600123456789);
	v[11].value_case = SONDE__VALUE__VALUE_DURATION_NS;
	v[11].duration_ns = 1500000;
	v[12].value_case = SONDE__VALUE__VALUE_RATE;
	v[12].rate = 12.5;
	v[13] = v[14] = v[7];
}

void result_fixture_init(struct result_fixture *f)
{
	init_schema(f);
	for (size_t i = 0; i < FIXTURE_COLUMNS + 3; i++) {
		sonde__value__init(&f->values[i]);
		f->value_lists[i] = &f->values[i];
	}
	init_values(f->values);
	for (size_t i = 0; i < FIXTURE_COLUMNS; i++) {
		sonde__cell__init(&f->cells[i]);
		f->cells[i].n_values = 1;
		f->cells[i].values = &f->value_lists[i];
		f->cell_list[i] = &f->cells[i];
	}
	f->cells[13].n_values = 2; /* the list */
	sonde__result__init(&f->row);
	f->row.n_row = FIXTURE_COLUMNS;
	f->row.row = f->cell_list;
}

struct result_schema *result_fixture_schema(const struct result_fixture *f)
{
	struct result_schema *schema;
	struct errmsg msg = { "" };
	if (result_schema_new(&schema, &f->schema, &msg) < 0) {
		fprintf(stderr, "result-fixture: %s\n", msg.text);
		abort();
	}
	return schema;
}
