/* SPDX-License-Identifier: ISC */
/* Packets of sources that an agent could not name: they count as packets,
 * never as a source. */
#include "tests/collector/fixture.h"

#include <stdio.h>
#include <string.h>

#include "collector/core/event-log.h"
#include "lib/base/hex.h"
#include "lib/sqlite/db.h"

static struct synth agent;

static void add_unnamed(struct synth *to, const char *signature, int64_t at_ns,
    uint64_t packets, uint32_t sources)
{
	Sonde__Sighting sighting = SONDE__SIGHTING__INIT;
	Sonde__Record record = SONDE__RECORD__INIT;
	sighting.verdict = (char *)"worm";
	sighting.signature = (char *)signature;
	sighting.proto = 17;
	sighting.dport = 1434;
	sighting.first_wall_ns = at_ns;
	sighting.last_wall_ns = at_ns + NS_PER_S;
	sighting.packets = packets;
	sighting.targets = 1;
	sighting.sources = sources;
	record.wall_ns = at_ns;
	record.body_case = SONDE__RECORD__BODY_SIGHTING;
	record.sighting = &sighting;
	synth_add(to, &record);
}

static int setup(void **state)
{
	int err = fixture_setup(state);
	struct fixture *f = *state;
	fixture_enrol(f, &agent, "alpha", NULL);
	int64_t at_ns = f->now_ns - 60 * NS_PER_S;
	add_sighting(&agent, "198.51.100.1", "slammer", at_ns, 3);
	add_sighting(&agent, "198.51.100.2", "slammer", at_ns, 4);
	add_unnamed(&agent, "slammer", at_ns, 1000, 190);
	add_unnamed(
	    &agent, "slammer", at_ns, 50, 0); /* neither named nor counted */
	add_sighting(&agent, "198.51.100.3", "codered", at_ns, 5);
	add_unnamed(&agent, "witty", at_ns, 7, 3);
	/* Another minute, in which all are named. */
	add_sighting(
	    &agent, "198.51.100.1", "slammer", at_ns - 600 * NS_PER_S, 1);
	/* Without heartbeats no sensor watched, and there are no points. */
	for (int i = -1; i < 3; i++)
		add_heartbeat(
		    &agent, at_ns + i * 30 * NS_PER_S, 3600 * NS_PER_S, true);
	fixture_ship(f, &agent);
	return err;
}

static int teardown(void **state)
{
	synth_fini(&agent);
	return fixture_teardown(state);
}

static json_int_t integer(const json_t *object, const char *name)
{
	return json_integer_value(json_object_get(object, name));
}

static bool is_at_least(const json_t *object)
{
	json_t *flag = json_object_get(object, "sources_at_least");
	assert_true(json_is_boolean(flag));
	return json_is_true(flag);
}

static void their_packets_are_in_every_sum(void **state)
{
	json_t *answer = fixture_query(*state, query_signatures, "");
	json_t *items = json_object_get(answer, "items");
	json_t *slammer = json_array_get(items, 0);
	json_t *codered = json_array_get(items, 1);
	assert_int_equal(json_array_size(items), 3);
	assert_int_equal(integer(slammer, "packets"), 1008);
	assert_int_equal(integer(slammer, "sources"), 2);
	assert_true(is_at_least(slammer));
	assert_int_equal(integer(codered, "sources"), 1);
	assert_false(is_at_least(codered));
	json_decref(answer);
}

/* Of the bin whose sources were not all named, not of those beside it. */
static void a_count_without_them_is_marked(const json_t *series)
{
	json_int_t packets = 0, sources = 0;
	json_t *point;
	size_t i, marked = 0, unmarked = 0;
	json_array_foreach(json_object_get(series, "points"), i, point)
	{
		packets += integer(point, "packets");
		sources += integer(point, "sources");
		marked += is_at_least(point);
		unmarked += !is_at_least(point) && integer(point, "packets");
		if (is_at_least(point))
			assert_int_equal(integer(point, "packets"), 1007);
	}
	assert_int_equal(packets, 1008);
	assert_int_equal(sources, 3);
	assert_int_equal(marked, 1);
	assert_int_equal(unmarked, 1);
}

