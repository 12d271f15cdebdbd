/* SPDX-License-Identifier: ISC */
/* Schemas of results: what is named by a hash is what it says, and what lies is
 * refused in words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <jansson.h>

#include "lib/record/result-json.h"
#include "lib/record/result-row.h"
#include "lib/record/result-view.h"
#include "tests/lib/record/result-fixture.h"

static void a_schema_survives_the_way_as_a_record(void **state)
{
	struct result_fixture f;
	struct arena arena = { 0 };
	struct buf packed = { 0 };
	Sonde__Record record = SONDE__RECORD__INIT, *back;
	(void)state;
	result_fixture_init(&f);
	struct result_schema *schema = result_fixture_schema(&f), *again;
	record.body_case = SONDE__RECORD__BODY_RESULT_SCHEMA;
	record.result_schema = result_schema_message(schema, &arena);
	assert_int_equal(record_pack(&record, &packed, NULL), 0);
	assert_int_equal(
	    record_unpack(&back, packed.data, packed.len, NULL), 0);
	assert_int_equal(
	    result_schema_new(&again, back->result_schema, NULL), 0);
	assert_memory_equal(again->hash, schema->hash, RESULT_HASH_LEN);
	const struct result_table *first = &again->tables[0];
	assert_string_equal(again->script, "my-script");
	assert_int_equal(again->table_count, 2);
	assert_int_equal(first->column_count, FIXTURE_COLUMNS);
	assert_int_equal(first->columns[1].low, 2);
	assert_int_equal(first->columns[1].high, 3);
	assert_int_equal(first->columns[1].probability, 4);
	assert_true(first->columns[4].serves);
	assert_false(first->columns[1].serves);
	result_schema_free(again);
	record_free(back);

	json_t *json = result_schema_json(schema);
	json_t *object = json_pack(
	    "{s:s, s:o}", "kind", "result_schema", "result_schema", json);
	assert_int_equal(record_from_json(&back, object, NULL), 0);
	assert_int_equal(
	    result_schema_new(&again, back->result_schema, NULL), 0);
	assert_memory_equal(again->hash, schema->hash, RESULT_HASH_LEN);
	json_decref(object);
	record_free(back);
	result_schema_free(again);
	result_schema_free(schema);
	arena_fini(&arena);
	buf_fini(&packed);
}

/* A stored hash names this schema for ever: the form may never change. */
static void the_canonical_form_is_fixed(void **state)
{
	struct result_fixture f;
	char hex[2 * RESULT_HASH_LEN + 1];
	(void)state;
	result_fixture_init(&f);
	struct result_schema *schema = result_fixture_schema(&f);
	for (size_t i = 0; i < RESULT_HASH_LEN; i++)
		snprintf(hex + 2 * i, 3, "%02x", schema->hash[i]);
	assert_string_equal(hex, "c3712406aa7d894a6b07686d2a3aee55");
	result_schema_free(schema);
}

static void a_hash_names_all_that_a_schema_says(void **state)
{
	struct result_fixture f;
	uint8_t wrong[RESULT_HASH_LEN] = { 1 };
	struct result_schema *other;
	struct errmsg msg;
	(void)state;
	result_fixture_init(&f);
	struct result_schema *schema = result_fixture_schema(&f);
	char *const words[] = { (char *)"x", (char *)"y" };
	char **const texts[] = { &f.schema.script, &f.tables[0].name,
		&f.tables[1].help, &f.columns[6].name, &f.columns[6].help,
		&f.columns[12].unit };
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		char *before = *texts[i];
		*texts[i] = words[i % 2];
		if (i == 3)
			*texts[i] = (char *)"other";
		other = result_fixture_schema(&f);
		assert_memory_not_equal(
		    other->hash, schema->hash, RESULT_HASH_LEN);
		result_schema_free(other);
		*texts[i] = before;
	}
	f.columns[6].key = true;
	other = result_fixture_schema(&f);
	assert_memory_not_equal(other->hash, schema->hash, RESULT_HASH_LEN);
	result_schema_free(other);
	f.columns[6].key = false;
	f.schema.hash = (ProtobufCBinaryData){ sizeof(wrong), wrong };
	assert_int_equal(
	    result_schema_new(&other, &f.schema, &msg), ERR_MALFORMED);
	assert_string_equal(
	    msg.text, "result schema: hash: is not that of these tables");
	f.schema.hash.data = schema->hash;
	assert_int_equal(result_schema_new(&other, &f.schema, &msg), 0);
	result_schema_free(other);
	result_schema_free(schema);
}

