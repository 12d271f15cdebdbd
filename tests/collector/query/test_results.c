/* SPDX-License-Identifier: ISC */
/* Rows of scripts' tables from a batch to the API's queries, and what lies on
 * the way. */
#include "tests/collector/fixture.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#include "collector/core/result-schemas.h"
#include "collector/core/stats.h"
#include "collector/core/private.h"
#include "collector/store/sqlite/records-table.h"
#include "collector/core/writer.h"
#include "collector/store/sqlite/result-tables.h"
#include "lib/base/xalloc.h"
#include "tests/lib/record/result-fixture.h"

static struct synth agent;
static struct result_fixture results;

static int setup(void **state)
{
	int err = fixture_setup(state);
	fixture_enrol(*state, &agent, "alpha", NULL);
	result_fixture_init(&results);
	return err;
}

static int teardown(void **state)
{
	synth_fini(&agent);
	return fixture_teardown(state);
}

static struct result_schema *make_schema(void)
{
	struct result_schema *schema;
	struct errmsg msg;
	if (result_schema_new(&schema, &results.schema, &msg) != 0)
		fail_msg("%s", msg.text);
	return schema;
}

static void add_schema(int64_t at_ns)
{
	struct result_schema *schema = make_schema();
	struct arena arena = { 0 };
	Sonde__Record record = SONDE__RECORD__INIT;
	record.wall_ns = at_ns;
	record.body_case = SONDE__RECORD__BODY_RESULT_SCHEMA;
	record.result_schema = result_schema_message(schema, &arena);
	synth_add(&agent, &record);
	arena_fini(&arena);
	result_schema_free(schema);
}

/* A row of the first table (all types) or the second (n alone). */
static void add_row(int64_t at_ns, unsigned table, int64_t n)
{
	struct result_schema *schema = make_schema();
	uint8_t campaign[16] = { 7 };
	Sonde__Record record = SONDE__RECORD__INIT;
	Sonde__Result row = results.row;
	row.hash = (ProtobufCBinaryData){ RESULT_HASH_LEN, schema->hash };
	row.table = table;
	if (table == 1)
		row.n_row = 1;
	results.values[0].integer = n;
	record.wall_ns = at_ns;
	record.campaign = (ProtobufCBinaryData){ sizeof(campaign), campaign };
	record.run = 3;
	record.body_case = SONDE__RECORD__BODY_RESULT;
	record.result = &row;
	synth_add(&agent, &record);
	result_schema_free(schema);
}

static json_t *items_of(json_t *answer)
{
	return json_object_get(answer, "items");
}

static json_t *row_at(json_t *answer, size_t i)
{
	return json_object_get(json_array_get(items_of(answer), i), "row");
}

static int64_t integer_of(json_t *object, const char *name)
{
	return json_integer_value(json_object_get(object, name));
}

static void a_script_is_shown_by_its_schema(void **state)
{
	struct fixture *f = *state;
	add_schema(f->now_ns - NS_PER_S);
	for (int i = 1; i <= 3; i++)
		add_row(f->now_ns - NS_PER_S, 0, i);
	add_row(f->now_ns - NS_PER_S, 1, 9);
	fixture_ship(f, &agent);

	json_t *schemas = fixture_query(f, query_results, "");
	json_t *schema = json_array_get(items_of(schemas), 0);
	assert_int_equal(json_array_size(items_of(schemas)), 1);
	assert_string_equal(
	    json_string_value(json_object_get(schema, "script")), "my-script");
	assert_int_equal(json_array_size(json_object_get(schema, "tables")), 2);
	json_decref(schemas);

	json_t *rows =
	    fixture_query(f, query_result_rows, "script=my-script&table=first");
	assert_int_equal(json_array_size(items_of(rows)), 3);
	json_t *row = row_at(rows, 0);
	assert_int_equal(integer_of(row, "n"), 3); /* newest first */
	assert_string_equal(
	    json_string_value(json_object_get(row, "a")), "192.0.2.1");
	assert_string_equal(json_string_value(json_object_get(row, "at")),
	    "2026-11-22T00:00:00.123456789Z");
	assert_true(json_is_true(json_object_get(row, "b")));
	assert_int_equal(json_array_size(json_object_get(row, "l")), 2);
	json_t *item = json_array_get(items_of(rows), 0);
	assert_int_equal(integer_of(item, "run"), 3);
	json_t *columns =
	    json_object_get(json_object_get(rows, "table"), "columns");
	assert_int_equal(json_array_size(columns), FIXTURE_COLUMNS);
	assert_string_equal(json_string_value(json_object_get(
				json_array_get(columns, 1), "low")),
	    "x_low");
	json_decref(rows);
	rows = fixture_query(
	    f, query_result_rows, "script=my-script&table=second");
	assert_int_equal(json_array_size(items_of(rows)), 1);
	assert_int_equal(integer_of(row_at(rows, 0), "n"), 9);
	json_decref(rows);
}