static void a_bins_count_says_that_it_is_a_lower_bound(void **state)
{
	char args[128], id[2 * AGENT_ID_LEN + 1];
	json_t *answer =
	    fixture_query(*state, fixture_series, "signature=slammer&bin=60");
	json_t *fleet = json_array_get(json_object_get(answer, "series"), 0);
	assert_true(json_is_null(json_object_get(fleet, "agent")));
	a_count_without_them_is_marked(fleet);
	json_decref(answer);

	hex_text(agent.id, sizeof(agent.id), id);
	snprintf(args, sizeof(args), "signature=slammer&bin=60&agent=%s", id);
	answer = fixture_query(*state, fixture_series, args);
	a_count_without_them_is_marked(
	    json_array_get(json_object_get(answer, "series"), 0));
	json_decref(answer);
}

static void a_restart_keeps_the_mark(void **state)
{
	fixture_reopen(*state);
	their_packets_are_in_every_sum(state);
	a_bins_count_says_that_it_is_a_lower_bound(state);
}

static void they_are_no_source(void **state)
{
	json_t *answer = fixture_query(*state, query_sightings, "");
	json_t *items = json_object_get(answer, "items"), *item;
	size_t i;
	assert_int_equal(json_array_size(items), 3);
	json_array_foreach(items, i, item)
	    assert_true(json_is_string(json_object_get(item, "src")));
	json_decref(answer);
}

static void their_record_is_kept(void **state)
{
	json_t *answer =
	    fixture_query(*state, query_records, "kind=sighting&limit=10");
	assert_int_equal(json_array_size(json_object_get(answer, "items")), 7);
	json_decref(answer);
}

static void an_event_says_how_many_at_least(void **state)
{
	struct fixture *f = *state;
	struct event got[16];
	int found = 0, n = events_after(f->c, 0, got, 16, NULL);
	for (int i = 0; i < n; i++) {
		if (strstr(got[i].data, "at least 190 sources")) {
			assert_string_equal(got[i].type, "sighting");
			found++;
		}
		event_fini(&got[i]);
	}
	assert_int_equal(found, 1);
}

/* Of such a one it is known only where there is no source at all. */
static void a_database_without_marks_opens(void **state)
{
	struct fixture *f = *state;
	struct errmsg msg = { "" };
	struct db db;
	char path[128];
	fixture_close(f);
	snprintf(path, sizeof(path), "%s/telemetry/rollup.db", f->dir);
	assert_int_equal(db_open(&db, path, false, &msg), 0);
	assert_int_equal(db_script(&db,
			     "ALTER TABLE series DROP COLUMN sources_at_least;"
			     "ALTER TABLE classes DROP COLUMN sources_at_least;"
			     "DROP TABLE unsent;"
			     "PRAGMA user_version = 1;",
			     &msg),
	    0);
	db_close(&db);
	fixture_open(f);
	json_t *answer = fixture_query(f, query_signatures, "");
	json_t *items = json_object_get(answer, "items"), *item;
	size_t i, marked = 0;
	json_array_foreach(items, i, item)
	{
		bool none = integer(item, "sources") == 0;
		assert_int_equal(is_at_least(item), none);
		marked += none;
	}
	assert_int_equal(marked, 1);
	json_decref(answer);
	answer = fixture_query(f, fixture_series, "signature=witty&bin=60");
	json_t *series = json_array_get(json_object_get(answer, "series"), 0);
	marked = 0;
	json_array_foreach(json_object_get(series, "points"), i, item) marked +=
	    is_at_least(item);
	assert_int_equal(marked, 1);
	json_decref(answer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(their_packets_are_in_every_sum),
		cmocka_unit_test(a_bins_count_says_that_it_is_a_lower_bound),
		cmocka_unit_test(they_are_no_source),
		cmocka_unit_test(their_record_is_kept),
		cmocka_unit_test(an_event_says_how_many_at_least),
		cmocka_unit_test(a_restart_keeps_the_mark),
		cmocka_unit_test(a_database_without_marks_opens),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
