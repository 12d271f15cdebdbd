/* SPDX-License-Identifier: ISC */
/* Series, their band, and alarms that keep their ids. */
#include "collector/detect/engine.h"
#include "tests/collector/fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "collector/core/event-log.h"
#include "collector/core/stats.h"
#include "collector/core/private.h"

#define BIN_NS (60 * NS_PER_S)

static struct synth agent;
static int64_t started_ns; /* the agent */

static int setup(void **state)
{
	int err = fixture_setup(state);
	struct fixture *f = *state;
	fixture_close(f);
	f->config.alarm_warmup_bins = 20;
	f->config.alarm_settle_ns = NS_PER_S;
	fixture_open(f);
	fixture_enrol(f, &agent, "alpha", NULL);
	started_ns = f->now_ns;
	return err;
}

static int teardown(void **state)
{
	synth_fini(&agent);
	return fixture_teardown(state);
}

/* One minute: so many sources are seen, the clock goes on. */
static void minute(struct fixture *f, unsigned sources, bool heartbeat)
{
	static unsigned next = 0;
	for (unsigned i = 0; i < sources; i++, next++) {
		char src[32];
		snprintf(src, sizeof(src), "10.%u.%u.%u", next / 65536 % 256,
		    next / 256 % 256, next % 256);
		add_sighting(&agent, src, "slammer", f->now_ns + NS_PER_S, 2);
	}
	fixture_sleep(f, BIN_NS);
	if (heartbeat)
		add_heartbeat(&agent, f->now_ns - NS_PER_S,
		    f->now_ns - NS_PER_S - started_ns, true);
	if (agent.count)
		fixture_ship(f, &agent);
}

static void judge(struct fixture *f)
{
	struct errmsg msg = { "" };
	fixture_sleep(f, 2 * NS_PER_S);
	if (alarms_round(f->c, &msg) < 0)
		fail_msg("alarms_round: %s", msg.text);
	fixture_sleep(f, -2 * NS_PER_S);
}

static void calm(struct fixture *f, int minutes)
{
	static const unsigned noise[] = { 9, 11, 10, 8, 12, 10, 9, 10, 11, 10 };
	for (int i = 0; i < minutes; i++)
		minute(f, noise[i % 10], true);
}

static json_t *alarms(struct fixture *f, const char *args)
{
	json_t *answer = fixture_query(f, query_alarms, args);
	json_t *items = json_incref(json_object_get(answer, "items"));
	json_decref(answer);
	return items;
}

static const char *text(json_t *list, size_t i, const char *key)
{
	return json_string_value(json_object_get(json_array_get(list, i), key));
}

static void a_calm_series_raises_nothing(void **state)
{
	struct fixture *f = *state;
	calm(f, 60);
	judge(f);
	json_t *list = alarms(f, NULL);
	assert_int_equal(json_array_size(list), 0);
	json_decref(list);
}

static void an_outbreak_is_one_alarm_from_its_onset_to_its_end(void **state)
{
	struct fixture *f = *state;
	calm(f, 40);
	int64_t onset_ns = f->now_ns;
	char id[24];
	for (int i = 0; i < 5; i++) {
		minute(f, 80, true);
		judge(f);
	}
	json_t *list = alarms(f, "signature=slammer");
	/* The fleet's, and the agent's own. */
	assert_int_equal(json_array_size(list), 2);
	for (size_t i = 0; i < 2; i++) {
		char expected[WALLTIME_TEXT_LEN];
		walltime_text((struct walltime){ onset_ns }, expected);
		assert_string_equal(text(list, i, "onset_at"), expected);
		assert_string_equal(text(list, i, "direction"), "rise");
		assert_null(text(list, i, "ended_at"));
	}
	assert_true((text(list, 0, "agent") == NULL) !=
	    (text(list, 1, "agent") == NULL));
	/* The agent's is a part of the fleet's, which names the agent. */
	size_t own = text(list, 0, "agent") ? 0 : 1;
	assert_string_equal(
	    text(list, own, "within"), text(list, 1 - own, "id"));
	assert_null(text(list, 1 - own, "within"));
	json_t *parts =
	    json_object_get(json_array_get(list, 1 - own), "agents");
	assert_int_equal(json_array_size(parts), 1);
	assert_string_equal(json_string_value(json_array_get(parts, 0)),
	    text(list, own, "agent"));
	struct collector_metrics metrics;
	collector_metrics(f->c, &metrics);
	assert_int_equal(metrics.alarms_open, 1);
	snprintf(id, sizeof(id), "%s", text(list, 1, "id"));
	json_decref(list);
	calm(f, 15);
	judge(f);
	fixture_reopen(f);
	judge(f);
	list = alarms(f, "signature=slammer");
	assert_int_equal(json_array_size(list), 2);
	assert_string_equal(text(list, 1, "id"), id);
	assert_non_null(text(list, 0, "ended_at"));
	assert_non_null(text(list, 1, "ended_at"));
	json_decref(list);
	list = alarms(f, "signature=mirai");
	assert_int_equal(json_array_size(list), 0);
	json_decref(list);
	/* Told when it came and when it went, not again for the agent. */
	assert_int_equal(
	    fixture_sql(f, "SELECT count(*) FROM events WHERE type = 'alarm'"),
	    2);
}