static size_t count_rows(struct fixture *f, const char *filter)
{
	char args[300];
	snprintf(args, sizeof(args), "script=my-script&table=first&%s", filter);
	json_t *rows = fixture_query(f, query_result_rows, args);
	size_t count = json_array_size(items_of(rows));
	json_decref(rows);
	return count;
}

static void every_filter_of_rows_finds_its_own(void **state)
{
	struct fixture *f = *state;
	add_schema(f->now_ns - NS_PER_S);
	for (int i = 1; i <= 3; i++)
		add_row(f->now_ns - i * 60 * NS_PER_S, 0, i);
	fixture_ship(f, &agent);
	assert_int_equal(count_rows(f, "key=n:2"), 1);
	assert_int_equal(count_rows(f, "key=n:4"), 0);
	assert_int_equal(count_rows(f, "from=-90s"), 1);
	assert_int_equal(count_rows(f, "agent=alpha"), 3);
	assert_int_equal(count_rows(f, "run=3"), 3);
	assert_int_equal(count_rows(f, "run=4"), 0);
	assert_int_equal(
	    count_rows(f, "campaign=07000000000000000000000000000000"), 3);
	assert_int_equal(
	    count_rows(f, "campaign=08000000000000000000000000000000"), 0);
	assert_int_equal(fixture_query_err(f, query_result_rows,
			     "script=my-script&table=first&key=x:1"),
	    ERR_USAGE); /* no key */
	assert_int_equal(fixture_query_err(f, query_result_rows,
			     "script=my-script&table=third"),
	    ERR_NOT_FOUND);
	assert_int_equal(fixture_query_err(f, query_result_rows, "script=mine"),
	    ERR_NOT_FOUND);
	assert_int_equal(
	    fixture_query_err(f, query_result_rows, ""), ERR_USAGE);
}

/* An address has many texts, and the store looks for the first of a row. */
static void an_address_key_is_found_by_any_text_of_it(void **state)
{
	struct fixture *f = *state;
	static uint8_t six[16] = { 0x20, 1, 0xd, 0xb8, [15] = 1 };
	for (size_t i = 5; i < 7; i++) /* no address before the key */
		results.columns[i].key = false;
	results.columns[7].key = true;
	results.values[7].address = (ProtobufCBinaryData){ sizeof(six), six };
	add_schema(f->now_ns - NS_PER_S);
	add_row(f->now_ns - NS_PER_S, 0, 1);
	fixture_ship(f, &agent);
	assert_int_equal(count_rows(f, "key=a:2001:db8::1"), 1);
	assert_int_equal(count_rows(f, "key=a:2001:DB8:0::1,n:1"), 1);
	assert_int_equal(count_rows(f, "key=a:2001:DB8:0::1,n:2"), 0);
	assert_int_equal(count_rows(f, "key=a:2001:db8::2"), 0);
	assert_int_equal(
	    fixture_sql(f,
		"SELECT count(*) FROM records WHERE kind = 'result'"
		" AND length(dst) = 16"),
	    1);
}

static void pages_of_rows_neither_skip_nor_repeat(void **state)
{
	struct fixture *f = *state;
	char args[200], cursor[64] = "";
	int64_t expected = 25;
	add_schema(f->now_ns - 100 * NS_PER_S);
	for (int i = 1; i <= 25; i++) {
		add_row(f->now_ns - (50 - i) * NS_PER_S, 0, i);
		add_row(f->now_ns - (50 - i) * NS_PER_S, 1, i);
	}
	fixture_ship(f, &agent);
	do {
		snprintf(args, sizeof(args),
		    "script=my-script&table=first&limit=7%s%s",
		    *cursor ? "&cursor=" : "", cursor);
		json_t *page = fixture_query(f, query_result_rows, args);
		for (size_t i = 0; i < json_array_size(items_of(page)); i++)
			assert_int_equal(
			    integer_of(row_at(page, i), "n"), expected--);
		const char *next =
		    json_string_value(json_object_get(page, "next"));
		snprintf(cursor, sizeof(cursor), "%s", next ? next : "");
		json_decref(page);
	} while (*cursor);
	assert_int_equal(expected, 0);
}

