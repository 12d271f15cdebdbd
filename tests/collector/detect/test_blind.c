/* SPDX-License-Identifier: ISC */
/* What sensors say of their interfaces: who watches, the alarm of one that does
 * not, and series that are missing and not zero meanwhile. */
#include "collector/core/writer.h"
#include "collector/detect/blind.h"
#include "collector/query/query.h"
#include "tests/collector/fixture.h"

static struct synth agent;
static int64_t started_ns;

static int setup(void **state)
{
	int err = fixture_setup(state);
	struct fixture *f = *state;
	fixture_enrol(f, &agent, "alpha", NULL);
	started_ns = f->now_ns;
	return err;
}

static int teardown(void **state)
{
	synth_fini(&agent);
	return fixture_teardown(state);
}

/* A span that ends now. */
static void add_span(struct fixture *f, const char *interface,
    const char *state, const char *why, int64_t length_ns, int64_t since_ns)
{
	Sonde__Coverage c = SONDE__COVERAGE__INIT;
	Sonde__Record record = SONDE__RECORD__INIT;
	c.interface = (char *)interface;
	c.state = (char *)state;
	c.why = (char *)why;
	c.first_wall_ns = f->now_ns - length_ns;
	c.last_wall_ns = f->now_ns;
	c.since_wall_ns = since_ns;
	record.wall_ns = record.mono_ns = f->now_ns;
	record.body_case = SONDE__RECORD__BODY_COVERAGE;
	record.coverage = &c;
	synth_add(&agent, &record);
}

static void a_minute(struct fixture *f, const char *state, int64_t since_ns)
{
	fixture_sleep(f, 60 * NS_PER_S);
	if (state)
		add_span(f, "eth0", state,
		    strcmp(state, "up") == 0 ? "" : "no link", 60 * NS_PER_S,
		    since_ns);
	add_heartbeat(&agent, f->now_ns, f->now_ns - started_ns, false);
	fixture_ship(f, &agent);
	fixture_settle(f);
}

static json_t *blind_alarms(struct fixture *f)
{
	json_t *answer = fixture_query(f, query_alarms, "");
	json_t *found = json_array(), *item;
	size_t i;
	json_array_foreach(json_object_get(answer, "items"), i,
	    item) if (strcmp(json_string_value(json_object_get(item,
				 "detector")),
			  "blind") == 0) json_array_append(found, item);
	json_decref(answer);
	return found;
}

static json_t *alarm_when(struct fixture *f, bool ended)
{
	writer_tick(f->c);
	json_t *found = blind_alarms(f);
	assert_int_equal(json_array_size(found), 1);
	json_t *alarm = json_array_get(found, 0);
	assert_int_equal(
	    json_is_null(json_object_get(alarm, "ended_at")), !ended);
	json_incref(alarm);
	json_decref(found);
	return alarm;
}

static json_t *the_agent(struct fixture *f)
{
	json_t *answer = fixture_query(f, query_agents, "");
	json_t *one = json_array_get(json_object_get(answer, "items"), 0);
	assert_non_null(one);
	json_incref(one);
	json_decref(answer);
	return one;
}

static void assert_watch(struct fixture *f, const char *word, int blind)
{
	json_t *one = the_agent(f);
	const char *is = json_string_value(json_object_get(one, "watch"));
	if (word)
		assert_string_equal(is, word);
	else
		assert_null(is);
	json_decref(one);
	json_t *overview = fixture_query(f, query_overview, "");
	json_t *agents = json_object_get(overview, "agents");
	assert_int_equal(
	    json_integer_value(json_object_get(agents, "blind")), blind);
	json_decref(overview);
}

static void an_interface_that_is_not_watched_is_told_and_alarms(void **state)
{
	struct fixture *f = *state;
	assert_watch(f, NULL, 0);
	a_minute(f, "up", f->now_ns);
	assert_watch(f, "all", 0);
	int64_t down_ns = f->now_ns;
	for (int i = 0; i < 4; i++) {
		a_minute(f, "down", down_ns);
		assert_watch(f, "none", 1);
		writer_tick(f->c);
		json_t *none = blind_alarms(f);
		assert_int_equal(json_array_size(none), 0);
		json_decref(none);
	}
	a_minute(f, "down", down_ns);
	a_minute(f, "down", down_ns);
	json_t *alarm = alarm_when(f, false);
	assert_string_equal(json_string_value(json_object_get(alarm, "test")),
	    "coverage of eth0");
	assert_string_equal(
	    json_string_value(json_object_get(alarm, "verdict")), "sensor");
	json_decref(alarm);
	fixture_reopen(f);
	a_minute(f, "down", down_ns);
	json_decref(alarm_when(f, false));
	a_minute(f, "up", f->now_ns);
	json_decref(alarm_when(f, true));
	assert_watch(f, "all", 0);
}

