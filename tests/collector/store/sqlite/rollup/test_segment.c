/* SPDX-License-Identifier: ISC */
/* Segments come back as they were, and bytes that are none are refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "collector/store/sqlite/rollup/segment.h"
#include "lib/base/xalloc.h"

static struct segment_codec *codec;

static uint64_t random_number(void)
{
	/* Of every size. */
	uint64_t v = (uint64_t)random() << 33 ^ (uint64_t)random() << 11 ^
	    (uint64_t)random();
	return v >> random() % 64;
}

static void fill(struct segment *s, size_t rows)
{
	size_t columns = 1 + (size_t)random() % 40;
	uint8_t flags[40] = { 0 };
	for (size_t c = 0; c < columns; c++)
		flags[c] = (uint8_t)(random() % 4) &
		    (c ? 3 : (uint8_t)~SEGMENT_JOINED);
	segment_init(s, columns, flags, rows);
	s->rows = rows;
	for (size_t c = 0; c < columns; c++) {
		bool constant = random() % 4 == 0;
		for (size_t i = 0; i < rows; i++)
			s->values[c][i] = constant ? 7 : random_number();
	}
	for (long i = random() % 500; i > 0; i--)
		buf_u8(&s->tail, (uint8_t)random());
}

static void test_a_segment_comes_back(void **state)
{
	(void)state;
	srandom(5);
	for (int round = 0; round < 300; round++) {
		struct segment in, out = { 0 };
		struct buf bytes = { 0 };
		fill(&in, 1 + (size_t)random() % 300);
		segment_seal(&in, codec, &bytes);
		assert_int_equal(
		    segment_open(&out, codec, bytes.data, bytes.len), 0);
		assert_int_equal(out.rows, in.rows);
		assert_int_equal(out.columns, in.columns);
		for (size_t c = in.columns; c-- > 0;) {
			const uint64_t *values = segment_column(&out, c);
			assert_non_null(values);
			assert_memory_equal(
			    values, in.values[c], in.rows * sizeof(*values));
		}
		assert_int_equal(segment_open_tail(&out), 0);
		assert_int_equal(out.tail.len, in.tail.len);
		if (in.tail.len)
			assert_memory_equal(
			    out.tail.data, in.tail.data, in.tail.len);
		segment_fini(&in);
		segment_fini(&out);
		buf_fini(&bytes);
	}
}

/* Cut, changed, made up: refused, or read as something; never beyond. */
static void test_other_bytes_are_refused(void **state)
{
	(void)state;
	srandom(6);
	unsigned refused = 0;
	for (int round = 0; round < 3000; round++) {
		struct segment in, out = { 0 };
		struct buf bytes = { 0 };
		fill(&in, 1 + (size_t)random() % 40);
		segment_seal(&in, codec, &bytes);
		size_t len = bytes.len;
		for (int k = (int)(random() % 4); k >= 0; k--)
			bytes.data[(size_t)random() % len] ^=
			    (uint8_t)(1 << random() % 8);
		if (random() % 3 == 0)
			len = (size_t)random() % len;
		bool good = segment_open(&out, codec, bytes.data, len) == 0;
		for (size_t c = 0; good && c < out.columns; c++)
			good = segment_column(&out, c) != NULL;
		good = good && segment_open_tail(&out) == 0;
		refused += !good;
		segment_fini(&in);
		segment_fini(&out);
		buf_fini(&bytes);
	}
	assert_true(refused > 1000);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_segment_comes_back),
		cmocka_unit_test(test_other_bytes_are_refused),
	};
	codec = segment_codec_new();
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	segment_codec_free(codec);
	return failed;
}