/* The first column of the first row as text; the caller frees. */
static char *ask_sql(sqlite3 *db, const char *sql)
{
	sqlite3_stmt *stmt;
	if (sqlite3_prepare_v2(db, sql, -1, &stmt, NULL) != SQLITE_OK)
		fail_msg("%s: %s", sql, sqlite3_errmsg(db));
	assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
	const unsigned char *text = sqlite3_column_text(stmt, 0);
	char *copy = xstrdup(text ? (const char *)text : "NULL");
	sqlite3_finalize(stmt);
	return copy;
}

static void expect_sql(sqlite3 *db, const char *sql, const char *want)
{
	char *got = ask_sql(db, sql);
	assert_string_equal(got, want);
	free(got);
}

static void every_table_is_a_table_of_sql(void **state)
{
	struct fixture *f = *state;
	struct result_schema_entry *entries;
	const struct result_schema *schemas[2];
	struct errmsg msg;
	sqlite3 *db;
	struct store_view *view;
	char sql[200];
	add_schema(f->now_ns - NS_PER_S);
	for (int i = 1; i <= 3; i++)
		add_row(f->now_ns - i * 60 * NS_PER_S, 0, i);
	add_row(f->now_ns - NS_PER_S, 1, 9);
	fixture_ship(f, &agent);
	results.columns[6].name = (char *)"note"; /* a later version */
	add_schema(f->now_ns - NS_PER_S);
	add_row(f->now_ns - NS_PER_S, 0, 4);
	fixture_ship(f, &agent);
	assert_int_equal(result_schemas_list(f->c, &entries), 2);
	schemas[0] = entries[0].schema;
	schemas[1] = entries[1].schema;
	free(entries);

	assert_int_equal(f->c->ops->begin(f->c->store, &view, &msg), 0);
	assert_int_equal(sqlite3_open(":memory:", &db), SQLITE_OK);
	assert_int_equal(records_table_declare(db, f->c->ops, view, &msg), 0);
	assert_int_equal(result_tables_declare(db, schemas, 2, &msg), 0);
	expect_sql(db, "SELECT count(*) FROM result_my_script_first", "4");
	expect_sql(db, "SELECT sum(n) FROM result_my_script_second", "9");
	expect_sql(db,
	    "SELECT group_concat(n) FROM (SELECT n FROM"
	    " result_my_script_first ORDER BY _wall_ns DESC)",
	    "4,1,2,3");
	snprintf(sql, sizeof(sql),
	    "SELECT group_concat(n) FROM result_my_script_first"
	    " WHERE _wall_ns <= %lld AND _wall_ns > %lld",
	    (long long)(f->now_ns - 120 * NS_PER_S),
	    (long long)(f->now_ns - 180 * NS_PER_S));
	expect_sql(db, sql, "2");
	expect_sql(db,
	    "SELECT count(*) FROM result_my_script_first"
	    " WHERE _run = 3 AND _campaign ="
	    " x'07000000000000000000000000000000'",
	    "4");
	expect_sql(db,
	    "SELECT count(*) FROM result_my_script_first WHERE _run = 4", "0");
	expect_sql(db,
	    "SELECT typeof(n)||typeof(x)||typeof(b)||typeof(a)||typeof(o)||"
	    "typeof(at_ns)||typeof(d_ns)||typeof(r)||typeof(l)"
	    " FROM result_my_script_first WHERE n = 4",
	    "integerrealintegertextblobintegerintegerrealtext");
	expect_sql(db,
	    "SELECT net||' '||json_extract(l, '$[1]')||' '||note"
	    " FROM result_my_script_first WHERE n = 4",
	    "192.0.2.0/24 192.0.2.1 =1,\"2\"");
	/* A row of before has no such column. */
	expect_sql(
	    db, "SELECT note FROM result_my_script_first WHERE n = 1", "NULL");
	expect_sql(db,
	    "SELECT a.n||b.n FROM result_my_script_first a JOIN"
	    " result_my_script_second b ON a.n < b.n WHERE a.n = 3",
	    "39");
	sqlite3_close(db);
	f->c->ops->end(view);
}

static void rows_are_lines_of_csv_when_that_is_asked_for(void **state)
{
	struct fixture *f = *state;
	add_schema(f->now_ns - NS_PER_S);
	add_row(f->now_ns - NS_PER_S, 1, -5);
	fixture_ship(f, &agent);
	json_t *rows = fixture_query(
	    f, query_result_rows, "script=my-script&table=second&format=csv");
	assert_string_equal(json_string_value(json_object_get(rows, "titles")),
	    "agent,campaign,run,table,wall_ns,n\r\n");
	const char *line = json_string_value(json_array_get(items_of(rows), 0));
	assert_non_null(line);
	assert_non_null(
	    strstr(line, ",07000000000000000000000000000000,3,second,"));
	assert_string_equal(line + strlen(line) - 5, ",-5\r\n");
	json_decref(rows);
}

