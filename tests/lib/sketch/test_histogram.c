/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>

#include "lib/sketch/histogram.h"

static int by_value(const void *a, const void *b)
{
	const int64_t *x = a, *y = b;
	return (*x > *y) - (*x < *y);
}

static void a_value_is_known_to_one_percent(void **state)
{
	(void)state;
	for (int64_t v = 1; v < INT64_C(1) << 60; v += v / 3 + 1) {
		struct histogram h = {0};
		histogram_add(&h, v, 1);
		int64_t got = histogram_median(&h);
		assert_true(llabs(got - v) * 100 <= v);
		histogram_fini(&h);
	}
}

static void no_values_have_no_median(void **state)
{
	(void)state;
	struct histogram h = {0};
	assert_int_equal(histogram_median(&h), -1);
	histogram_add(&h, 5, 0);
	assert_int_equal(histogram_median(&h), -1);
	histogram_add(&h, -7, 1);
	assert_int_equal(histogram_median(&h), 0);
	histogram_fini(&h);
}

static void a_sum_of_parts_has_the_median_of_all(void **state)
{
	(void)state;
	enum { N = 2001 };
	int64_t values[N];
	struct histogram parts[3] = {{0}}, whole = {0};
	srandom(7);
	for (int i = 0; i < N; i++) {
		values[i] = 1000 + random() % 100000000;
		histogram_add(&parts[i % 3], values[i], 1);
	}
	for (int i = 0; i < 3; i++) {
		histogram_merge(&whole, &parts[i]);
		histogram_fini(&parts[i]);
	}
	qsort(values, N, sizeof(values[0]), by_value);
	int64_t median = values[N / 2];
	assert_true(llabs(histogram_median(&whole) - median) * 100 <= median);
	assert_int_equal(whole.total, N);
	histogram_fini(&whole);
}

static void what_is_written_is_read_back(void **state)
{
	(void)state;
	struct histogram h = {0}, back = {0};
	struct buf bytes = {0};
	for (int i = 0; i < 500; i++)
		histogram_add(&h, (int64_t)i * i * i * 1000, (uint32_t)i + 1);
	histogram_write(&h, &bytes);
	struct reader r = reader_init(bytes.data, bytes.len);
	histogram_read(&back, &r);
	assert_int_equal(r.err, ERR_OK);
	assert_int_equal(reader_left(&r), 0);
	assert_int_equal(back.len, h.len);
	assert_int_equal(back.total, h.total);
	assert_memory_equal(
	    back.buckets, h.buckets, h.len * sizeof(*h.buckets));
	histogram_fini(&h);
	histogram_fini(&back);
	buf_fini(&bytes);
}

static void bad_bytes_are_refused(void **state)
{
	(void)state;
	static const uint8_t bad[][12] = {
	    {2, 1, 1, 0, 1},                             /* a step of 0 */
	    {1, 1, 0},                                   /* a count of 0 */
	    {1, 0xff, 0xff, 0xff, 0xff, 0x0f, 1},        /* off the scale */
	    {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1},
	    {5, 1, 1},                                   /* it ends */
	};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct histogram h = {0};
		struct reader r =
		    reader_init(bad[i], i == 4 ? 3 : sizeof(bad[i]));
		histogram_read(&h, &r);
		assert_int_not_equal(r.err, ERR_OK);
		histogram_fini(&h);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_value_is_known_to_one_percent),
	    cmocka_unit_test(no_values_have_no_median),
	    cmocka_unit_test(a_sum_of_parts_has_the_median_of_all),
	    cmocka_unit_test(what_is_written_is_read_back),
	    cmocka_unit_test(bad_bytes_are_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
