/* SPDX-License-Identifier: ISC */
/* What an agent could not send in its day: how much, why, since when. */
#include "tests/collector/fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HOUR_NS (3600 * NS_PER_S)

static struct synth agent, other;

/* A ping of so many probes, of which none left. */
static void add_unsent(struct synth *to, Sonde__Outcome outcome,
    const char *why, uint32_t probes, int64_t at_ns)
{
	Sonde__Ping ping = SONDE__PING__INIT;
	Sonde__Record record = SONDE__RECORD__INIT;
	Sonde__Reply reply = SONDE__REPLY__INIT, *replies = &reply;
	bool denied = outcome == SONDE__OUTCOME__OUTCOME_DENIED;
	struct addr dst = addr_v4(0xc0000201);
	reply.attempt = 1;
	reply.outcome = outcome;
	*(denied ? &reply.denied : &reply.error) = (char *)(uintptr_t)why;
	ping.dst = (ProtobufCBinaryData){ 4, dst.bytes };
	ping.method = (char *)(uintptr_t) "icmp";
	ping.device = (char *)(uintptr_t)(denied ? "" : "wan0");
	ping.error = (char *)(uintptr_t)(denied ? "" : why);
	*(denied ? &ping.denied : &ping.not_sent) = probes;
	ping.replies = &replies;
	ping.n_replies = 1;
	ping.replies_left_out = probes - 1;
	record.wall_ns = at_ns;
	record.body_case = SONDE__RECORD__BODY_PING;
	record.ping = &ping;
	synth_add(to, &record);
}

/* A trace that went as far as a link that was down. */
static void add_unsent_trace(struct synth *to, int64_t at_ns)
{
	Sonde__Trace trace = SONDE__TRACE__INIT;
	Sonde__Record record = SONDE__RECORD__INIT;
	Sonde__Reply reply = SONDE__REPLY__INIT, *replies = &reply;
	struct addr dst = addr_v4(0xc0000201);
	reply.probe_ttl = reply.attempt = 1;
	reply.outcome = SONDE__OUTCOME__OUTCOME_NOT_SENT;
	reply.error = (char *)(uintptr_t) "network is down: wan0";
	trace.dst = (ProtobufCBinaryData){ 4, dst.bytes };
	trace.method = (char *)(uintptr_t) "udp";
	trace.stop_reason = (char *)(uintptr_t) "unsent";
	trace.device = (char *)(uintptr_t) "wan0";
	trace.replies = &replies;
	trace.n_replies = 1;
	record.wall_ns = at_ns;
	record.body_case = SONDE__RECORD__BODY_TRACE;
	record.trace = &trace;
	synth_add(to, &record);
}

static int setup(void **state)
{
	int err = fixture_setup(state);
	struct fixture *f = *state;
	/* In the middle of an hour. */
	fixture_sleep(f, HOUR_NS - f->now_ns % HOUR_NS + 30 * 60 * NS_PER_S);
	fixture_enrol(f, &agent, "alpha", NULL);
	fixture_enrol(f, &other, "beta", NULL);
	return err;
}

static int teardown(void **state)
{
	synth_fini(&agent);
	synth_fini(&other);
	return fixture_teardown(state);
}

/* The list of the agent's day; the caller decrefs. */
static json_t *day_of(struct fixture *f, const char *name)
{
	json_t *all = fixture_query(f, query_agents, ""), *found = NULL;
	json_t *item;
	size_t i;
	json_array_foreach(json_object_get(all, "items"), i, item)
	{
		if (strcmp(json_string_value(json_object_get(item, "name")),
			name) == 0)
			found = json_incref(json_object_get(item, "unsent"));
	}
	json_decref(all);
	assert_true(json_is_array(found));
	return found;
}

static void expect_row(const json_t *day, size_t i, const char *outcome,
    const char *reason, const char *device, int64_t probes)
{
	const json_t *row = json_array_get(day, i);
	const char *got = json_string_value(json_object_get(row, "device"));
	assert_string_equal(
	    json_string_value(json_object_get(row, "outcome")), outcome);
	assert_string_equal(
	    json_string_value(json_object_get(row, "reason")), reason);
	if (device)
		assert_string_equal(got, device);
	else
		assert_null(got);
	assert_int_equal(
	    json_integer_value(json_object_get(row, "probes")), probes);
}

static void expect_time(
    const json_t *day, size_t i, const char *key, int64_t ns)
{
	char text[WALLTIME_TEXT_LEN];
	walltime_text((struct walltime){ ns }, text);
	assert_string_equal(
	    json_string_value(json_object_get(json_array_get(day, i), key)),
	    text);
}