static void add_train(int64_t at_ns, int64_t count, bool with_note)
{
	static uint8_t from[] = { 192, 0, 2, 7 };
	Sonde__Field fields[3], *list[3];
	Sonde__Train train = SONDE__TRAIN__INIT;
	Sonde__Record record = SONDE__RECORD__INIT;
	for (size_t i = 0; i < 3; i++) {
		sonde__field__init(&fields[i]);
		list[i] = &fields[i];
	}
	fields[0].name = (char *)"ip-id";
	fields[0].value_case = SONDE__FIELD__VALUE_INTEGER;
	fields[0].integer = count;
	fields[1].name = (char *)"from";
	fields[1].value_case = SONDE__FIELD__VALUE_ADDRESS;
	fields[1].address = (ProtobufCBinaryData){ sizeof(from), from };
	fields[2].name = (char *)"note";
	fields[2].value_case = SONDE__FIELD__VALUE_TEXT;
	fields[2].text = (char *)"hello";
	train.script = (char *)"ids";
	train.fields = list;
	train.n_fields = with_note ? 3 : 2;
	record.wall_ns = at_ns;
	record.body_case = SONDE__RECORD__BODY_TRAIN;
	record.train = &train;
	synth_add(&agent, &record);
}

/* What agents without tables recorded reads like a table. */
static void trains_are_rows_of_their_fields(void **state)
{
	struct fixture *f = *state;
	add_train(f->now_ns - 3 * NS_PER_S, 1, true);
	add_train(f->now_ns - 2 * NS_PER_S, 2, false);
	add_schema(f->now_ns - NS_PER_S);
	fixture_ship(f, &agent);
	json_t *schemas = fixture_query(f, query_results, "");
	assert_int_equal(json_array_size(items_of(schemas)), 2);
	json_t *schema = json_array_get(items_of(schemas), 1);
	assert_string_equal(
	    json_string_value(json_object_get(schema, "script")), "ids");
	json_decref(schemas);
	json_t *rows = fixture_query(f, query_result_rows, "script=ids");
	assert_int_equal(json_array_size(items_of(rows)), 2);
	assert_int_equal(integer_of(row_at(rows, 0), "ip_id"), 2);
	assert_true(json_is_null(json_object_get(row_at(rows, 0), "note")));
	assert_string_equal(
	    json_string_value(json_object_get(row_at(rows, 1), "note")),
	    "hello");
	assert_string_equal(
	    json_string_value(json_object_get(row_at(rows, 1), "from")),
	    "192.0.2.7");
	json_decref(rows);
	rows = fixture_query(
	    f, query_result_rows, "script=ids&table=fields&format=csv");
	assert_string_equal(json_string_value(json_object_get(rows, "titles")),
	    "agent,campaign,run,table,wall_ns,ip_id,from,note\r\n");
	json_decref(rows);
	assert_int_equal(
	    fixture_query_err(f, query_result_rows, "script=ids&table=other"),
	    ERR_NOT_FOUND);
}

static void expect_refused(struct fixture *f, const char *words)
{
	struct buf body = { 0 };
	assert_true(synth_seal(&agent, &body));
	struct ingest_answer answer = fixture_send(f, body.data, body.len);
	assert_int_equal(answer.result, INGEST_MALFORMED);
	assert_string_equal(answer.detail.text, words);
	buf_fini(&body);
	agent.next_seq = 1;
	assert_int_equal(fixture_sql(f, "SELECT count(*) FROM records"), 0);
}

static void a_batch_that_lies_changes_nothing(void **state)
{
	struct fixture *f = *state;
	uint8_t wrong[16] = { 1 };
	Sonde__Record record = SONDE__RECORD__INIT;
	record.body_case = SONDE__RECORD__BODY_RESULT_SCHEMA;
	record.result_schema = &results.schema;
	results.schema.hash = (ProtobufCBinaryData){ sizeof(wrong), wrong };
	synth_add(&agent, &record);
	expect_refused(
	    f, "record 0: result schema: hash: is not that of these tables");
	results.schema.hash.len = 0;
	synth_add(&agent, &record);
	expect_refused(f, "record 0: result schema: hash: expected one");

	add_schema(f->now_ns);
	results.values[5].value_case = SONDE__VALUE__VALUE_TEXT;
	results.values[5].text = (char *)"yes";
	add_row(f->now_ns, 0, 1);
	expect_refused(f,
	    "record 1: result of my-script: table first: column b: expected "
	    "boolean, got text");
	result_fixture_init(&results);
	struct result_schema_entry *list;
	assert_int_equal(result_schemas_list(f->c, &list), 0);
	free(list);

	/* By a schema that came with an earlier batch. */
	add_schema(f->now_ns);
	fixture_ship(f, &agent);
	struct buf body = { 0 };
	results.cells[13].n_values = 0;
	results.cells[0].n_values = 0; /* the key */
	add_row(f->now_ns, 0, 1);
	assert_true(synth_seal(&agent, &body));
	struct ingest_answer answer = fixture_send(f, body.data, body.len);
	assert_int_equal(answer.result, INGEST_MALFORMED);
	assert_non_null(strstr(answer.detail.text, "column n: a key"));
	buf_fini(&body);
}

