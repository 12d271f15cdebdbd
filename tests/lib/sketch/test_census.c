/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "lib/base/hash.h"
#include "lib/sketch/census.h"

static uint32_t hash_of(uint32_t n)
{
	return (uint32_t)hash_mix(n, 1);
}

static void add_range(struct census *t, uint32_t from, uint32_t to)
{
	for (uint32_t n = from; n < to; n++)
		census_add(t, hash_of(n));
}

static uint32_t count_of(const struct census *t, enum distinct_quality expected)
{
	enum distinct_quality quality;
	uint32_t count = census_count(t, &quality);
	assert_int_equal(quality, expected);
	return count;
}

static void few_values_are_exact_however_they_come(void **state)
{
	(void)state;
	struct census all = { { 0 } }, parts[3] = { { { 0 } } };
	for (uint32_t n = 1; n <= CENSUS_EXACT; n++) {
		add_range(&all, 0, n);
		assert_int_equal(count_of(&all, DISTINCT_IS_EXACT), n);
	}
	add_range(&parts[0], 0, 8);
	add_range(&parts[1], 4, 16);
	add_range(&parts[2], 12, CENSUS_EXACT);
	for (int i = 2; i >= 0; i--)
		census_join(&parts[0], &parts[i]);
	assert_memory_equal(&parts[0], &all, sizeof(all));
}

static void many_are_within_four_errors_and_joined_once(void **state)
{
	(void)state;
	static const uint32_t sizes[] = { 21, 60, 193, 500, 3000, 20000,
		1000000 };
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		uint32_t n = sizes[i];
		struct census all = { { 0 } }, half = { { 0 } }, rest = half;
		add_range(&all, 0, n);
		add_range(&half, 0, n * 2 / 3);
		add_range(&rest, n / 3, n);
		double got = count_of(&all, DISTINCT_IS_ESTIMATE);
		assert_true(got > n * 0.63 && got < n * 1.37);
		census_join(&half, &rest);
		double joined = count_of(&half, DISTINCT_IS_ESTIMATE);
		/* But for what fell more than 15 below the highest. */
		assert_true(joined > got * 0.98 && joined < got * 1.02);
	}
}

/* As a HyperLogLog of 1024 registers would have it (lib/sketch/distinct.c). */
static void registers_of_a_larger_one_fold(void **state)
{
	(void)state;
	uint8_t registers[1024] = { 0 };
	struct census folded = { { 0 } }, all = { { 0 } };
	for (uint32_t n = 0; n < 5000; n++) {
		uint32_t value = hash_of(n), rest = value << 10 | 1u << 9;
		uint8_t *at = &registers[value >> 22];
		uint8_t rank = (uint8_t)(__builtin_clz(rest) + 1);
		*at = *at < rank ? rank : *at;
		census_add(&all, value);
	}
	census_add_registers(&folded, registers, 10);
	assert_memory_equal(&folded, &all, sizeof(all));
}

static void what_is_written_is_read_and_nothing_else(void **state)
{
	(void)state;
	struct census t = { { 0 } }, back;
	for (uint32_t n = 0; n < 100; n++) {
		size_t len = census_len(&t);
		assert_true(len <= CENSUS_MOST_BYTES);
		assert_true(census_read(&back, t.bytes, len));
		assert_memory_equal(&back, &t, sizeof(t));
		if (len > 0) {
			assert_false(
			    census_read(&back, t.bytes, len - 1) && len > 1);
			assert_int_equal(census_len(&back), 0);
		}
		census_add(&t, hash_of(n));
	}
	const uint8_t unordered[] = { 2, 0, 0, 2, 0, 0, 1 };
	const uint8_t twice[] = { 2, 0, 0, 1, 0, 0, 1 };
	const uint8_t many[CENSUS_MOST_BYTES] = { CENSUS_EXACT + 1 };
	const uint8_t high[CENSUS_MOST_BYTES] = { 255 };
	assert_false(census_read(&back, unordered, sizeof(unordered)));
	assert_false(census_read(&back, twice, sizeof(twice)));
	assert_false(census_read(&back, many, sizeof(many)));
	assert_false(census_read(&back, high, sizeof(high)));
	assert_false(census_read(&back, (const uint8_t[]){ 0 }, 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(few_values_are_exact_however_they_come),
		cmocka_unit_test(many_are_within_four_errors_and_joined_once),
		cmocka_unit_test(registers_of_a_larger_one_fold),
		cmocka_unit_test(what_is_written_is_read_and_nothing_else),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
