/* SPDX-License-Identifier: ISC */
/* The map and its links as the API shows them, from traces that were sent. */
#include "tests/collector/fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SRC "192.0.2.1"
#define DST "192.0.2.9"

static struct synth agent, other;

static const struct hop good[] = { { "10.0.0.1", 1000, 2, 2 },
	{ "10.0.0.2", 2000, 2, 2 }, { "10.0.0.3", 42000, 2, 2 },
	{ DST, 43000, 2, 2 } };

static int setup(void **state)
{
	int err = fixture_setup(state);
	fixture_enrol(*state, &agent, "alpha", NULL);
	fixture_enrol(*state, &other, "beta", NULL);
	return err;
}

static int teardown(void **state)
{
	synth_fini(&agent);
	synth_fini(&other);
	return fixture_teardown(state);
}

static json_t *find(json_t *list, const char *id)
{
	for (size_t i = 0; i < json_array_size(list); i++) {
		json_t *item = json_array_get(list, i);
		if (strcmp(json_string_value(json_object_get(item, "id")),
			id) == 0)
			return item;
	}
	return NULL;
}

static int64_t number(const json_t *object, const char *key)
{
	json_t *value = json_object_get(object, key);
	return json_is_integer(value) ? json_integer_value(value) : -1;
}

static double real(const json_t *object, const char *key)
{
	json_t *value = json_object_get(object, key);
	return json_is_number(value) ? json_number_value(value) : -1;
}

/* Within the histogram's 0.8 %, twice: a difference of two. */
static void assert_about(int64_t got, int64_t expected)
{
	if (llabs(got - expected) > expected / 30)
		fail_msg("%lld, expected about %lld", (long long)got,
		    (long long)expected);
}

static void a_trace_becomes_nodes_and_links(void **state)
{
	struct fixture *f = *state;
	for (int i = 0; i < 5; i++)
		add_trace(&agent, SRC, DST,
		    f->now_ns - (i * 60 + 30) * NS_PER_S, good, 4);
	fixture_ship(f, &agent);
	json_t *map = fixture_query(f, fixture_topology, "from=-10m");
	json_t *nodes = json_object_get(map, "nodes");
	json_t *links = json_object_get(map, "links");
	assert_int_equal(json_array_size(nodes), 5);
	assert_int_equal(json_array_size(links), 4);
	json_t *source = find(nodes, SRC), *router = find(nodes, "10.0.0.3");
	assert_string_equal(
	    json_string_value(json_object_get(source, "role")), "source");
	assert_string_equal(
	    json_string_value(json_object_get(source, "name")), "alpha");
	assert_string_equal(
	    json_string_value(json_object_get(find(nodes, DST), "role")),
	    "destination");
	assert_int_equal(number(router, "traces"), 5);
	assert_int_equal(number(router, "rtt_min_ns"), 42000000);
	assert_int_equal(json_array_size(json_object_get(router, "agents")), 1);
	json_t *slow = find(links, "10.0.0.2>10.0.0.3");
	assert_non_null(slow);
	assert_int_equal(number(slow, "traces"), 5);
	assert_about(number(slow, "delay_ns"), 40000000);
	assert_true(real(slow, "loss") == 0);
	json_decref(map);
}

static void rollups_of_each_level_draw_the_same_map(void **state)
{
	struct fixture *f = *state;
	/* Three days in the past, so hours and days are whole. */
	for (int h = 0; h < 72; h++)
		add_trace(&agent, SRC, DST,
		    DAY_START_NS - (int64_t)h * 3600 * NS_PER_S - NS_PER_S,
		    good, 4);
	fixture_ship(f, &agent);
	static const struct {
		const char *args;
		int64_t traces;
	} ranges[] = {
		{ "from=2026-11-19T00:00:00Z&to=2026-11-22T00:00:00Z", 72 },
		{ "from=2026-11-19T00:30:00Z&to=2026-11-21T23:30:00Z", 71 },
		{ "from=2026-11-20T00:00:00Z&to=2026-11-21T00:00:00Z", 24 },
		{ "from=2026-11-21T22:30:00Z&to=2026-11-21T23:30:00Z", 1 },
	};
	for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++) {
		json_t *map =
		    fixture_query(f, fixture_topology, ranges[i].args);
		json_t *slow =
		    find(json_object_get(map, "links"), "10.0.0.2>10.0.0.3");
		assert_int_equal(number(slow, "traces"), ranges[i].traces);
		assert_about(number(slow, "delay_ns"), 40000000);
		json_decref(map);
	}
}