static void a_sensor_that_says_nothing_any_more_is_blind(void **state)
{
	struct fixture *f = *state;
	a_minute(f, "up", f->now_ns);
	for (int i = 0; i < 3; i++)
		a_minute(f, NULL, 0);
	assert_watch(f, "all", 0);
	for (int i = 0; i < 6; i++)
		a_minute(f, NULL, 0);
	assert_watch(f, "none", 1);
	json_decref(alarm_when(f, false));
	a_minute(f, "up", f->now_ns);
	json_decref(alarm_when(f, true));
}

static void what_is_not_configured_any_more_is_forgotten(void **state)
{
	struct fixture *f = *state;
	add_span(f, "wan0", "absent", "no such interface", 0, f->now_ns);
	a_minute(f, "up", f->now_ns);
	assert_watch(f, "some", 1);
	for (int i = 0; i < 4; i++)
		a_minute(f, "up", f->now_ns);
	assert_watch(f, "all", 0);
	/* A file that ended is no interface. */
	add_span(f, "file:x", "up", "", 0, f->now_ns);
	a_minute(f, "up", f->now_ns);
	assert_watch(f, "all", 0);
	add_span(f, "file:x", "ended", "", 0, f->now_ns);
	a_minute(f, "down", f->now_ns);
	json_t *one = the_agent(f);
	assert_int_equal(
	    json_array_size(json_object_get(one, "interfaces")), 1);
	json_decref(one);
	assert_watch(f, "none", 1);
}

/* Minutes 1 and 2 up, 3 and 4 down, 5 up, with heartbeats all along. */
static void a_series_is_missing_where_no_sensor_watched(void **state)
{
	struct fixture *f = *state;
	static const char *const states[] = { "up", "up", "down", "down",
		"up" };
	int64_t from = f->now_ns;
	add_sighting(&agent, "203.0.113.9", "slammer", f->now_ns + 1, 1);
	for (size_t i = 0; i < 5; i++)
		a_minute(f, states[i], from);
	char args[160], a[WALLTIME_TEXT_LEN], b[WALLTIME_TEXT_LEN];
	walltime_text((struct walltime){ from }, a);
	walltime_text((struct walltime){ f->now_ns }, b);
	snprintf(args, sizeof(args),
	    "signature=slammer&bin=60&from=%.19sZ&to=%.19sZ", a, b);
	json_t *answer = fixture_query(f, fixture_series, args);
	json_t *series = json_array_get(json_object_get(answer, "series"), 0);
	json_t *points = json_object_get(series, "points"), *point;
	size_t i;
	assert_int_equal(json_array_size(points), 5);
	json_array_foreach(points, i, point)
	    assert_int_equal(json_is_true(json_object_get(point, "missing")),
		strcmp(states[i], "down") == 0);
	json_decref(answer);
}

static void a_span_that_cannot_be_is_not_believed(void **state)
{
	struct fixture *f = *state;
	add_span(f, "eth0", "up", "", -60 * NS_PER_S, f->now_ns);
	add_span(f, "", "up", "", 0, f->now_ns);
	add_span(f, "eth\n0", "up", "", 0, f->now_ns);
	fixture_ship(f, &agent);
	fixture_settle(f);
	assert_watch(f, NULL, 0);
	for (int i = 0; i < 100; i++) {
		char name[16];
		snprintf(name, sizeof(name), "eth%d", i);
		add_span(f, name, "up", "", 0, f->now_ns);
	}
	fixture_ship(f, &agent);
	fixture_settle(f);
	json_t *one = the_agent(f);
	assert_int_equal(json_array_size(json_object_get(one, "interfaces")),
	    REGISTRY_INTERFACES_MOST);
	json_decref(one);
}

#define BLIND_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		BLIND_TEST(an_interface_that_is_not_watched_is_told_and_alarms),
		BLIND_TEST(a_sensor_that_says_nothing_any_more_is_blind),
		BLIND_TEST(what_is_not_configured_any_more_is_forgotten),
		BLIND_TEST(a_series_is_missing_where_no_sensor_watched),
		BLIND_TEST(a_span_that_cannot_be_is_not_believed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
