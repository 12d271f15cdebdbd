/* SPDX-License-Identifier: ISC */
/* Waits grow to their bound; a budget of crashes ends, and comes back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "lib/base/backoff.h"

static void a_backoff_grows_to_its_bound_and_jitters(void **state)
{
	struct backoff b = { NS_PER_S, 60 * NS_PER_S, 0 };
	int64_t ceilings[] = { 1, 2, 4, 8, 16, 32, 60, 60, 60 };
	(void)state;
	for (size_t i = 0; i < 9; i++) {
		struct backoff same = b;
		assert_int_equal(
		    backoff_next_ns(&same, (uint64_t)(ceilings[i] * NS_PER_S)),
		    ceilings[i] * NS_PER_S);
		same = b;
		assert_int_equal(backoff_next_ns(&same, 0), 0);
		assert_in_range(backoff_next_ns(&b, UINT64_MAX - 7 * i), 0,
		    ceilings[i] * NS_PER_S);
	}
	backoff_reset(&b);
	assert_in_range(backoff_next_ns(&b, UINT64_MAX), 0, NS_PER_S);
}

static void a_crash_waits_longer_each_time_and_then_for_ever(void **state)
{
	struct restart r = { 100 * NS_PER_MS, 12, 0, false };
	struct monotime now = { 0 }, at;
	int64_t waits_ms[] = { 100, 200, 400, 800, 1600, 3200, 6400, 12800,
		25600, 30000, 30000, 30000 };
	(void)state;
	for (size_t i = 0; i < 12; i++) {
		assert_true(restart_plan(&r, now, now, &at));
		assert_int_equal(
		    monotime_diff(at, now), waits_ms[i] * NS_PER_MS);
	}
	assert_false(restart_plan(&r, now, now, &at));
	assert_true(r.failed);
}

static void a_minute_of_life_forgives_all(void **state)
{
	struct restart r = { 100 * NS_PER_MS, 2, 0, false };
	struct monotime start = { 0 }, later = { 61 * NS_PER_S }, at;
	(void)state;
	for (int i = 0; i < 50; i++) {
		assert_true(restart_plan(&r, start, later, &at));
		assert_int_equal(monotime_diff(at, later), 100 * NS_PER_MS);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_backoff_grows_to_its_bound_and_jitters),
		cmocka_unit_test(
		    a_crash_waits_longer_each_time_and_then_for_ever),
		cmocka_unit_test(a_minute_of_life_forgives_all),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