/* Six hundred paths through the same link, each walked in sixty minutes. */
static void walk_many_paths(struct fixture *f)
{
	for (int path = 0; path < 600; path++) {
		char dst[32];
		snprintf(
		    dst, sizeof(dst), "198.18.%d.%d", path / 200, path % 200);
		const struct hop hops[] = { good[0], good[1], good[2],
			{ dst, 43000, 2, 2 } };
		for (int minute = 0; minute < 60; minute++)
			add_trace(&agent, SRC, dst,
			    DAY_START_NS + 12 * 3600 * NS_PER_S +
				minute * 60 * NS_PER_S,
			    hops, 4);
		if (path % 20 == 19)
			fixture_ship(f, &agent);
	}
}

/* Asked while much is being summed up, a map may be that of a moment ago; the
 * bound is against hanging. */
static json_t *ask_for_all(
    struct fixture *f, const char *args, const char *link, int64_t traces)
{
	struct monotime end = monotime_add(monotime_now(), 60 * NS_PER_S);
	for (;;) {
		json_t *map = fixture_query(f, fixture_topology, args);
		json_t *found = find(json_object_get(map, "links"), link);
		if (number(found, "traces") >= traces ||
		    !monotime_before(monotime_now(), end))
			return map;
		json_decref(map);
	}
}

static void many_paths_are_read_by_the_hour(void **state)
{
	struct fixture *f = *state;
	fixture_sleep(f, 59 * 60 * NS_PER_S);
	add_trace(&agent, SRC, DST, f->now_ns, good, 4);
	fixture_ship(f, &agent);
	json_t *few = fixture_query(f, fixture_topology, "from=-30m");
	assert_string_equal(json_string_value(json_object_get(few, "from")),
	    "2026-11-22T12:29:00.000000000Z");
	json_decref(few);
	walk_many_paths(f);
	/* By the minute it would begin at 12:04. */
	json_t *many =
	    ask_for_all(f, "from=-55m", "10.0.0.2>10.0.0.3", 600 * 60 + 1);
	assert_string_equal(json_string_value(json_object_get(many, "from")),
	    "2026-11-22T12:00:00.000000000Z");
	json_t *slow =
	    find(json_object_get(many, "links"), "10.0.0.2>10.0.0.3");
	assert_int_equal(number(slow, "traces"), 600 * 60 + 1);
	assert_about(number(slow, "delay_ns"), 40000000);
	json_decref(many);
}

static void lost_answers_are_loss_where_they_were_lost(void **state)
{
	struct fixture *f = *state;
	/* Behind the second router every fourth probe is lost, the whole rest
	 * of the trace with it. */
	static const struct hop cut[] = { { "10.0.0.1", 1000, 2, 2 },
		{ "10.0.0.2", 2000, 2, 2 }, { NULL, 0, 2, 0 },
		{ NULL, 0, 2, 0 }, { NULL, 0, 2, 0 } };
	for (int i = 0; i < 40; i++)
		add_trace(&agent, SRC, DST, f->now_ns - (i + 30) * NS_PER_S,
		    i % 4 ? good : cut, i % 4 ? 4 : 5);
	fixture_ship(f, &agent);
	json_t *map = fixture_query(f, fixture_topology, "from=-10m");
	json_t *links = json_object_get(map, "links");
	assert_int_equal(json_array_size(links), 4);
	assert_true(real(find(links, "10.0.0.1>10.0.0.2"), "loss") == 0);
	double loss = real(find(links, "10.0.0.2>10.0.0.3"), "loss");
	assert_true(loss > 0.24 && loss < 0.26);
	json_decref(map);
}