/* Refused; msg has the words. */
static void refuse(const struct result_fixture *f, const char *words)
{
	struct result_schema *schema;
	struct errmsg msg = { "" };
	int err = result_schema_new(&schema, &f->schema, &msg);
	assert_true(err == ERR_MALFORMED || err == ERR_LIMIT);
	assert_null(schema);
	if (!strstr(msg.text, words))
		fail_msg("expected '%s', got '%s'", words, msg.text);
}

static void a_schema_that_lies_is_refused(void **state)
{
	struct result_fixture f;
	(void)state;
	result_fixture_init(&f);
	f.schema.script = (char *)"../x";
	refuse(&f, "script: expected the name of a file");
	result_fixture_init(&f);
	f.schema.n_tables = 0;
	refuse(&f, "tables: expected 1 to 16, got 0");
	result_fixture_init(&f);
	f.tables[1].name = f.tables[0].name;
	refuse(&f, "first is there twice");
	result_fixture_init(&f);
	f.tables[1].name = (char *)"; drop table";
	refuse(&f, "expected a name");
	result_fixture_init(&f);
	f.columns[7].name = f.columns[6].name;
	refuse(&f, "table first: columns: t is there twice");
	result_fixture_init(&f);
	f.columns[0].type = SONDE__COLUMN_TYPE__COLUMN_UNKNOWN;
	refuse(&f, "n: type: expected integer");
	result_fixture_init(&f);
	f.columns[13].element = SONDE__COLUMN_TYPE__COLUMN_LIST;
	refuse(&f, "l: of: a list of integer");
	result_fixture_init(&f);
	f.columns[13].key = true;
	refuse(&f, "l: key: a list is none");
	result_fixture_init(&f);
	f.columns[11].unit = (char *)"ms";
	refuse(&f, "d_ns: unit: a time or duration has none");
	result_fixture_init(&f);
	f.columns[6].help = (char *)"a\033[31m";
	refuse(&f, "t: help: has control characters");
	result_fixture_init(&f);
	f.columns[2].low = f.columns[2].high = (char *)"x";
	refuse(&f, "holds an interval and has one");
	result_fixture_init(&f);
	f.columns[1].low = (char *)"x";
	refuse(&f, "x: low: expected another column");
	result_fixture_init(&f);
	f.columns[1].probability = (char *)"n";
	refuse(&f, "x: probability: expected a column of type number");
}

static void a_row_becomes_typed_json(void **state)
{
	struct result_fixture f;
	Sonde__Record record = SONDE__RECORD__INIT;
	(void)state;
	result_fixture_init(&f);
	struct result_schema *schema = result_fixture_schema(&f);
	assert_int_equal(result_check(schema, &f.row, NULL), 0);
	f.cells[6].n_values = 0;
	record.wall_ns = 5;
	record.body_case = SONDE__RECORD__BODY_RESULT;
	record.result = &f.row;
	json_t *line = result_to_json(schema, &record);
	char *text = json_dumps(json_object_get(line, "row"), JSON_COMPACT);
	assert_string_equal(text,
	    "{\"n\":-7,\"x\":0.25,\"x_low\":0.125,\"x_high\":0.5,\"p\":0."
	    "94999999999999996,"
	    "\"b\":true,\"t\":null,\"a\":\"192.0.2.1\",\"net\":"
	    "\"192.0.2.0/24\",\"o\":\"c000020018\",\"at_ns\":"
	    "1795305600123456789,\"at\":\"2026-11-22T00:00:00.123456789Z\","
	    "\"d_ns\":1500000,\"r\":12.5,\"l\":[\"192.0.2.1\","
	    "\"192.0.2.1\"]}");
	assert_string_equal(
	    json_string_value(json_object_get(line, "table")), "first");
	free(text);
	json_decref(line);
	result_schema_free(schema);
}

static void a_raw_row_comes_back_from_json(void **state)
{
	struct result_fixture f;
	struct buf a = { 0 }, b = { 0 };
	Sonde__Record record = SONDE__RECORD__INIT, *back;
	(void)state;
	result_fixture_init(&f);
	f.values[0].integer = 0; /* a member of a oneof that is all zeros */
	record.body_case = SONDE__RECORD__BODY_RESULT;
	record.result = &f.row;
	assert_int_equal(record_pack(&record, &a, NULL), 0);
	json_t *json = record_to_json(&record);
	assert_int_equal(record_from_json(&back, json, NULL), 0);
	assert_int_equal(record_pack(back, &b, NULL), 0);
	assert_int_equal(a.len, b.len);
	assert_memory_equal(a.data, b.data, a.len);
	json_decref(json);
	record_free(back);
	buf_fini(&a);
	buf_fini(&b);
}

