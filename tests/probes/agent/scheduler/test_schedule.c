/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "probes/agent/scheduler/schedule.h"

#define S NS_PER_S
/* The wall clock when campaigns start. */
#define START (INT64_C(1800000000) * S)

static struct campaign campaigns[300];
static struct worklist list = { .campaigns = campaigns };
static const struct boottime boot = { 1000 * S };

static void set_list(size_t count, int64_t every_s)
{
	memset(campaigns, 0, sizeof(campaigns));
	for (size_t i = 0; i < count; i++) {
		campaigns[i].id[0] = (uint8_t)i;
		campaigns[i].id[1] = (uint8_t)(i >> 8);
		campaigns[i].every_ns = every_s * S;
		campaigns[i].started_at.ns = START;
	}
	list.count = count;
}

static struct schedule *schedule_of(unsigned number)
{
	uint8_t agent[16] = { (uint8_t)number, (uint8_t)(number >> 8) };
	return schedule_new(agent);
}

/* Runs the fake clock from `from_s` to `to_s` after boot, in 10 ms steps, and
 * says when each start came (ms after boot), for one campaign or all. */
struct starts {
	int64_t at_ms[4096];
	uint64_t run[4096];
	size_t count;
};
static void play(
    struct schedule *s, int64_t from_s, int64_t to_s, struct starts *to)
{
	uint8_t id[16];
	uint64_t run;
	to->count = 0;
	for (int64_t ms = from_s * 1000; ms < to_s * 1000; ms += 10)
		while (schedule_take(
		    s, boottime_add(boot, ms * NS_PER_MS), id, &run)) {
			to->at_ms[to->count] = ms;
			to->run[to->count++] = run;
		}
}

static void agents_spread_evenly_over_the_interval(void **state)
{
	static struct starts starts;
	unsigned buckets[6] = { 0 };
	(void)state;
	set_list(1, 60);
	for (unsigned agent = 0; agent < 600; agent++) {
		struct schedule *s = schedule_of(agent);
		schedule_update(s, &list, boot, (struct walltime){ START });
		play(s, 0, 60, &starts);
		assert_int_equal(starts.count, 1);
		buckets[starts.at_ms[0] / 10000]++;
		schedule_free(s);
	}
	for (int i = 0; i < 6; i++)
		assert_in_range(buckets[i], 60, 140);
}

static void runs_keep_their_interval_and_number(void **state)
{
	static struct starts starts;
	struct schedule *s = schedule_of(1);
	(void)state;
	set_list(1, 60);
	schedule_update(s, &list, boot, (struct walltime){ START });
	play(s, 0, 600, &starts);
	assert_int_equal(starts.count, 10);
	for (size_t i = 0; i < 10; i++)
		assert_int_equal(starts.run[i], i + 1);
	for (size_t i = 1; i < 10; i++)
		assert_int_equal(starts.at_ms[i] - starts.at_ms[i - 1], 60000);
	schedule_free(s);
}

static void a_late_agent_numbers_its_runs_alike(void **state)
{
	static struct starts early, late;
	struct schedule *a = schedule_of(7), *b = schedule_of(7);
	(void)state;
	set_list(1, 60);
	schedule_update(a, &list, boot, (struct walltime){ START });
	play(a, 0, 1200, &early);
	schedule_update(b, &list, boottime_add(boot, 600 * S),
	    (struct walltime){ START + 600 * S });
	play(b, 600, 1200, &late);
	assert_int_equal(late.count, 10);
	for (size_t i = 0; i < 10; i++) {
		assert_int_equal(late.run[i], early.run[i + 10]);
		assert_int_equal(late.at_ms[i], early.at_ms[i + 10]);
	}
	schedule_free(a);
	schedule_free(b);
}

static void a_clock_that_jumps_moves_no_run(void **state)
{
	static const int64_t jumps_s[] = { -315360000, -86400, -1, 1, 86400,
		315360000 };
	static struct starts calm, jumped;
	(void)state;
	set_list(3, 30);
	for (size_t j = 0; j < 6; j++) {
		struct schedule *a = schedule_of(3), *b = schedule_of(3);
		schedule_update(a, &list, boot, (struct walltime){ START });
		schedule_update(b, &list, boot, (struct walltime){ START });
		play(a, 0, 100, &calm);
		play(b, 0, 100, &jumped);
		struct boottime later = boottime_add(boot, 100 * S);
		schedule_update(
		    a, &list, later, (struct walltime){ START + 100 * S });
		schedule_update(b, &list, later,
		    (struct walltime){ START + (100 + jumps_s[j]) * S });
		play(a, 100, 300, &calm);
		play(b, 100, 300, &jumped);
		assert_int_equal(calm.count, jumped.count);
		assert_memory_equal(
		    calm.at_ms, jumped.at_ms, calm.count * sizeof(*calm.at_ms));
		assert_memory_equal(
		    calm.run, jumped.run, calm.count * sizeof(*calm.run));
		schedule_free(a);
		schedule_free(b);
	}
}