static void silence_is_one_node_between_its_neighbours(void **state)
{
	struct fixture *f = *state;
	static const struct hop silent[] = { { "10.0.0.1", 1000, 2, 2 },
		{ NULL, 0, 2, 0 }, { NULL, 0, 2, 0 }, { DST, 43000, 2, 2 } };
	for (int i = 0; i < 3; i++)
		add_trace(&agent, SRC, DST, f->now_ns - NS_PER_S, silent, 4);
	fixture_ship(f, &agent);
	json_t *map = fixture_query(f, fixture_topology, "from=-10m");
	json_t *nodes = json_object_get(map, "nodes");
	json_t *one = find(nodes, "?10.0.0.1~" DST "~1/2");
	assert_non_null(one);
	assert_true(json_is_null(json_object_get(one, "addr")));
	assert_int_equal(json_array_size(json_object_get(one, "agents")), 1);
	assert_non_null(find(nodes, "?10.0.0.1~" DST "~2/2"));
	/* The link out of silence can be asked for by its id. */
	json_t *series = fixture_query(
	    f, query_link_series, "id=?10.0.0.1~" DST "~2/2>" DST "&from=-10m");
	assert_int_equal(json_array_size(json_object_get(series, "bins")), 1);
	json_decref(series);
	json_decref(map);
}

static void an_agents_map_is_its_own(void **state)
{
	struct fixture *f = *state;
	static const struct hop elsewhere[] = { { "10.9.0.1", 1000, 1, 1 },
		{ DST, 2000, 1, 1 } };
	add_trace(&agent, SRC, DST, f->now_ns - NS_PER_S, good, 4);
	add_trace(&other, "192.0.2.2", DST, f->now_ns - NS_PER_S, elsewhere, 2);
	fixture_ship(f, &agent);
	fixture_ship(f, &other);
	json_t *map = fixture_query(f, fixture_topology, "agent=beta");
	json_t *nodes = json_object_get(map, "nodes");
	assert_int_equal(json_array_size(nodes), 3);
	assert_null(find(nodes, "10.0.0.1"));
	json_decref(map);
	map = fixture_query(f, fixture_topology, NULL);
	json_t *dst = find(json_object_get(map, "nodes"), DST);
	assert_int_equal(json_array_size(json_object_get(dst, "agents")), 2);
	json_decref(map);
	assert_int_equal(fixture_query_err(f, fixture_topology, "agent=nobody"),
	    ERR_NOT_FOUND);
}

static void a_links_series_follows_its_delay(void **state)
{
	struct fixture *f = *state;
	for (int minute = 0; minute < 10; minute++) {
		struct hop hops[4];
		memcpy(hops, good, sizeof(hops));
		hops[2].rtt_us = 12000 + 1000 * minute;
		hops[3].rtt_us = 60000;
		add_trace(&agent, SRC, DST,
		    f->now_ns - (10 - minute) * 60 * NS_PER_S, hops, 4);
	}
	fixture_ship(f, &agent);
	json_t *answer = fixture_query(
	    f, query_link_series, "id=10.0.0.2>10.0.0.3&from=-20m&bin=60");
	json_t *bins = json_object_get(answer, "bins");
	assert_int_equal(number(answer, "bin_s"), 60);
	assert_int_equal(json_array_size(bins), 10);
	for (size_t i = 0; i < 10; i++) {
		json_t *bin = json_array_get(bins, i);
		assert_about(number(bin, "delay_median_ns"),
		    (10000 + 1000 * (int64_t)i) * 1000);
		assert_int_equal(number(bin, "samples"), 1);
	}
	json_decref(answer);
	assert_int_equal(
	    fixture_query_err(f, query_link_series, "id=x"), ERR_NOT_FOUND);
	answer = fixture_query(f, query_link_series, "id=10.0.0.3>10.0.0.2");
	assert_int_equal(json_array_size(json_object_get(answer, "bins")), 0);
	json_decref(answer);
}