static void a_catalog_is_bounded(void **state)
{
	struct result_fixture f;
	struct result_catalog catalog = { NULL, 0 };
	struct errmsg msg;
	char name[16];
	(void)state;
	result_fixture_init(&f);
	f.schema.script = name;
	for (int i = 0; i < RESULT_SCHEMAS_MAX; i++) {
		snprintf(name, sizeof(name), "s%d", i);
		assert_int_equal(
		    result_catalog_add(&catalog, &f.schema, &msg), 0);
	}
	assert_int_equal(result_catalog_add(&catalog, &f.schema, &msg), 1);
	snprintf(name, sizeof(name), "more");
	assert_int_equal(
	    result_catalog_add(&catalog, &f.schema, &msg), ERR_LIMIT);
	assert_non_null(result_catalog_find(
	    &catalog, catalog.schemas[9]->hash, RESULT_HASH_LEN));
	assert_null(result_catalog_find(
	    &catalog, catalog.schemas[9]->hash, RESULT_HASH_LEN - 1));
	result_catalog_fini(&catalog);
}

/* The newest version's columns, over rows of all versions. */
static void a_view_reads_older_versions_by_what_they_share(void **state)
{
	struct result_fixture old, new;
	struct result_view view;
	struct result_view_row row;
	struct errmsg msg;
	(void)state;
	result_fixture_init(&old);
	result_fixture_init(&new);
	old.columns[6].name = (char *)"other"; /* t came later */
	old.columns[5].type = SONDE__COLUMN_TYPE__COLUMN_TEXT; /* b changed */
	new.tables[0].columns = &new.column_list[1];
	new.tables[0].n_columns = 11; /* n is gone, and l */
	struct result_schema *a = result_fixture_schema(&new),
			     *b = result_fixture_schema(&old);
	const struct result_schema *list[] = { a, b };
	assert_int_equal(
	    result_view_open(&view, list, 2, "my-script", "first", &msg), 0);
	assert_int_equal(view.part_count, 2);
	assert_ptr_equal(view.table, &a->tables[0]);
	old.values[5].value_case = SONDE__VALUE__VALUE_TEXT;
	old.values[5].text = (char *)"yes";
	old.row.hash = (ProtobufCBinaryData){ RESULT_HASH_LEN, b->hash };
	assert_true(result_view_take(&view, &old.row, &row));
	assert_int_equal(row.result.n_row, 11);
	assert_int_equal(result_check(a, &row.result, &msg), 0);
	json_t *json = result_row_json(view.table, &row.result);
	assert_true(json_is_null(json_object_get(json, "b")));
	assert_true(json_is_null(json_object_get(json, "t")));
	assert_string_equal(
	    json_string_value(json_object_get(json, "a")), "192.0.2.1");
	assert_null(json_object_get(json, "n"));
	json_decref(json);
	old.values[0].value_case = SONDE__VALUE__VALUE_TEXT; /* a lie */
	old.values[0].text = (char *)"x";
	assert_false(result_view_take(&view, &old.row, &row));
	result_view_fini(&view);
	assert_int_equal(
	    result_view_open(&view, list, 2, "my-script", "third", &msg),
	    ERR_NOT_FOUND);
	assert_string_equal(
	    msg.text, "table: expected one of first, second, got 'third'");
	assert_int_equal(
	    result_view_open(&view, list, 2, "yours", "first", &msg),
	    ERR_NOT_FOUND);
	result_schema_free(a);
	result_schema_free(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_schema_survives_the_way_as_a_record),
		cmocka_unit_test(the_canonical_form_is_fixed),
		cmocka_unit_test(a_hash_names_all_that_a_schema_says),
		cmocka_unit_test(a_schema_that_lies_is_refused),
		cmocka_unit_test(a_row_becomes_typed_json),
		cmocka_unit_test(a_raw_row_comes_back_from_json),
		cmocka_unit_test(a_catalog_is_bounded),
		cmocka_unit_test(
		    a_view_reads_older_versions_by_what_they_share),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
