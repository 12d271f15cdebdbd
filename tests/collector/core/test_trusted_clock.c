/* SPDX-License-Identifier: ISC */
/* A clock that jumps ahead takes no history with it; one that is right, and
 * that something confirms, does its work. */
#include "tests/collector/fixture.h"

#include <stdio.h>
#include <string.h>

#include "collector/core/private.h"
#include "collector/core/stats.h"
#include "collector/core/writer.h"

#define DAY_NS (86400 * NS_PER_S)
#define HOUR_NS (3600 * NS_PER_S)
#define YEAR_NS (365 * DAY_NS)

static struct synth agent, other;

static int setup(void **state)
{
	int err = fixture_setup(state);
	struct fixture *f = *state;
	fixture_close(f);
	f->config.raw_age_ns = 2 * DAY_NS;
	fixture_open(f);
	fixture_enrol(f, &agent, "a", NULL);
	fixture_enrol(f, &other, "b", NULL);
	return err;
}

static int teardown(void **state)
{
	synth_fini(&agent);
	synth_fini(&other);
	return fixture_teardown(state);
}

/* A record of the agent's own time. */
static void ship_made_at(struct fixture *f, int64_t at_ns)
{
	add_heartbeat(&agent, at_ns, NS_PER_S, false);
	fixture_ship(f, &agent);
}

/* The same, from another machine. */
static void ship_from(
    struct fixture *f, struct synth *from, const char *peer, int64_t at_ns)
{
	struct addr addr;
	struct buf body = { 0 };
	assert_int_equal(addr_parse(&addr, peer), ERR_OK);
	add_heartbeat(from, at_ns, NS_PER_S, false);
	assert_true(synth_seal(from, &body));
	struct ingest_answer answer =
	    fixture_send_from(f, &addr, body.data, body.len);
	buf_fini(&body);
	assert_int_equal(answer.result, INGEST_STORED);
}

static void assert_records(struct fixture *f, int64_t expected)
{
	for (int i = 0; i < 3; i++)
		writer_tick(f->c);
	assert_int_equal(
	    fixture_sql(f, "SELECT count(*) FROM records"), expected);
}

static void assert_doubt(struct fixture *f, bool expected)
{
	json_t *checks;
	assert_true(collector_health(f->c, &checks));
	json_t *check = json_object_get(checks, "retention");
	assert_string_equal(json_string_value(json_object_get(check, "status")),
	    expected ? "degraded" : "ok");
	const char *detail =
	    json_string_value(json_object_get(check, "detail"));
	assert_true(!strstr(detail, "--trust-clock") == !expected);
	json_decref(checks);
}

static void a_jump_ahead_deletes_nothing(void **state)
{
	struct fixture *f = *state;
	ship_made_at(f, f->now_ns);
	f->wall_ahead_ns = YEAR_NS;
	assert_records(f, 1);
	assert_doubt(f, true);
	/* The line goes on by the monotonic clock, and old things go. */
	fixture_sleep(f, 2 * DAY_NS + NS_PER_S);
	assert_records(f, 0);
	assert_doubt(f, true);
	f->wall_ahead_ns = 0;
	assert_records(f, 0);
	assert_doubt(f, false);
}

static void many_small_jumps_get_no_further_than_one(void **state)
{
	struct fixture *f = *state;
	ship_made_at(f, f->now_ns);
	for (int i = 0; i < 3 * 24 * 15; i++) {
		f->wall_ahead_ns += 240 * NS_PER_S;
		if (i % 100 == 0)
			writer_tick(f->c);
	}
	assert_records(f, 1);
	assert_doubt(f, true);
}

static void two_other_machines_agree_with_a_clock_that_was_set(void **state)
{
	struct fixture *f = *state;
	ship_made_at(f, f->now_ns);
	fixture_sleep(
	    f, 2 * HOUR_NS); /* then another day is another partition */
	f->wall_ahead_ns = YEAR_NS;
	assert_records(f, 1);
	/* An agent that was away brings old ones: they say nothing. */
	ship_from(f, &agent, "198.18.77.1", f->now_ns - DAY_NS);
	assert_records(f, 2);
	assert_doubt(f, true);
	/* Agents here have our clock. */
	ship_from(f, &agent, "127.0.0.1", f->now_ns + YEAR_NS);
	ship_from(f, &other, "127.0.0.2", f->now_ns + YEAR_NS);
	ship_from(f, &other, "::1", f->now_ns + YEAR_NS);
	ship_made_at(f, f->now_ns + YEAR_NS);
	assert_records(f, 6);
	assert_doubt(f, true);
	ship_from(f, &agent, "198.18.77.1", f->now_ns + YEAR_NS);
	assert_records(f, 7);
	assert_doubt(f, true);
	ship_from(f, &other, "198.18.77.2", f->now_ns + YEAR_NS);
	assert_records(f, 7); /* all but the first */
	assert_doubt(f, false);
}