/* Its schema was lost on the way, and comes again later. */
static void rows_wait_for_a_schema_that_is_late(void **state)
{
	struct fixture *f = *state;
	add_row(f->now_ns - NS_PER_S, 1, 7);
	fixture_ship(f, &agent);
	assert_int_equal(
	    fixture_query_err(f, query_result_rows, "script=my-script"),
	    ERR_NOT_FOUND);
	json_t *raw = fixture_query(f, query_records, "kind=result");
	assert_int_equal(json_array_size(items_of(raw)), 1);
	json_decref(raw);
	add_schema(f->now_ns);
	fixture_ship(f, &agent);
	json_t *rows = fixture_query(
	    f, query_result_rows, "script=my-script&table=second");
	assert_int_equal(integer_of(row_at(rows, 0), "n"), 7);
	json_decref(rows);
}

static void schemas_outlive_the_process(void **state)
{
	struct fixture *f = *state;
	add_schema(f->now_ns - NS_PER_S);
	add_row(f->now_ns - NS_PER_S, 1, 7);
	fixture_ship(f, &agent);
	fixture_reopen(f);
	json_t *rows = fixture_query(
	    f, query_result_rows, "script=my-script&table=second");
	assert_int_equal(json_array_size(items_of(rows)), 1);
	json_decref(rows);
	add_schema(f->now_ns); /* again: known */
	fixture_ship(f, &agent);
	struct result_schema_entry *list;
	assert_int_equal(result_schemas_list(f->c, &list), 1);
	free(list);
}

/* While an agent announces it, it is kept. */
static void a_schema_goes_when_its_records_have_gone(void **state)
{
	struct fixture *f = *state;
	struct result_schema_entry *list;
	add_schema(f->now_ns);
	fixture_ship(f, &agent);
	fixture_close(f);
	f->config.raw_age_ns = 86400 * NS_PER_S;
	fixture_open(f);
	for (int day = 0; day < 20; day++) {
		fixture_sleep(f, 86400 * NS_PER_S);
		if (day < 10)
			add_schema(f->now_ns);
		add_log(&agent, "still here"); /* the clock is believed */
		fixture_ship(f, &agent);
		writer_tick(f->c);
		fixture_reopen(f);
		size_t want = day < 9 + 8 + 1;
		assert_int_equal(result_schemas_list(f->c, &list), want);
		free(list);
	}
}

static void an_agents_schemas_are_bounded_and_the_rest_counted(void **state)
{
	struct fixture *f = *state;
	struct result_schema_entry *list;
	struct collector_metrics metrics;
	char name[24];
	results.schema.script = name;
	for (int i = 0; i < RESULT_SCHEMAS_MAX + 5; i++) {
		if (i == RESULT_SCHEMAS_MAX) /* a batch has its own bound */
			fixture_ship(f, &agent);
		snprintf(name, sizeof(name), "script-%d", i);
		add_schema(f->now_ns);
	}
	fixture_ship(f, &agent);
	assert_int_equal(result_schemas_list(f->c, &list), RESULT_SCHEMAS_MAX);
	free(list);
	collector_metrics(f->c, &metrics);
	assert_int_equal(metrics.result_schemas_refused, 5);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_script_is_shown_by_its_schema),
		TEST(every_filter_of_rows_finds_its_own),
		TEST(an_address_key_is_found_by_any_text_of_it),
		TEST(pages_of_rows_neither_skip_nor_repeat),
		TEST(every_table_is_a_table_of_sql),
		TEST(rows_are_lines_of_csv_when_that_is_asked_for),
		TEST(trains_are_rows_of_their_fields),
		TEST(a_batch_that_lies_changes_nothing),
		TEST(rows_wait_for_a_schema_that_is_late),
		TEST(schemas_outlive_the_process),
		TEST(a_schema_goes_when_its_records_have_gone),
		TEST(an_agents_schemas_are_bounded_and_the_rest_counted),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
