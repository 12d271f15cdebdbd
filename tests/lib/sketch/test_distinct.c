/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "lib/sketch/distinct.h"

/* Spread like the hashes that the sensor gives. */
static uint32_t value(uint32_t n)
{
	uint64_t h = (n + UINT64_C(1)) * UINT64_C(0x9e3779b97f4a7c15);
	h ^= h >> 29;
	h *= UINT64_C(0xbf58476d1ce4e5b9);
	return (uint32_t)(h >> 32);
}

static void add(
    struct distinct_pool *pool, struct distinct *d, uint32_t from, uint32_t to)
{
	for (uint32_t n = from; n < to; n++)
		distinct_add(pool, d, value(n));
}

static void small_numbers_are_exact(void **state)
{
	(void)state;
	struct distinct_pool *pool = distinct_pool_new(4);
	struct distinct d = { 0 };
	enum distinct_quality quality;
	assert_int_equal(distinct_count(pool, &d, &quality), 0);
	for (uint32_t n = 1; n <= DISTINCT_EXACT; n++) {
		add(pool, &d, 0, n); /* all of them again each time */
		assert_int_equal(distinct_count(pool, &d, &quality), n);
		assert_int_equal(quality, DISTINCT_IS_EXACT);
		assert_int_equal(distinct_is_one(&d), n == 1);
	}
	distinct_pool_free(pool);
}

static void large_numbers_are_within_four_errors(void **state)
{
	(void)state;
	static const uint32_t sizes[] = { 193, 500, 2000, 3000, 20000, 500000 };
	struct distinct_pool *pool = distinct_pool_new(1);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct distinct d = { 0 };
		enum distinct_quality quality;
		add(pool, &d, 0, sizes[i]);
		add(pool, &d, 0, sizes[i]);
		double got = distinct_count(pool, &d, &quality);
		assert_int_equal(quality, DISTINCT_IS_ESTIMATE);
		assert_true(got > sizes[i] * 0.87 && got < sizes[i] * 1.13);
		distinct_clear(pool, &d);
		assert_int_equal(distinct_count(pool, &d, &quality), 0);
	}
	distinct_pool_free(pool);
}

static void an_empty_pool_makes_a_lower_bound(void **state)
{
	(void)state;
	struct distinct_pool *pool = distinct_pool_new(1);
	struct distinct first = { 0 }, second = { 0 };
	enum distinct_quality quality;
	add(pool, &first, 0, 10);
	add(pool, &second, 0, 10);
	assert_int_equal(distinct_count(pool, &first, &quality), 10);
	assert_int_equal(quality, DISTINCT_IS_EXACT);
	assert_int_equal(distinct_count(pool, &second, &quality), 7);
	assert_int_equal(quality, DISTINCT_IS_AT_LEAST);
	add(pool, &second, 0, 100);
	assert_int_equal(distinct_count(pool, &second, &quality), 7);
	/* A block that comes back is used again. */
	distinct_clear(pool, &first);
	distinct_clear(pool, &second);
	add(pool, &second, 0, 10);
	assert_int_equal(distinct_count(pool, &second, &quality), 10);
	distinct_pool_free(pool);
}

static void a_union_counts_what_is_in_both_once(void **state)
{
	(void)state;
	struct distinct_pool *pool = distinct_pool_new(8);
	struct distinct a = { 0 }, b = { 0 }, c = { 0 };
	const struct distinct *sets[] = { &a, &b, &c };
	enum distinct_quality quality;
	add(pool, &a, 0, 4);
	add(pool, &b, 2, 100);
	assert_int_equal(distinct_union(pool, sets, 3, &quality), 100);
	assert_int_equal(quality, DISTINCT_IS_EXACT);
	add(pool, &c, 50, 5000);
	uint32_t got = distinct_union(pool, sets, 3, &quality);
	assert_int_equal(quality, DISTINCT_IS_ESTIMATE);
	assert_in_range(got, 4350, 5650);
	distinct_pool_free(pool);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(small_numbers_are_exact),
		cmocka_unit_test(large_numbers_are_within_four_errors),
		cmocka_unit_test(an_empty_pool_makes_a_lower_bound),
		cmocka_unit_test(a_union_counts_what_is_in_both_once),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
