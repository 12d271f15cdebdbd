/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <math.h>
#include <stdlib.h>
#include <cmocka.h>

#include "analysis/spikes.h"
#include "lib/base/xalloc.h"

static uint64_t random_state;

static double uniform(void)
{
	random_state = random_state * UINT64_C(6364136223846793005) + 1442695;
	return ((double)(random_state >> 11) + 0.5) / 9007199254740992.0;
}

static double poisson(double mean)
{
	if (mean > 300) /* e^-mean would be no number any more */
		return poisson(mean / 2) + poisson(mean / 2);
	double product = 1, limit = exp(-mean);
	int k = -1;
	do {
		product *= uniform();
		k++;
	} while (product > limit);
	return k;
}

/* Marsaglia and Tsang 2000. */
static double gamma_of(double shape)
{
	if (shape < 1)
		return gamma_of(shape + 1) * pow(uniform(), 1 / shape);
	double d = shape - 1 / 3.0, c = 1 / sqrt(9 * d);
	for (;;) {
		double x =
		    sqrt(-2 * log(uniform())) * cos(6.2831853 * uniform());
		double v = pow(1 + c * x, 3);
		if (v > 0 &&
		    log(uniform()) < 0.5 * x * x + d - d * v + d * log(v))
			return d * v;
	}
}

/* A count with this mean and variance = spread x mean. */
static double count_of(double mean, double spread)
{
	if (spread > 1)
		mean = gamma_of(mean / (spread - 1)) * (spread - 1);
	return poisson(mean);
}

struct series {
	struct spike_bin bins[1000];
	size_t count;
	struct spike_alarm *alarms;
	size_t found;
};

static void put(struct series *s, size_t n, double mean, double spread)
{
	for (size_t i = 0; i < n; i++)
		s->bins[s->count++].count =
		    mean > 0 ? count_of(mean, spread) : 0;
}

static void find(struct series *s, const struct spike_config *config)
{
	s->found = spikes_find(s->bins, s->count, config, &s->alarms, NULL);
}

static struct series *series_new(void)
{
	random_state = 7;
	return xcalloc(1, sizeof(struct series));
}

static void series_free(struct series *s)
{
	free(s->alarms);
	free(s);
}

static void false_alarms_are_rarer_than_stated(void **state)
{
	(void)state;
	static const struct {
		double mean, spread;
	} cases[] = { { 0.5, 1 }, { 2, 1 }, { 2, 2 }, { 20, 1 }, { 20, 3 },
		{ 100, 5 } };
	enum { BINS = 100000 };
	struct spike_bin *bins = xcalloc(BINS, sizeof(*bins));
	random_state = 1;
	for (size_t c = 0; c < sizeof(cases) / sizeof(*cases); c++) {
		for (size_t i = 0; i < BINS; i++)
			bins[i].count =
			    count_of(cases[c].mean, cases[c].spread);
		struct spike_alarm *alarms;
		size_t found =
		    spikes_find(bins, BINS, &spike_defaults, &alarms, NULL);
		size_t by_way[2] = { 0 };
		for (size_t i = 0; i < found; i++)
			by_way[alarms[i].direction]++;
		assert_true(by_way[SPIKE_RISE] <=
		    BINS / (size_t)spike_defaults.run_length);
		assert_true(by_way[SPIKE_FALL] <=
		    BINS / (size_t)spike_defaults.run_length);
		free(alarms);
	}
	free(bins);
}

/* Netbait, March 2003: Code Red probes from 200 to 1,200 a day. */
static void netbaits_step_alarms_in_its_first_bin(void **state)
{
	(void)state;
	struct series *s = series_new();
	put(s, 30, 200, 1.5);
	put(s, 10, 1200, 1.5);
	find(s, &spike_defaults);
	assert_int_equal(s->found, 1);
	assert_int_equal(s->alarms[0].direction, SPIKE_RISE);
	assert_int_equal(s->alarms[0].onset, 30);
	assert_int_equal(s->alarms[0].detected, 30);
	assert_false(s->alarms[0].ended);
	assert_true(fabs(s->alarms[0].observed - 1200) < 60);
	assert_true(fabs(s->alarms[0].expected - 200) < 20);
	series_free(s);
}

