/* SPDX-License-Identifier: ISC */
/* Sets of targets: exact through every step, and honest when room is short. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "lib/base/hash.h"
#include "probes/sensor/target-set.h"

static uint32_t value_of(uint32_t n)
{
	return (uint32_t)hash_mix(n, 7);
}

static uint32_t count_of(const struct target_arena *a,
    const struct target_set *s, enum distinct_quality *quality)
{
	return target_set_union(a, &s, 1, quality);
}

static void it_is_exact_up_to_192_and_estimates_after(void **state)
{
	(void)state;
	static const uint32_t sizes[] = { 0, 1, 3, 4, 16, 17, 64, 65, 192, 193,
		1000, 50000 };
	struct target_arena *a = target_arena_new((size_t)1 << 20);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		struct target_set s = { 0 };
		enum distinct_quality quality;
		for (int round = 0; round < 2; round++)
			for (uint32_t n = 0; n < sizes[i]; n++)
				target_set_add(a, &s, value_of(n));
		uint32_t count = count_of(a, &s, &quality);
		if (sizes[i] <= TARGETS_EXACT) {
			assert_int_equal(count, sizes[i]);
			assert_int_equal(quality, DISTINCT_IS_EXACT);
		} else {
			assert_in_range(
			    count, sizes[i] * 85 / 100, sizes[i] * 115 / 100);
			assert_int_equal(quality, DISTINCT_IS_ESTIMATE);
		}
		target_set_clear(a, &s);
		assert_int_equal(target_arena_used(a), 0);
	}
	target_arena_free(a);
}

static void a_union_counts_what_is_in_several_once(void **state)
{
	(void)state;
	static const uint32_t sizes[] = { 3, 10, 60, 190, 3000 };
	enum { SETS = 5 };
	struct target_arena *a = target_arena_new((size_t)1 << 20);
	struct target_set sets[SETS] = { 0 };
	const struct target_set *all[SETS];
	enum distinct_quality quality;
	for (uint32_t i = 0; i < SETS; i++) {
		all[i] = &sets[i];
		for (uint32_t n = 0; n < sizes[i]; n++)
			target_set_add(a, &sets[i], value_of(n));
		uint32_t count = target_set_union(a, all, i + 1, &quality);
		assert_in_range(
		    count, sizes[i] * 85 / 100, sizes[i] * 115 / 100);
		if (i < 4) {
			assert_int_equal(count, sizes[i]);
			assert_int_equal(quality, DISTINCT_IS_EXACT);
		}
	}
	target_arena_free(a);
}

static void without_room_it_is_a_lower_bound(void **state)
{
	(void)state;
	struct target_arena *a = target_arena_new(0); /* 16 lines */
	struct target_set sets[20] = { 0 };
	enum distinct_quality quality;
	for (uint32_t i = 0; i < 20; i++)
		for (uint32_t n = 0; n < 30; n++)
			target_set_add(a, &sets[i], value_of(n));
	bool exact = true, short_of_room = false;
	for (uint32_t i = 0; i < 20; i++) {
		uint32_t count = count_of(a, &sets[i], &quality);
		assert_true(count <= 30);
		exact &= quality != DISTINCT_IS_EXACT || count == 30;
		short_of_room |= quality == DISTINCT_IS_AT_LEAST;
	}
	assert_true(exact);
	assert_true(short_of_room);
	for (uint32_t i = 0; i < 20; i++)
		target_set_clear(a, &sets[i]);
	assert_int_equal(target_arena_used(a), 0);
	target_arena_free(a);
}

/* What a list holds joins with what registers hold of the same values. */
static void a_census_is_the_same_from_every_step(void **state)
{
	(void)state;
	static const uint32_t sizes[] = { 2, 15, 20, 60, 190, 1000, 50000 };
	struct target_arena *a = target_arena_new((size_t)1 << 20);
	struct census all = { { 0 } }, largest = all;
	enum distinct_quality quality;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		struct target_set s = { 0 };
		const struct target_set *sets[] = { &s };
		struct census one = { { 0 } };
		for (uint32_t n = 0; n < sizes[i]; n++)
			target_set_add(a, &s, value_of(n));
		target_set_census(a, sets, 1, &one);
		if (sizes[i] <= CENSUS_EXACT)
			assert_int_equal(
			    census_count(&one, &quality), sizes[i]);
		census_join(&all, &one);
		largest = one;
	}
	assert_memory_equal(&all, &largest, sizeof(all));
	target_arena_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_is_exact_up_to_192_and_estimates_after),
		cmocka_unit_test(a_union_counts_what_is_in_several_once),
		cmocka_unit_test(without_room_it_is_a_lower_bound),
		cmocka_unit_test(a_census_is_the_same_from_every_step),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