static int64_t in_hour(const json_t *day, size_t i, size_t hour)
{
	const json_t *hours = json_object_get(json_array_get(day, i), "hours");
	assert_int_equal(json_array_size(hours), 24);
	return json_integer_value(json_array_get(hours, hour));
}

static void a_day_says_how_many_and_why(void **state)
{
	struct fixture *f = *state;
	int64_t now = f->now_ns;
	const Sonde__Outcome unsent = SONDE__OUTCOME__OUTCOME_NOT_SENT;
	add_unsent(&agent, unsent, "network is down: wan0", 10, now);
	add_unsent(&agent, unsent, "network is down: wan0", 5, now - HOUR_NS);
	add_unsent_trace(&agent, now - 2 * HOUR_NS);
	add_unsent(&agent, unsent,
	    "message too long: by wan0 at most 1280 octets", 3, now);
	add_unsent(&agent, SONDE__OUTCOME__OUTCOME_DENIED, "private", 4, now);
	fixture_ship(f, &agent);
	add_unsent(&other, SONDE__OUTCOME__OUTCOME_DENIED, "rate-budget", 2,
	    now - 30 * HOUR_NS);
	fixture_ship(f, &other);
	for (int again = 0; again < 2; again++) {
		json_t *day = day_of(f, "alpha");
		assert_int_equal(json_array_size(day), 3);
		expect_row(day, 0, "not-sent", "network is down", "wan0", 16);
		expect_row(day, 1, "denied", "private", NULL, 4);
		expect_row(day, 2, "not-sent", "message too long", "wan0", 3);
		expect_time(day, 0, "since", now - 2 * HOUR_NS);
		expect_time(day, 0, "last_at", now);
		assert_int_equal(in_hour(day, 0, 23), 10);
		assert_int_equal(in_hour(day, 0, 22), 5);
		assert_int_equal(in_hour(day, 0, 21), 1);
		assert_int_equal(in_hour(day, 0, 20), 0);
		json_decref(day);
		day = day_of(f, "beta"); /* yesterday's */
		assert_int_equal(json_array_size(day), 0);
		json_decref(day);
		fixture_reopen(f); /* once more, and no record twice */
	}
}

/* Since when: also before the day, and not before an hour without it. */
static void a_long_failure_keeps_its_beginning(void **state)
{
	struct fixture *f = *state;
	int64_t now = f->now_ns;
	const Sonde__Outcome unsent = SONDE__OUTCOME__OUTCOME_NOT_SENT;
	for (int h = 0; h < 60; h++)
		add_unsent(&agent, unsent, "network is down: wan0", 1,
		    now - h * HOUR_NS);
	add_unsent(
	    &agent, unsent, "network is down: wan0", 1, now - 62 * HOUR_NS);
	add_unsent(&agent, unsent, "no such device: wan0", 1, now);
	add_unsent(
	    &agent, unsent, "no such device: wan0", 1, now - 3 * HOUR_NS);
	fixture_ship(f, &agent);
	json_t *day = day_of(f, "alpha");
	assert_int_equal(json_array_size(day), 2);
	expect_row(day, 0, "not-sent", "network is down", "wan0", 24);
	expect_time(day, 0, "since", now - 59 * HOUR_NS);
	expect_row(day, 1, "not-sent", "no such device", "wan0", 2);
	expect_time(day, 1, "since", now);
	json_decref(day);
}

/* No more reasons are shown than that, and no agent that is well has any. */
static void a_day_is_bounded(void **state)
{
	struct fixture *f = *state;
	for (int i = 0; i < 200; i++) {
		char why[40];
		snprintf(why, sizeof(why), "reason %d", i);
		add_unsent(&agent, SONDE__OUTCOME__OUTCOME_NOT_SENT, why,
		    (uint32_t)(1 + i), f->now_ns);
	}
	fixture_ship(f, &agent);
	add_log(&other, "well");
	fixture_ship(f, &other);
	json_t *day = day_of(f, "alpha");
	assert_int_equal(json_array_size(day), 16);
	/* What is too many is the most. */
	expect_row(
	    day, 0, "not-sent", "(more)", NULL, 200 * 201 / 2 - 64 * 65 / 2);
	json_decref(day);
	day = day_of(f, "beta");
	assert_int_equal(json_array_size(day), 0);
	json_decref(day);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_day_says_how_many_and_why),
		TEST(a_long_failure_keeps_its_beginning),
		TEST(a_day_is_bounded),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
