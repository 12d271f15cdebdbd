/* SPDX-License-Identifier: ISC */
/* Rows of results: what does not fit the schema is refused in words. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "lib/record/result-row.h"
#include "tests/lib/record/result-fixture.h"

static struct result_fixture row_fixture;

static void reject(const char *words)
{
	struct errmsg msg = { "" };
	struct result_fixture good;
	result_fixture_init(&good);
	struct result_schema *schema = result_fixture_schema(&good);
	int err = result_check(schema, &row_fixture.row, &msg);
	assert_true(err == ERR_MALFORMED || err == ERR_LIMIT);
	if (!strstr(msg.text, words))
		fail_msg("expected '%s', got '%s'", words, msg.text);
	result_schema_free(schema);
	result_fixture_init(&row_fixture);
}

static void a_row_that_does_not_fit_is_refused(void **state)
{
	struct result_fixture *f = &row_fixture;
	static uint8_t host_bits[] = { 192, 0, 2, 1, 24 };
	static char long_text[RESULT_TEXT_MAX + 2];
	(void)state;
	result_fixture_init(f);
	f->row.table = 2;
	reject("result of my-script: expected one of 2 tables, got number 2");
	f->row.table = 1;
	reject("table second: expected 1 columns, got 14");
	f->cells[0].n_values = 0;
	reject("table first: column n: a key: expected integer, got nothing");
	f->values[0].value_case = SONDE__VALUE__VALUE_TEXT;
	f->values[0].text = (char *)"1";
	reject("column n: expected integer, got text");
	f->values[5].value_case = SONDE__VALUE__VALUE__NOT_SET;
	reject("column b: expected boolean, got nothing");
	f->cells[5].n_values = 2;
	reject("column b: expected at most 1 value, got 2");
	f->values[1].number = NAN;
	reject("column x: expected a finite number");
	f->values[12].rate = INFINITY;
	reject("column r: expected a finite rate");
	memset(long_text, 'x', RESULT_TEXT_MAX + 1);
	f->values[6].text = long_text;
	reject("column t: expected a text of at most 4096 octets");
	f->values[7].address.len = 0;
	reject("column a: expected an address of 4 or 16 octets");
	f->values[8].prefix.len = 4;
	reject("column net: expected a prefix of 5 or 17 octets");
	f->values[8].prefix.data = host_bits;
	reject("column net: expected a prefix without host bits");
	f->values[14] = f->values[0];
	reject("column l: expected address, got integer");
	f->values[2].number = 1;
	reject("column x: interval: expected low to be at most high");
	f->values[4].number = 1.5;
	reject("column x: probability: expected 0 to 1, got 1.5");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_row_that_does_not_fit_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
