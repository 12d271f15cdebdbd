/* SPDX-License-Identifier: ISC */
/* Rows of results in every format that has them; the rest leave them out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "lib/formats/format.h"
#include "tests/lib/record/result-fixture.h"

struct shown {
	char *text;
	size_t len;
	FILE *to;
	void *ctx;
	const struct format_ops *format;
	struct result_fixture f;
	struct result_schema *schema;
};

static void begin(struct shown *s, const struct format_ops *format)
{
	memset(s, 0, sizeof(*s));
	result_fixture_init(&s->f);
	assert_int_equal(result_schema_new(&s->schema, &s->f.schema, NULL), 0);
	s->format = format;
	s->to = open_memstream(&s->text, &s->len);
	assert_int_equal(format->open(&s->ctx, s->to, 0, NULL), 0);
}

static int give_schema(struct shown *s)
{
	struct arena arena = { 0 };
	Sonde__Record record = SONDE__RECORD__INIT;
	record.body_case = SONDE__RECORD__BODY_RESULT_SCHEMA;
	record.result_schema = result_schema_message(s->schema, &arena);
	int err = s->format->item(s->ctx, &record, NULL);
	arena_fini(&arena);
	return err;
}

/* A row of table 0 or 1. */
static int give_row(struct shown *s, unsigned table, struct errmsg *msg)
{
	Sonde__Record record = SONDE__RECORD__INIT;
	Sonde__Result row = s->f.row;
	row.hash = (ProtobufCBinaryData){ RESULT_HASH_LEN, s->schema->hash };
	row.table = table;
	if (table == 1)
		row.n_row = 1;
	record.wall_ns = 9;
	record.body_case = SONDE__RECORD__BODY_RESULT;
	record.result = &row;
	return s->format->item(s->ctx, &record, msg);
}

static void end(struct shown *s, const char *want)
{
	assert_int_equal(s->format->close(s->ctx, NULL), 0);
	fclose(s->to);
	assert_string_equal(s->text, want);
	free(s->text);
	result_schema_free(s->schema);
}

#define FIRST_TITLES \
	"table,wall_ns,n,x,x_low,x_high,p,b,t,a,net,o,at_ns,d_ns,r,l\r\n"
#define FIRST_ROW                                              \
	"first,9,-7,0.25,0.125,0.5,0.94999999999999996,true,"  \
	"\"'=1,\"\"2\"\"\",192.0.2.1,192.0.2.0/24,c000020018," \
	"1795305600123456789,1500000,12.5,192.0.2.1;192.0.2.1\r\n"

static void csv_has_the_tables_one_after_the_other(void **state)
{
	struct shown s;
	(void)state;
	begin(&s, &format_csv);
	assert_int_equal(give_schema(&s), 0);
	assert_int_equal(give_row(&s, 1, NULL), 0);
	assert_int_equal(give_row(&s, 0, NULL), 0);
	assert_int_equal(give_row(&s, 1, NULL), 0);
	end(&s,
	    FIRST_TITLES FIRST_ROW "\r\n"
				   "table,wall_ns,n\r\n"
				   "second,9,-7\r\n"
				   "second,9,-7\r\n");
}

static void csv_of_one_table_comes_as_it_is_recorded(void **state)
{
	struct shown s;
	(void)state;
	begin(&s, &format_csv);
	s.format->select(s.ctx, "second");
	assert_int_equal(give_schema(&s), 0);
	assert_int_equal(give_row(&s, 1, NULL), 0);
	assert_int_equal(give_row(&s, 0, NULL), 0);
	fflush(s.to);
	assert_string_equal(s.text, "table,wall_ns,n\r\nsecond,9,-7\r\n");
	end(&s, "table,wall_ns,n\r\nsecond,9,-7\r\n");
}

static void text_is_as_wide_as_what_is_in_it(void **state)
{
	struct shown s;
	(void)state;
	begin(&s, &format_text);
	assert_int_equal(give_schema(&s), 0);
	assert_int_equal(give_row(&s, 1, NULL), 0);
	assert_int_equal(give_row(&s, 0, NULL), 0);
	end(&s,
	    "first: all types\n"
	    " n  x (share)              b     t       a          net         "
	    "  o           at                                     d  "
	    "r (probes/s)  l\n"
	    "-7  0.25 [0.125, 0.5] 95%  true  =1,\"2\"  192.0.2.1  "
	    "192.0.2.0/24  c000020018  2026-11-22T00:00:00.123456789Z  "
	    "1.500 ms          12.5  192.0.2.1, 192.0.2.1\n"
	    "\n"
	    "second\n"
	    " n\n"
	    "-7\n");
}

static void what_lies_is_an_error_and_what_is_unknown_is_counted(void **state)
{
	struct shown s;
	struct errmsg msg;
	(void)state;
	begin(&s, &format_text);
	assert_int_equal(give_row(&s, 1, &msg), 0);
	assert_int_equal(give_schema(&s), 0);
	s.f.values[0].value_case = SONDE__VALUE__VALUE_TEXT;
	s.f.values[0].text = (char *)"x";
	assert_int_equal(give_row(&s, 1, &msg), ERR_MALFORMED);
	assert_string_equal(msg.text,
	    "result of my-script: table second: column n: expected integer, "
	    "got text");
	end(&s, "result of table 1 of a schema that is not known\n");
}

static void formats_of_other_tools_leave_results_out(void **state)
{
	struct shown s;
	(void)state;
	begin(&s, &format_scamper);
	assert_null(s.format->select);
	assert_int_equal(give_schema(&s), FORMAT_SKIPPED);
	assert_int_equal(give_row(&s, 1, NULL), FORMAT_SKIPPED);
	end(&s, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(csv_has_the_tables_one_after_the_other),
		cmocka_unit_test(csv_of_one_table_comes_as_it_is_recorded),
		cmocka_unit_test(text_is_as_wide_as_what_is_in_it),
		cmocka_unit_test(
		    what_lies_is_an_error_and_what_is_unknown_is_counted),
		cmocka_unit_test(formats_of_other_tools_leave_results_out),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