static void many_campaigns_do_not_burst(void **state)
{
	static struct starts starts;
	struct schedule *s = schedule_of(9);
	(void)state;
	set_list(40, 0);
	schedule_update(s, &list, boot, (struct walltime){ START + 60 * S });
	play(s, 0, 60, &starts);
	assert_int_equal(starts.count, 40);
	for (size_t i = 1; i < starts.count; i++)
		assert_true(starts.at_ms[i] - starts.at_ms[i - 1] >= 200);
	schedule_free(s);
}

static void missed_starts_are_skipped_not_caught_up(void **state)
{
	static struct starts starts;
	struct schedule *s = schedule_of(1);
	(void)state;
	set_list(1, 10);
	schedule_update(s, &list, boot, (struct walltime){ START });
	play(s, 500, 505, &starts);
	assert_int_equal(starts.count, 1);
	assert_true(starts.run[0] >= 49);
	assert_true(schedule_skipped(s) >= 48);
	schedule_free(s);
}

/* As a suspend of eight hours: the time since boot leaps.  One run starts at
 * once, the others are where they would have been. */
static void a_suspend_is_no_burst_and_moves_no_run(void **state)
{
	static struct starts starts, calm;
	struct schedule *slept = schedule_of(1), *awake = schedule_of(1);
	const int64_t resumed_s = 100 + 8 * 3600;
	(void)state;
	set_list(1, 60);
	campaigns[0].until.ns = START + (resumed_s + 150) * S;
	schedule_update(slept, &list, boot, (struct walltime){ START });
	schedule_update(awake, &list, boot, (struct walltime){ START });
	play(slept, 0, 100, &starts);
	play(slept, resumed_s, resumed_s + 600, &starts);
	play(awake, 0, resumed_s, &calm);
	play(awake, resumed_s, resumed_s + 600, &calm);
	assert_in_range(calm.count, 2, 3);
	assert_int_equal(starts.count, calm.count + 1);
	assert_int_equal(starts.at_ms[0], resumed_s * 1000);
	assert_int_equal(starts.run[0], calm.run[0] - 1);
	for (size_t i = 0; i < calm.count; i++) {
		assert_int_equal(starts.at_ms[i + 1], calm.at_ms[i]);
		assert_int_equal(starts.run[i + 1], calm.run[i]);
	}
	assert_true(schedule_skipped(slept) >= 470);
	schedule_free(slept);
	schedule_free(awake);
}

static void once_is_once_and_an_end_is_an_end(void **state)
{
	static struct starts starts;
	struct schedule *s = schedule_of(1);
	(void)state;
	set_list(1, 0);
	schedule_update(s, &list, boot, (struct walltime){ START });
	play(s, 0, 100, &starts);
	assert_int_equal(starts.count, 1);
	schedule_update(s, &list, boot, (struct walltime){ START });
	play(s, 100, 200, &starts);
	assert_int_equal(starts.count, 0);
	set_list(1, 10);
	campaigns[0].until.ns = START + 35 * S;
	schedule_update(s, &list, boot, (struct walltime){ START });
	play(s, 0, 100, &starts);
	assert_in_range(starts.count, 3, 4);
	schedule_free(s);
}

static void a_hostile_date_overflows_nothing(void **state)
{
	static const int64_t dates[] = { INT64_MIN, INT64_MAX, 0, -1 };
	static struct starts starts;
	(void)state;
	for (size_t i = 0; i < 4; i++)
		for (size_t j = 0; j < 4; j++) {
			struct schedule *s = schedule_of(1);
			set_list(1, 31622400);
			campaigns[0].started_at.ns = dates[i];
			campaigns[0].until.ns = dates[j];
			schedule_update(
			    s, &list, boot, (struct walltime){ START });
			play(s, 0, 1, &starts);
			schedule_free(s);
		}
}

static void a_campaign_that_is_gone_does_not_run(void **state)
{
	static struct starts starts;
	struct schedule *s = schedule_of(1);
	(void)state;
	set_list(2, 10);
	schedule_update(s, &list, boot, (struct walltime){ START });
	set_list(0, 10);
	schedule_update(s, &list, boot, (struct walltime){ START });
	play(s, 0, 100, &starts);
	assert_int_equal(starts.count, 0);
	assert_true(schedule_next(s).ns == INT64_MAX);
	schedule_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(agents_spread_evenly_over_the_interval),
		cmocka_unit_test(runs_keep_their_interval_and_number),
		cmocka_unit_test(a_late_agent_numbers_its_runs_alike),
		cmocka_unit_test(a_clock_that_jumps_moves_no_run),
		cmocka_unit_test(many_campaigns_do_not_burst),
		cmocka_unit_test(missed_starts_are_skipped_not_caught_up),
		cmocka_unit_test(a_suspend_is_no_burst_and_moves_no_run),
		cmocka_unit_test(once_is_once_and_an_end_is_an_end),
		cmocka_unit_test(a_hostile_date_overflows_nothing),
		cmocka_unit_test(a_campaign_that_is_gone_does_not_run),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