static void a_fall_is_dated_and_the_return_is_a_rise(void **state)
{
	(void)state;
	struct series *s = series_new();
	put(s, 70, 22, 1.5);
	put(s, 28, 2, 1);
	put(s, 20, 11, 1.5);
	find(s, &spike_defaults);
	assert_true(s->found >= 2);
	assert_int_equal(s->alarms[0].direction, SPIKE_FALL);
	assert_in_range(s->alarms[0].onset, 69, 71);
	assert_int_equal(s->alarms[1].direction, SPIKE_RISE);
	assert_in_range(s->alarms[1].onset, 93, 99);
	assert_in_range(s->alarms[1].detected, 98, 101);
	series_free(s);
}

static void an_outbreak_ends_when_it_is_over(void **state)
{
	(void)state;
	struct series *s = series_new();
	put(s, 40, 5, 1);
	put(s, 20, 60, 2);
	put(s, 40, 5, 1);
	find(s, &spike_defaults);
	assert_int_equal(s->found, 1);
	assert_true(s->alarms[0].ended);
	assert_in_range(s->alarms[0].end, 60, 61);
	series_free(s);
}

/* A worm that breaks out while its forerunner is dying. */
static void a_rise_ends_a_fall_and_is_dated_from_its_own_start(void **state)
{
	(void)state;
	struct series *s = series_new();
	put(s, 60, 20, 1);
	put(s, 5, 1, 1);
	put(s, 5, 90, 1);
	find(s, &spike_defaults);
	assert_int_equal(s->found, 2);
	assert_int_equal(s->alarms[0].direction, SPIKE_FALL);
	assert_int_equal(s->alarms[0].onset, 60);
	assert_true(s->alarms[0].ended);
	assert_int_equal(s->alarms[0].end, 65);
	assert_true(s->alarms[0].observed < s->alarms[0].expected);
	assert_int_equal(s->alarms[1].direction, SPIKE_RISE);
	assert_int_equal(s->alarms[1].onset, 65);
	assert_int_equal(s->alarms[1].detected, 65);
	assert_true(s->alarms[1].observed > s->alarms[1].expected);
	series_free(s);
}

static void a_new_worm_after_silence_alarms_at_once(void **state)
{
	(void)state;
	struct spike_config config = { .warmup_bins = 4, .run_length = 1000 };
	struct series *s = series_new();
	put(s, 6, 0, 1);
	put(s, 3, 30, 1);
	find(s, &config);
	assert_int_equal(s->found, 1);
	assert_int_equal(s->alarms[0].onset, 6);
	assert_int_equal(s->alarms[0].detected, 6);
	series_free(s);
}

static void one_stray_source_after_silence_is_no_news(void **state)
{
	(void)state;
	struct series *s = series_new();
	put(s, 40, 0, 1);
	s->bins[s->count++].count = 1;
	put(s, 10, 0, 1);
	find(s, &spike_defaults);
	assert_int_equal(s->found, 0);
	series_free(s);
}

static void slow_drift_is_followed(void **state)
{
	(void)state;
	struct series *s = series_new();
	for (int day = 0; day < 365; day++)
		put(s, 1, 20 + day * 0.1, 1.2);
	find(s, &spike_defaults);
	assert_int_equal(s->found, 0);
	series_free(s);
}

static void weekends_are_a_season_when_asked_for(void **state)
{
	(void)state;
	struct spike_config config = spike_defaults;
	config.season_bins = 7;
	config.warmup_bins = 28;
	struct series *s = series_new();
	for (int day = 0; day < 280; day++)
		put(s, 1, day % 7 < 5 ? 120 : 40, 1.2);
	find(s, &config);
	assert_int_equal(s->found, 0);
	series_free(s);
}

