/* SPDX-License-Identifier: ISC */
/* What is written without a tree is what the tree would be. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "lib/base/clock.h"
#include "lib/json/json-buf.h"
#include "lib/json/json-value.h"

static struct buf text;

/* Consumes both. */
static void assert_same(json_t *expected)
{
	char *dump = json_dumps(expected, JSON_ENCODE_ANY | JSON_COMPACT);
	buf_u8(&text, '\0');
	assert_string_equal((const char *)text.data, dump);
	free(dump);
	json_decref(expected);
	buf_clear(&text);
}

static int64_t random64(void)
{
	uint64_t high = (uint64_t)random(), low = (uint64_t)random();
	return (int64_t)(high << 33 ^ low << 11 ^ (uint64_t)random());
}

static void integers(void **state)
{
	(void)state;
	static const int64_t edges[] = { 0, 1, -1, 9, 10, INT64_MAX,
		INT64_MIN };
	for (size_t i = 0; i < sizeof(edges) / sizeof(*edges); i++) {
		jsonbuf_integer(&text, edges[i]);
		assert_same(json_integer(edges[i]));
		jsonbuf_count(&text, edges[i]);
		assert_same(json_count(edges[i]));
	}
}

static void times(void **state)
{
	(void)state;
	static const int64_t edges_s[] = { 1, 951782399, 951782400, 951868800,
		4107542399, 4107542400, -86400, -1 };
	jsonbuf_time(&text, 0);
	assert_same(json_time(0));
	for (size_t i = 0; i < sizeof(edges_s) / sizeof(*edges_s); i++) {
		jsonbuf_time(&text, edges_s[i] * NS_PER_S + 5);
		assert_same(json_time(edges_s[i] * NS_PER_S + 5));
	}
	for (int i = 0; i < 20000; i++) {
		int64_t ns = random64();
		jsonbuf_time(&text, ns);
		assert_same(json_time(ns));
	}
}

static void reals(void **state)
{
	(void)state;
	double got;
	for (int i = 0; i < 1000; i++) {
		double value = (double)random64() / (double)(random() + 1);
		jsonbuf_real(&text, value);
		buf_u8(&text, '\0');
		got = strtod((const char *)text.data, NULL);
		assert_true(got <= value && got >= value);
		buf_clear(&text);
	}
	jsonbuf_real(&text, 0.25);
	assert_same(json_real(0.25));
	jsonbuf_real(&text, 1.0 / 0.0);
	assert_same(json_null());
}

static void texts(void **state)
{
	(void)state;
	static const char *const all[] = { NULL, "", "worm", "a \"b\" \\ c",
		"line\nend\x01", "caf\xc3\xa9", "\xff\xfe" };
	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++) {
		jsonbuf_text(&text, all[i]);
		assert_same(json_text(all[i]));
	}
	jsonbuf_hex(&text, "\x01\xab", 2);
	assert_same(json_hex("\x01\xab", 2));
	struct addr addr = { 0 };
	jsonbuf_addr(&text, &addr);
	assert_same(json_addr(&addr));
	assert_int_equal(addr_parse(&addr, "2001:db8::1"), 0);
	jsonbuf_addr(&text, &addr);
	assert_same(json_addr(&addr));
}

static int teardown(void **state)
{
	(void)state;
	buf_fini(&text);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(integers),
		cmocka_unit_test(times),
		cmocka_unit_test(reals),
		cmocka_unit_test(texts),
	};
	return cmocka_run_group_tests(tests, NULL, teardown);
}