static void a_start_far_ahead_waits_for_others(void **state)
{
	struct fixture *f = *state;
	ship_made_at(f, f->now_ns);
	assert_records(f, 1);
	fixture_close(f);
	f->wall_ahead_ns = YEAR_NS;
	fixture_open(f);
	assert_records(f, 1);
	assert_doubt(f, true);
	fixture_reopen(f);
	assert_records(f, 1);
	assert_doubt(f, true);
	ship_from(f, &agent, "198.18.77.1", f->now_ns + YEAR_NS);
	ship_from(f, &other, "198.18.77.2", f->now_ns + YEAR_NS);
	fixture_sleep(f, 660 * NS_PER_S);
	assert_records(f, 2); /* they came as the wall was ahead */
	assert_doubt(f, false);
}

/* A restart of the service is no downtime to a clock that ran on. */
static void a_restart_in_the_same_boot_is_in_no_doubt(void **state)
{
	struct fixture *f = *state;
	fixture_close(f);
	f->clock.boot = 1;
	fixture_open(f);
	assert_records(f, 0);
	ship_made_at(f, f->now_ns);
	fixture_close(f);
	fixture_sleep(f, 3 * DAY_NS);
	fixture_open(f);
	assert_records(f, 0);
	assert_doubt(f, false);
	fixture_close(f);
	fixture_sleep(f, 3 * DAY_NS);
	f->clock.boot = 2;
	fixture_open(f);
	assert_records(f, 0);
	assert_doubt(f, true);
}

/* Jump ahead, start, back, start: there is nothing to doubt. */
static void ahead_and_back_leaves_no_doubt(void **state)
{
	struct fixture *f = *state;
	ship_made_at(f, f->now_ns);
	assert_records(f, 1);
	fixture_close(f);
	f->wall_ahead_ns = YEAR_NS;
	fixture_open(f);
	ship_made_at(f, f->now_ns + YEAR_NS);
	assert_records(f, 2);
	assert_doubt(f, true);
	fixture_close(f);
	f->wall_ahead_ns = 0;
	fixture_open(f);
	assert_records(f, 2);
	assert_doubt(f, false);
	/* What came as the clock was ahead goes with what came next. */
	fixture_sleep(f, 2 * HOUR_NS);
	writer_tick(f->c);
	ship_made_at(f, f->now_ns);
	fixture_sleep(f, DAY_NS + 2 * HOUR_NS);
	ship_made_at(f, f->now_ns);
	assert_records(f, 4);
	fixture_sleep(f, 2 * DAY_NS + HOUR_NS);
	assert_records(f, 0);
	assert_doubt(f, false);
}

/* A machine without a clock of its own starts in the past. */
static void what_comes_under_a_clock_in_the_past_is_not_old(void **state)
{
	struct fixture *f = *state;
	ship_made_at(f, f->now_ns);
	assert_records(f, 1);
	fixture_close(f);
	fixture_sleep(f, DAY_NS);
	f->wall_ahead_ns = -YEAR_NS;
	fixture_open(f);
	fixture_sleep(f, 2 * HOUR_NS); /* another partition */
	writer_tick(f->c);
	ship_made_at(f, f->now_ns - YEAR_NS);
	f->wall_ahead_ns = 0;
	assert_records(f, 2);
	fixture_close(f);
	f->config.trust_clock = true;
	fixture_open(f);
	assert_records(f, 2);
	assert_doubt(f, false);
}

static void the_operator_may_trust_the_clock(void **state)
{
	struct fixture *f = *state;
	ship_made_at(f, f->now_ns);
	assert_records(f, 1);
	fixture_close(f);
	f->wall_ahead_ns = YEAR_NS;
	f->config.trust_clock = true;
	fixture_open(f);
	assert_records(f, 0);
	assert_doubt(f, false);
}

static void a_clock_that_goes_back_deletes_less(void **state)
{
	struct fixture *f = *state;
	ship_made_at(f, f->now_ns);
	fixture_sleep(f, 3 * DAY_NS);
	f->wall_ahead_ns = -3 * DAY_NS;
	assert_records(f, 1);
	assert_doubt(f, false);
	/* And back to where it was: the monotonic clock agrees. */
	f->wall_ahead_ns = 0;
	assert_records(f, 0);
	assert_doubt(f, false);
}

/* An older program left no time: what it held says when it was. */
static void without_a_last_run_the_data_decide(void **state)
{
	struct fixture *f = *state;
	ship_made_at(f, f->now_ns);
	assert_records(f, 1);
	fixture_close(f);
	fixture_sql(f, "DELETE FROM registry.meta WHERE key = 'trusted_ns'");
	f->wall_ahead_ns = YEAR_NS;
	fixture_open(f);
	assert_records(f, 1);
	assert_doubt(f, true);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_jump_ahead_deletes_nothing),
		TEST(many_small_jumps_get_no_further_than_one),
		TEST(two_other_machines_agree_with_a_clock_that_was_set),
		TEST(a_start_far_ahead_waits_for_others),
		TEST(a_restart_in_the_same_boot_is_in_no_doubt),
		TEST(ahead_and_back_leaves_no_doubt),
		TEST(what_comes_under_a_clock_in_the_past_is_not_old),
		TEST(the_operator_may_trust_the_clock),
		TEST(a_clock_that_goes_back_deletes_less),
		TEST(without_a_last_run_the_data_decide),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