static double hours(size_t bin)
{
	return 1 + 0.9 * sin(2 * 3.14159265 * (double)(bin % 24) / 24);
}

static const struct spike_config by_hours = {
	.warmup_bins = 14,
	.run_length = 1000,
	.season_bins = 24,
};

/* Less than the two seasons that have to be seen is given as a warm-up. */
static void a_rhythm_of_hours_is_no_news(void **state)
{
	(void)state;
	size_t found = 0;
	random_state = 21;
	for (int round = 0; round < 20; round++) {
		struct series *s = xcalloc(1, sizeof(*s));
		for (size_t i = 0; i < 1000; i++)
			put(s, 1, 40 * hours(i), 1.3);
		find(s, &by_hours);
		found += s->found;
		series_free(s);
	}
	assert_true(found <= 20);
}

static void a_rise_is_found_at_any_hour(void **state)
{
	(void)state;
	random_state = 22;
	for (size_t at = 480; at < 504; at++) {
		struct series *s = xcalloc(1, sizeof(*s));
		for (size_t i = 0; i < at + 24; i++)
			put(s, 1, 40 * hours(i) * (i < at ? 1 : 4), 1.3);
		find(s, &by_hours);
		assert_true(s->found >= 1);
		const struct spike_alarm *a = &s->alarms[s->found - 1];
		assert_int_equal(a->direction, SPIKE_RISE);
		assert_true(a->onset + 3 >= at && a->detected >= at &&
		    a->detected <= at + 12);
		series_free(s);
	}
}

/* Four times as many for good: an alarm, a new level, and the rhythm is
 * still known. */
static void a_level_that_stays_keeps_its_rhythm(void **state)
{
	(void)state;
	struct series *s = series_new();
	for (size_t i = 0; i < 1000; i++)
		put(s, 1, 40 * hours(i) * (i < 400 ? 1 : 4), 1.2);
	find(s, &by_hours);
	assert_true(s->found >= 1 && s->found <= 2);
	assert_true(s->alarms[0].onset >= 400 && s->alarms[0].onset < 406);
	series_free(s);
}

static void missing_bins_are_not_zeros(void **state)
{
	(void)state;
	struct series *s = series_new();
	put(s, 40, 50, 1);
	for (int i = 0; i < 20; i++)
		s->bins[s->count++].missing = true;
	put(s, 20, 50, 1);
	find(s, &spike_defaults);
	assert_int_equal(s->found, 0);
	series_free(s);
}

static void the_band_holds_what_is_usual(void **state)
{
	(void)state;
	struct series *s = series_new();
	struct spike_band band[300];
	put(s, 300, 20, 1.5);
	free(s->alarms);
	s->found =
	    spikes_find(s->bins, s->count, &spike_defaults, &s->alarms, band);
	size_t outside = 0;
	for (size_t i = 20; i < 300; i++) {
		assert_true(band[i].low <= band[i].expected);
		outside += s->bins[i].count > band[i].high ||
		    s->bins[i].count < band[i].low;
	}
	assert_true(outside < 5);
	series_free(s);
}

/* A made-up series with levels that come and go, and gaps. */
static void fill_series(struct spike_bin *bins, size_t count, double mean)
{
	double level = 1;
	for (size_t i = 0; i < count; i++) {
		if (uniform() < 0.02)
			level = uniform() < 0.5 ? 1 : exp(uniform() * 4 - 2);
		bins[i].count = poisson(mean * level);
		bins[i].missing = uniform() < 0.05;
	}
}