static void the_slow_and_the_lossy_link_are_the_worst(void **state)
{
	struct fixture *f = *state;
	static const struct hop near[] = { { "10.1.0.1", 1000, 2, 2 },
		{ "10.1.0.2", 1500, 2, 2 }, { DST, 2000, 2, 2 } };
	static const struct hop lossy[] = { { "10.1.0.1", 1000, 4, 4 },
		{ "10.1.0.2", 1500, 4, 2 }, { DST, 2000, 4, 2 } };
	for (int i = 0; i < 30; i++) {
		add_trace(
		    &agent, SRC, DST, f->now_ns - i * 60 * NS_PER_S, good, 4);
		add_trace(&other, "192.0.2.2", DST,
		    f->now_ns - i * 60 * NS_PER_S, i % 2 ? near : lossy, 3);
	}
	fixture_ship(f, &agent);
	fixture_ship(f, &other);
	json_t *overview = fixture_query(f, query_overview, NULL);
	json_t *worst = json_object_get(overview, "worst_links");
	json_t *slow = find(worst, "10.0.0.2>10.0.0.3");
	json_t *bad = find(worst, "10.1.0.1>10.1.0.2");
	assert_non_null(slow);
	assert_non_null(bad);
	assert_string_equal(
	    json_string_value(json_object_get(slow, "why")), "slow");
	assert_string_equal(
	    json_string_value(json_object_get(bad, "why")), "lossy");
	assert_int_equal(json_array_size(worst), 2);
	json_decref(overview);
}

static void a_verdict_names_all_that_is_wrong(void **state)
{
	struct fixture *f = *state;
	static const struct hop both[] = { { "10.2.0.1", 1000, 4, 4 },
		{ "10.2.0.2", 61000, 4, 2 }, { DST, 62000, 4, 2 } };
	/* six milliseconds are many times the usual here, and not slow */
	static const struct hop lossy[] = { { "10.3.0.1", 1000, 4, 4 },
		{ "10.3.0.2", 7000, 4, 2 }, { DST, 7100, 4, 2 } };
	static const struct hop late[] = { { "10.4.0.1", 1000, 4, 4 },
		{ "10.4.0.2", 91000, 4, 4 }, { DST, 91100, 4, 4 } };
	for (int i = 0; i < 30; i++) {
		int64_t at_ns = f->now_ns - i * 60 * NS_PER_S;
		add_trace(&agent, SRC, DST, at_ns, both, 3);
		add_trace(&other, "192.0.2.2", DST, at_ns, lossy, 3);
	}
	add_trace(&agent, SRC, DST, f->now_ns, late, 3);
	fixture_ship(f, &agent);
	fixture_ship(f, &other);
	json_t *overview = fixture_query(f, query_overview, NULL);
	json_t *worst = json_object_get(overview, "worst_links");
	json_t *first = find(worst, "10.2.0.1>10.2.0.2");
	json_t *second = find(worst, "10.3.0.1>10.3.0.2");
	assert_non_null(first);
	assert_non_null(second);
	assert_string_equal(
	    json_string_value(json_object_get(first, "why")), "slow and lossy");
	assert_string_equal(
	    json_string_value(json_object_get(second, "why")), "lossy");
	double low = json_real_value(json_object_get(second, "loss_low"));
	assert_true(low > 0.2 &&
	    low < json_real_value(json_object_get(second, "loss")));
	assert_null(find(worst, "10.4.0.1>10.4.0.2"));
	json_decref(overview);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_trace_becomes_nodes_and_links),
		TEST(rollups_of_each_level_draw_the_same_map),
		TEST(many_paths_are_read_by_the_hour),
		TEST(lost_answers_are_loss_where_they_were_lost),
		TEST(silence_is_one_node_between_its_neighbours),
		TEST(an_agents_map_is_its_own),
		TEST(a_links_series_follows_its_delay),
		TEST(the_slow_and_the_lossy_link_are_the_worst),
		TEST(a_verdict_names_all_that_is_wrong),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