static void the_overview_shows_what_is_on(void **state)
{
	struct fixture *f = *state;
	calm(f, 40);
	for (int i = 0; i < 5; i++)
		minute(f, 80, true);
	judge(f);
	json_t *overview = fixture_query(f, query_overview, NULL);
	json_t *list = json_object_get(overview, "alarms");
	assert_int_equal(json_array_size(list), 1);
	assert_null(text(list, 0, "ended_at"));
	json_decref(overview);
	/* When nothing is on, what was last is still there. */
	calm(f, 15);
	judge(f);
	overview = fixture_query(f, query_overview, NULL);
	list = json_object_get(overview, "alarms");
	assert_int_equal(json_array_size(list), 1);
	assert_non_null(text(list, 0, "ended_at"));
	json_decref(overview);
}

static json_t *points(struct fixture *f, const char *args)
{
	json_t *answer = fixture_query(f, query_series, args);
	json_t *series = json_object_get(answer, "series");
	json_t *list =
	    json_incref(json_object_get(json_array_get(series, 0), "points"));
	json_decref(answer);
	return list;
}

static void silence_and_blindness_differ(void **state)
{
	struct fixture *f = *state;
	minute(f, 5, true);
	minute(f, 0, true); /* watched, saw nothing */
	int64_t restart_ns = f->now_ns + 3 * BIN_NS;
	minute(f, 0, false);
	minute(f, 0, false); /* dead for three minutes */
	minute(f, 0, false);
	add_heartbeat(&agent, f->now_ns + 30 * NS_PER_S,
	    f->now_ns + 30 * NS_PER_S - restart_ns, true);
	minute(f, 5, false);
	json_t *list = points(f, "from=-6m&bin=60&signature=slammer");
	static const bool missing[] = { false, false, true, true, true, false };
	assert_int_equal(json_array_size(list), 6);
	for (size_t i = 0; i < 6; i++) {
		json_t *point = json_array_get(list, i);
		assert_int_equal(
		    json_is_true(json_object_get(point, "missing")),
		    missing[i]);
		assert_int_equal(
		    json_is_null(json_object_get(point, "sources")),
		    missing[i]);
	}
	json_decref(list);
}

static void a_heartbeat_without_a_sensor_watches_nothing(void **state)
{
	struct fixture *f = *state;
	minute(f, 5, false);
	add_heartbeat(&agent, f->now_ns + 30 * NS_PER_S, 60 * NS_PER_S, false);
	minute(f, 0, false);
	json_t *list = points(f, "from=-2m&bin=60&signature=slammer");
	assert_int_equal(json_array_size(list), 2);
	assert_true(
	    json_is_true(json_object_get(json_array_get(list, 1), "missing")));
	json_decref(list);
}

static void the_band_is_there_once_it_has_learned(void **state)
{
	struct fixture *f = *state;
	calm(f, 50);
	json_t *list = points(f, "from=-50m&bin=60&signature=slammer");
	assert_int_equal(json_array_size(list), 50);
	assert_true(
	    json_is_null(json_object_get(json_array_get(list, 3), "expected")));
	json_t *last = json_array_get(list, 49);
	double expected = json_number_value(json_object_get(last, "expected"));
	assert_true(expected > 8 && expected < 12);
	assert_true(json_number_value(json_object_get(last, "low")) < expected);
	assert_true(
	    json_number_value(json_object_get(last, "high")) > expected);
	json_decref(list);
}

static void a_bin_that_is_not_kept_gives_the_nearest(void **state)
{
	struct fixture *f = *state;
	minute(f, 5, true);
	json_t *answer = fixture_query(f, query_series, "bin=10&from=-10m");
	assert_int_equal(
	    json_integer_value(json_object_get(answer, "bin_s")), 60);
	json_decref(answer);
	answer = fixture_query(f, query_series, "bin=3600&from=-10m");
	assert_int_equal(
	    json_integer_value(json_object_get(answer, "bin_s")), 3600);
	json_decref(answer);
	assert_int_equal(
	    fixture_query_err(f, query_series, "bin=x"), ERR_USAGE);
	assert_int_equal(fixture_query_err(f, query_series,
			     "bin=60&from=2020-01-01T00:00:00Z"),
	    ERR_USAGE);
	assert_int_equal(
	    fixture_query_err(f, query_series, "from=tomorrow"), ERR_USAGE);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_calm_series_raises_nothing),
		TEST(an_outbreak_is_one_alarm_from_its_onset_to_its_end),
		TEST(the_overview_shows_what_is_on),
		TEST(silence_and_blindness_differ),
		TEST(a_heartbeat_without_a_sensor_watches_nothing),
		TEST(the_band_is_there_once_it_has_learned),
		TEST(a_bin_that_is_not_kept_gives_the_nearest),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