/* One state is packed, dropped and unpacked between any two bins. */
static void a_packed_state_goes_on_as_if_nothing_had_been(void **state)
{
	(void)state;
	struct spike_bin bins[600];
	size_t alarms = 0;
	random_state = 11;
	for (int round = 0; round < 30; round++) {
		struct spike_config config = { .warmup_bins = 2 + round,
			.run_length = 200,
			.season_bins = round % 3 ? 0 : 24 };
		struct spike_state *kept = spike_state_new(&config);
		struct spike_state *packed = spike_state_new(&config);
		fill_series(bins, 600, 1 + round * 3);
		for (uint64_t i = 0; i < 600; i++) {
			struct spike_step a, b;
			struct spike_band x, y;
			struct buf bytes = { 0 };
			spike_state_pack(packed, &bytes);
			spike_state_free(packed);
			packed =
			    spike_state_unpack(&config, bytes.data, bytes.len);
			assert_non_null(packed);
			buf_fini(&bytes);
			spike_state_step(kept, 1000 + i, &bins[i], &a);
			spike_state_step(packed, 1000 + i, &bins[i], &b);
			spike_state_band(kept, i, &x);
			spike_state_band(packed, i, &y);
			assert_memory_equal(&x, &y, sizeof(x));
			assert_int_equal(a.raised, b.raised);
			assert_int_equal(a.ended, b.ended);
			if (!a.ended)
				continue;
			alarms++;
			assert_int_equal(a.over.onset, b.over.onset);
			assert_int_equal(a.over.end, b.over.end);
			assert_true(a.over.observed == b.over.observed);
			assert_true(a.over.expected == b.over.expected);
			assert_string_equal(a.over.test, b.over.test);
		}
		spike_state_free(kept);
		spike_state_free(packed);
	}
	assert_true(alarms > 50);
}

static void a_state_that_is_none_is_refused(void **state)
{
	(void)state;
	struct spike_bin bins[300];
	struct spike_step step;
	struct buf bytes = { 0 };
	struct spike_config other = spike_defaults;
	struct spike_state *s = spike_state_new(&spike_defaults);
	random_state = 12;
	fill_series(bins, 300, 20);
	for (uint64_t i = 0; i < 300; i++)
		spike_state_step(s, i, &bins[i], &step);
	spike_state_pack(s, &bytes);
	spike_state_free(s);
	for (size_t len = 0; len < bytes.len; len++)
		assert_null(
		    spike_state_unpack(&spike_defaults, bytes.data, len));
	other.warmup_bins++;
	assert_null(spike_state_unpack(&other, bytes.data, bytes.len));
	/* Wrong bytes are refused, or make a state that can go on. */
	for (size_t i = 0; i < bytes.len; i++) {
		bytes.data[i] ^= 0xff;
		s = spike_state_unpack(&spike_defaults, bytes.data, bytes.len);
		if (s)
			spike_state_step(s, 300, &bins[0], &step);
		spike_state_free(s);
		bytes.data[i] ^= 0xff;
	}
	buf_fini(&bytes);
}

static void nothing_is_found_in_nothing(void **state)
{
	(void)state;
	struct spike_alarm *alarms = NULL;
	assert_int_equal(
	    spikes_find(NULL, 0, &spike_defaults, &alarms, NULL), 0);
	free(alarms);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(false_alarms_are_rarer_than_stated),
		cmocka_unit_test(netbaits_step_alarms_in_its_first_bin),
		cmocka_unit_test(a_fall_is_dated_and_the_return_is_a_rise),
		cmocka_unit_test(an_outbreak_ends_when_it_is_over),
		cmocka_unit_test(
		    a_rise_ends_a_fall_and_is_dated_from_its_own_start),
		cmocka_unit_test(a_new_worm_after_silence_alarms_at_once),
		cmocka_unit_test(one_stray_source_after_silence_is_no_news),
		cmocka_unit_test(slow_drift_is_followed),
		cmocka_unit_test(weekends_are_a_season_when_asked_for),
		cmocka_unit_test(a_rhythm_of_hours_is_no_news),
		cmocka_unit_test(a_rise_is_found_at_any_hour),
		cmocka_unit_test(a_level_that_stays_keeps_its_rhythm),
		cmocka_unit_test(missing_bins_are_not_zeros),
		cmocka_unit_test(the_band_holds_what_is_usual),
		cmocka_unit_test(nothing_is_found_in_nothing),
		cmocka_unit_test(a_packed_state_goes_on_as_if_nothing_had_been),
		cmocka_unit_test(a_state_that_is_none_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
