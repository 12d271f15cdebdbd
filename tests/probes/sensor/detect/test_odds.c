/* SPDX-License-Identifier: ISC */
/*
 * The promise of the odds, on simulated sources: of innocent ones, whose
 * contacts fail with probability 0.2 or less, at most one in N ever reaches
 * N; and scanners do as often as the manual states.  Counts are compared with
 * the 99.5 % quantiles of what is promised.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "lib/base/hash.h"
#include "probes/sensor/detect/odds.h"

static uint64_t random_state = 20040509;

static double draw(void)
{
	random_state = hash_mix(random_state, 1);
	return (double)(random_state >> 11) / (double)(UINT64_C(1) << 53);
}

/* Contacts until the odds reach this; 0: not within `most`. */
static uint32_t contacts_until(double fails, double odds, uint32_t most)
{
	struct odds_walk w = { 0 };
	for (uint32_t n = 1; n <= most; n++) {
		odds_ask(&w, ODDS_STEP);
		if (draw() < fails)
			odds_settle(&w, 0);
		else
			odds_answer(&w, ODDS_STEP, n);
		if ((double)odds_of(w.best) >= odds)
			return n;
	}
	return 0;
}

static void innocent_sources_stay_within_the_budget(void **state)
{
	(void)state;
	enum { SOURCES = 20000, CONTACTS = 400 };
	static const double odds[] = { 10, 100, 1000, 100000 };
	static const double fails[] = { 0.2, 0.1, 0.02 };
	for (size_t i = 0; i < sizeof(odds) / sizeof(*odds); i++)
		for (size_t f = 0; f < sizeof(fails) / sizeof(*fails); f++) {
			unsigned accused = 0;
			for (int n = 0; n < SOURCES; n++)
				accused += contacts_until(
					       fails[f], odds[i], CONTACTS) > 0;
			double promised = SOURCES / odds[i];
			assert_true(
			    accused <= promised + 2.58 * sqrt(promised) + 2);
		}
}

/* Years of good conduct, and then it scans. */
static void who_turns_bad_is_found_too(void **state)
{
	(void)state;
	for (int n = 0; n < 200; n++) {
		struct odds_walk w = { 0 };
		for (uint32_t i = 1; i <= 5000; i++) {
			odds_ask(&w, ODDS_STEP);
			if (draw() >= 0.05)
				odds_answer(&w, ODDS_STEP, i);
			odds_settle(&w, 0);
		}
		assert_true(odds_of(w.best) < 1000);
		for (int i = 0; i < 25; i++) {
			odds_ask(&w, ODDS_STEP);
			odds_settle(&w, 0);
		}
		assert_true(odds_of(w.best) >= 1000);
	}
}

static void scanners_are_found_as_often_as_stated(void **state)
{
	(void)state;
	enum { SOURCES = 20000 };
	static const struct {
		double odds, mean;
		uint32_t within;
	} stated[] = { { 1000, 10, 30 }, { 3e6, 20, 50 } };
	for (size_t i = 0; i < 2; i++) {
		unsigned within = 0;
		double sum = 0;
		for (int n = 0; n < SOURCES; n++) {
			uint32_t contacts =
			    contacts_until(0.8, stated[i].odds, 1000);
			assert_true(contacts > 0);
			within += contacts <= stated[i].within;
			sum += contacts;
		}
		/* 0.99 of 20,000 less 2.58 standard deviations */
		assert_true(within >= 19800 - 36);
		assert_true(fabs(sum / SOURCES - stated[i].mean) < 0.5);
	}
	assert_int_equal(contacts_until(1, 1000, 100), 5);
	assert_int_equal(contacts_until(1, 3e6, 100), 11);
}

static void what_is_taken_back_leaves_nothing(void **state)
{
	(void)state;
	struct odds_walk w = { 0 };
	for (int i = 0; i < 1000; i++)
		odds_ask(&w, ODDS_STEP);
	odds_settle(&w, 500);
	assert_int_equal(odds_of(w.best), 0); /* all of it is young */
	for (uint32_t i = 0; i < 1000; i++)
		odds_answer(&w, ODDS_STEP, i + 1);
	odds_settle(&w, 0);
	assert_int_equal(odds_of(w.best), 0);
	odds_ask(&w, ODDS_WEAK_STEP);
	odds_take_back(&w, ODDS_WEAK_STEP);
	odds_settle(&w, 0);
	assert_int_equal(odds_of(w.best), 0);
	assert_true(odds_of(62) > UINT64_C(1) << 61);
	assert_int_equal(odds_of(10), 1003);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(innocent_sources_stay_within_the_budget),
		cmocka_unit_test(who_turns_bad_is_found_too),
		cmocka_unit_test(scanners_are_found_as_often_as_stated),
		cmocka_unit_test(what_is_taken_back_leaves_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
