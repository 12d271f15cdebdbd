/* SPDX-License-Identifier: ISC */
/* Packets of sources that an agent could not name: they count as packets,
 * never as a source. */
#include "tests/collector/fixture.h"

#include <string.h>

#include "collector/core/event-log.h"

static struct synth agent;

static void add_unnamed(
    struct synth *to, int64_t at_ns, uint64_t packets, uint32_t sources)
{
	Sonde__Sighting sighting = SONDE__SIGHTING__INIT;
	Sonde__Record record = SONDE__RECORD__INIT;
	sighting.verdict = (char *)"worm";
	sighting.signature = (char *)"slammer";
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
	add_unnamed(&agent, at_ns, 1000, 190);
	add_unnamed(&agent, at_ns, 50, 0); /* neither named nor counted */
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

static void their_packets_are_in_every_sum(void **state)
{
	json_t *answer = fixture_query(*state, query_signatures, "");
	json_t *items = json_object_get(answer, "items");
	assert_int_equal(json_array_size(items), 1);
	assert_int_equal(integer(json_array_get(items, 0), "packets"), 1007);
	assert_int_equal(integer(json_array_get(items, 0), "sources"), 2);
	json_decref(answer);

	answer = fixture_query(*state, fixture_series, "signature=slammer");
	json_int_t packets = 0, sources = 0;
	json_t *fleet = json_array_get(json_object_get(answer, "series"), 0);
	json_t *point;
	size_t i;
	assert_true(json_is_null(json_object_get(fleet, "agent")));
	json_array_foreach(json_object_get(fleet, "points"), i, point)
	{
		packets += integer(point, "packets");
		sources += integer(point, "sources");
	}
	assert_int_equal(packets, 1007);
	assert_int_equal(sources, 2);
	json_decref(answer);
}

static void they_are_no_source(void **state)
{
	json_t *answer = fixture_query(*state, query_sightings, "");
	json_t *items = json_object_get(answer, "items"), *item;
	size_t i;
	assert_int_equal(json_array_size(items), 2);
	json_array_foreach(items, i, item)
	    assert_true(json_is_string(json_object_get(item, "src")));
	json_decref(answer);
}

static void their_record_is_kept(void **state)
{
	json_t *answer =
	    fixture_query(*state, query_records, "kind=sighting&limit=10");
	assert_int_equal(json_array_size(json_object_get(answer, "items")), 4);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(their_packets_are_in_every_sum),
		cmocka_unit_test(they_are_no_source),
		cmocka_unit_test(their_record_is_kept),
		cmocka_unit_test(an_event_says_how_many_at_least),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
