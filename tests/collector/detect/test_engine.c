/* SPDX-License-Identifier: ISC */
/* Series, their band, and alarms that keep their ids. */
#include "collector/detect/engine.h"
#include "tests/collector/detect/engine-fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "collector/core/event-log.h"
#include "collector/core/stats.h"
#include "collector/core/private.h"

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
	engine_calm(f, 60);
	engine_judge(f);
	json_t *list = alarms(f, NULL);
	assert_int_equal(json_array_size(list), 0);
	json_decref(list);
}

static void an_outbreak_is_one_alarm_from_its_onset_to_its_end(void **state)
{
	struct fixture *f = *state;
	engine_calm(f, 40);
	int64_t onset_ns = f->now_ns;
	char id[24];
	for (int i = 0; i < 5; i++) {
		engine_minute(f, 80, true);
		engine_judge(f);
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
	engine_calm(f, 15);
	engine_judge(f);
	fixture_reopen(f);
	engine_judge(f);
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
	engine_calm(f, 40);
	for (int i = 0; i < 5; i++)
		engine_minute(f, 80, true);
	engine_judge(f);
	json_t *overview = fixture_query(f, query_overview, NULL);
	json_t *list = json_object_get(overview, "alarms");
	assert_int_equal(json_array_size(list), 1);
	assert_null(text(list, 0, "ended_at"));
	json_decref(overview);
	/* When nothing is on, what was last is still there. */
	engine_calm(f, 15);
	engine_judge(f);
	overview = fixture_query(f, query_overview, NULL);
	list = json_object_get(overview, "alarms");
	assert_int_equal(json_array_size(list), 1);
	assert_non_null(text(list, 0, "ended_at"));
	json_decref(overview);
}

/* It was never seen before: it is judged against the silence before it. */
static void a_worm_that_is_new_alarms_at_once(void **state)
{
	struct fixture *f = *state;
	for (int i = 0; i < 40; i++) {
		engine_minute(f, 0, true);
		engine_judge(f);
	}
	assert_int_equal(engine_count_alarms(f, "1"), 0);
	engine_minute(f, 60, true);
	engine_judge(f);
	assert_int_equal(engine_count_alarms(f, "ended_ns = 0"), 2);
}

/* A heartbeat comes late, and says that quiet minutes were watched: so many
 * that they are a fall, which one of them alone is not. */
/* LAG is 180 of these bins, more than are settled in one step. */
static void short_bins_are_judged_too(void **state)
{
	struct fixture *f = *state;
	synth_fini(&engine_agent);
	fixture_close(f);
	f->config.series_bin_s = f->config.alarm_bin_s = 5;
	fixture_open(f);
	fixture_enrol(f, &engine_agent, "beta", NULL);
	for (int i = 0; i < 60; i++) {
		add_sighting(
		    &engine_agent, "10.0.0.1", "slammer", f->now_ns, 1);
		for (unsigned k = 0; i >= 55 && k < 80; k++) {
			char src[32];
			snprintf(src, sizeof(src), "10.1.%d.%u", i, k);
			add_sighting(
			    &engine_agent, src, "slammer", f->now_ns, 1);
		}
		fixture_sleep(f, 5 * NS_PER_S);
		add_heartbeat(&engine_agent, f->now_ns - 1, 5 * NS_PER_S, true);
		fixture_ship(f, &engine_agent);
	}
	alarm(60); /* against hanging */
	engine_judge(f);
	engine_judge(f);
	alarm(0);
	json_t *list = alarms(f, "signature=slammer");
	assert_int_equal(json_array_size(list), 2);
	assert_string_equal(text(list, 0, "direction"), "rise");
	json_decref(list);
}

/* A minute with so many sources of a verdict beside the murmur. */
static void burst(struct fixture *f, const char *verdict, unsigned sources)
{
	for (unsigned k = 0; k < sources; k++) {
		char src[32];
		snprintf(src, sizeof(src), "10.9.%u.%u", k / 256, k % 256);
		add_sighting_of(
		    &engine_agent, verdict, src, "", f->now_ns + NS_PER_S, 1);
	}
	engine_minute(f, 10, true);
	engine_judge(f);
}

static void bursts_of_reflectors_are_no_outbreak_and_one_is(void **state)
{
	static const char *const silent[] = { "backscatter", "misconfiguration",
		"unrouted", "other" };
	struct fixture *f = *state;
	engine_calm(f, 60);
	engine_judge(f);
	int64_t before = engine_count_alarms(f, "1");
	for (size_t v = 0; v < 4; v++)
		for (int i = 0; i < 3; i++) {
			burst(f, silent[v], 600);
			engine_calm(f, 3);
		}
	engine_judge(f);
	assert_int_equal(engine_count_alarms(f, "1"), before);
	engine_minute(f, 600, true);
	engine_judge(f);
	/* the fleet's, and that of the one agent */
	assert_int_equal(engine_count_alarms(f, "1"), before + 2);
}

static void what_comes_late_still_counts(void **state)
{
	struct fixture *f = *state;
	static const unsigned few[] = { 3, 2, 4, 3, 3, 4, 2, 3 };
	for (int i = 0; i < 60; i++)
		engine_minute(f, few[i % 8], true);
	for (int i = 0; i < 11; i++) {
		engine_minute(f, 0, false);
		engine_judge(f);
	}
	assert_int_equal(engine_count_alarms(f, "1"), 0);
	engine_minute(f, 0, true);
	engine_judge(f);
	assert_true(engine_count_alarms(f, "direction = 1") > 0);
}

static void a_sensor_that_goes_blind_is_reported(void **state)
{
	struct fixture *f = *state;
	engine_calm(f, 30);
	engine_judge(f);
	/* The agent calls, its sensor does not count any more. */
	for (int i = 0; i < 60; i++) {
		add_heartbeat(&engine_agent, f->now_ns + 30 * NS_PER_S,
		    f->now_ns - engine_started_ns, false);
		engine_minute(f, 0, false);
		engine_judge(f);
	}
	json_t *list = alarms(f, NULL);
	assert_int_equal(json_array_size(list), 1);
	assert_string_equal(text(list, 0, "detector"), "silence");
	assert_string_equal(text(list, 0, "verdict"), "sensor");
	assert_null(text(list, 0, "ended_at"));
	json_decref(list);
	assert_int_equal(fixture_sql(f,
			     "SELECT count(*) FROM events WHERE type = 'alarm'"
			     " AND data LIKE '%sensor at alpha is blind%'"),
	    1);
	engine_calm(f, 20);
	engine_judge(f);
	assert_int_equal(engine_count_alarms(f,
			     "detector = 'silence' AND"
			     " ended_ns > 0"),
	    1);
}

/* Without calls it is the agent that is gone, and that is told elsewhere. */
static void an_agent_that_is_gone_is_not_blind(void **state)
{
	struct fixture *f = *state;
	engine_calm(f, 30);
	engine_judge(f);
	for (int i = 0; i < 60; i++) {
		fixture_sleep(f, ENGINE_BIN_NS);
		engine_judge(f);
	}
	assert_int_equal(engine_count_alarms(f, "detector = 'silence'"), 0);
}

static json_t *points(struct fixture *f, const char *args)
{
	json_t *answer = fixture_query(f, fixture_series, args);
	json_t *series = json_object_get(answer, "series");
	json_t *list =
	    json_incref(json_object_get(json_array_get(series, 0), "points"));
	json_decref(answer);
	return list;
}

static void silence_and_blindness_differ(void **state)
{
	struct fixture *f = *state;
	engine_minute(f, 5, true);
	engine_minute(f, 0, true); /* watched, saw nothing */
	int64_t restart_ns = f->now_ns + 3 * ENGINE_BIN_NS;
	engine_minute(f, 0, false);
	engine_minute(f, 0, false); /* dead for three minutes */
	engine_minute(f, 0, false);
	add_heartbeat(&engine_agent, f->now_ns + 30 * NS_PER_S,
	    f->now_ns + 30 * NS_PER_S - restart_ns, true);
	engine_minute(f, 5, false);
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
	engine_minute(f, 5, false);
	add_heartbeat(
	    &engine_agent, f->now_ns + 30 * NS_PER_S, 60 * NS_PER_S, false);
	engine_minute(f, 0, false);
	json_t *list = points(f, "from=-2m&bin=60&signature=slammer");
	assert_int_equal(json_array_size(list), 2);
	assert_true(
	    json_is_true(json_object_get(json_array_get(list, 1), "missing")));
	json_decref(list);
}

static void the_band_is_there_once_it_has_learned(void **state)
{
	struct fixture *f = *state;
	engine_calm(f, 50);
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
	engine_minute(f, 5, true);
	json_t *answer = fixture_query(f, fixture_series, "bin=10&from=-10m");
	assert_int_equal(
	    json_integer_value(json_object_get(answer, "bin_s")), 60);
	json_decref(answer);
	answer = fixture_query(f, fixture_series, "bin=3600&from=-10m");
	assert_int_equal(
	    json_integer_value(json_object_get(answer, "bin_s")), 3600);
	json_decref(answer);
	assert_int_equal(
	    fixture_query_err(f, fixture_series, "bin=x"), ERR_USAGE);
	assert_int_equal(fixture_query_err(f, fixture_series,
			     "bin=60&from=2020-01-01T00:00:00Z"),
	    ERR_USAGE);
	assert_int_equal(
	    fixture_query_err(f, fixture_series, "from=tomorrow"), ERR_USAGE);
}

#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, engine_setup, engine_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_calm_series_raises_nothing),
		TEST(an_outbreak_is_one_alarm_from_its_onset_to_its_end),
		TEST(the_overview_shows_what_is_on),
		TEST(a_worm_that_is_new_alarms_at_once),
		TEST(short_bins_are_judged_too),
		TEST(bursts_of_reflectors_are_no_outbreak_and_one_is),
		TEST(what_comes_late_still_counts),
		TEST(a_sensor_that_goes_blind_is_reported),
		TEST(an_agent_that_is_gone_is_not_blind),
		TEST(silence_and_blindness_differ),
		TEST(a_heartbeat_without_a_sensor_watches_nothing),
		TEST(the_band_is_there_once_it_has_learned),
		TEST(a_bin_that_is_not_kept_gives_the_nearest),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
