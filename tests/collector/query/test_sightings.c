/* SPDX-License-Identifier: ISC */
/* Pages of sources: each once, while records arrive, and cursors that no page
 * gave. */
#include "tests/collector/fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/sketch/census.h"

#define SOURCES 60

static struct synth agent;

static int setup(void **state)
{
	int err = fixture_setup(state);
	struct fixture *f = *state;
	fixture_enrol(f, &agent, "alpha", NULL);
	for (unsigned i = 0; i < SOURCES; i++) {
		char src[32];
		snprintf(
		    src, sizeof(src), i % 2 ? "198.51.100.%u" : "2001::%u", i);
		add_sighting(&agent, src, i % 3 ? "slammer" : "mirai",
		    f->now_ns - 60 * NS_PER_S, 1 + i % 7);
	}
	fixture_ship(f, &agent);
	return err;
}

static int teardown(void **state)
{
	synth_fini(&agent);
	return fixture_teardown(state);
}

static char *page_cursor(const json_t *page)
{
	const char *next = json_string_value(json_object_get(page, "next"));
	return next ? strdup(next) : NULL;
}

static json_t *read_page(struct fixture *f, const char *filter, char **cursor)
{
	char args[512];
	snprintf(args, sizeof(args), "%s%s%s", filter,
	    *cursor ? "&cursor=" : "", *cursor ? *cursor : "");
	json_t *page = fixture_query(f, query_sightings, args);
	free(*cursor);
	*cursor = page_cursor(page);
	return page;
}

static size_t count_source(const json_t *seen, const char *src)
{
	const json_t *item;
	size_t i, count = 0;
	json_array_foreach(seen, i, item) count +=
	    strcmp(json_string_value(item), src) == 0;
	return count;
}

static void pages_give_each_source_once(void **state)
{
	json_t *seen = json_array(), *item;
	char *cursor = NULL;
	json_int_t before = INT64_MAX;
	size_t i;
	do {
		json_t *page = read_page(*state, "limit=7", &cursor);
		json_array_foreach(json_object_get(page, "items"), i, item)
		{
			json_t *src = json_object_get(item, "src");
			json_int_t packets = json_integer_value(
			    json_object_get(item, "packets"));
			assert_true(packets <= before);
			before = packets;
			assert_int_equal(
			    count_source(seen, json_string_value(src)), 0);
			json_array_append(seen, src);
		}
		json_decref(page);
	} while (cursor);
	assert_int_equal(json_array_size(seen), SOURCES);
	json_decref(seen);
}

/* A page's end is a place among the packets: what comes later moves nothing
 * that was not given yet out of sight, unless it rose above that place. */
static void records_that_arrive_shift_no_page(void **state)
{
	struct fixture *f = *state;
	json_t *seen = json_array(), *item;
	char *cursor = NULL;
	size_t i;
	for (int pages = 0; pages == 0 || cursor; pages++) {
		json_t *page = read_page(f, "limit=10", &cursor);
		json_array_foreach(json_object_get(page, "items"), i, item)
		{
			json_t *src = json_object_get(item, "src");
			assert_int_equal(
			    count_source(seen, json_string_value(src)), 0);
			json_array_append(seen, src);
		}
		json_decref(page);
		/* New ones, above all others. */
		for (unsigned k = 0; k < 10; k++) {
			char name[32];
			snprintf(name, sizeof(name), "203.0.113.%u",
			    (unsigned)pages * 10 + k);
			add_sighting(&agent, name, "slammer",
			    f->now_ns - 50 * NS_PER_S, 1000);
		}
		fixture_ship(f, &agent);
	}
	assert_int_equal(json_array_size(seen), SOURCES);
	json_decref(seen);
}

static void a_cursor_holds_for_another_filter(void **state)
{
	char *cursor = NULL;
	json_decref(read_page(*state, "limit=5", &cursor));
	assert_non_null(cursor);
	json_decref(read_page(*state, "limit=5&signature=mirai", &cursor));
	free(cursor);
}

static void other_cursors_are_refused(void **state)
{
	struct fixture *f = *state;
	char args[512], *cursor = NULL;
	static const char *const wrong[] = { "1", "0_5", "-1", "x", "01",
		"99999999999999999999",
		/* no order; a family that there is not; too short; not hex */
		"00000000000000000104c633640100000000000000000000000000000001"
		"110000",
		"01000000000000000105c633640100000000000000000000000000000001"
		"110000",
		"02000000000000000104c633640100000000000000000000000000000001"
		"110000",
		"0100000000000000010gc633640100000000000000000000000000000001"
		"110000" };
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		snprintf(args, sizeof(args), "cursor=%s", wrong[i]);
		assert_int_equal(
		    fixture_query_err(f, query_sightings, args), ERR_USAGE);
	}
	/* One that was given, cut, lengthened, and of the largest numbers. */
	json_decref(read_page(f, "limit=5", &cursor));
	snprintf(
	    args, sizeof(args), "cursor=%.*s", (int)strlen(cursor) - 2, cursor);
	assert_int_equal(
	    fixture_query_err(f, query_sightings, args), ERR_USAGE);
	snprintf(args, sizeof(args), "cursor=%s00", cursor);
	assert_int_equal(
	    fixture_query_err(f, query_sightings, args), ERR_USAGE);
	memset(cursor + 2, 'f', 16);
	memset(cursor + 20, 'f', strlen(cursor) - 20);
	json_t *page = read_page(f, "limit=5", &cursor);
	assert_int_equal(json_array_size(json_object_get(page, "items")), 5);
	json_decref(page);
	free(cursor);
}

/* One packet each to as many addresses, minutes apart, of which the last is one
 * that was asked before. */
static void targets_of_intervals_and_agents_are_joined(void **state)
{
	static const uint32_t asked[] = { 1, 2, 3, 4, 4 };
	struct fixture *f = *state;
	struct synth beta;
	uint8_t src[] = { 192, 0, 2, 77 };
	fixture_enrol(f, &beta, "beta", NULL);
	for (size_t i = 0; i < 5; i++) {
		struct synth *from = i % 2 ? &beta : &agent;
		struct census census = { { 0 } };
		Sonde__Sighting s = SONDE__SIGHTING__INIT;
		Sonde__Record record = SONDE__RECORD__INIT;
		census_add(&census, asked[i] << 24);
		s.src = (ProtobufCBinaryData){ 4, src };
		s.verdict = (char *)"scan";
		s.signature = (char *)"";
		s.rule = (char *)"failed-contacts";
		s.proto = 6;
		s.dport = 22;
		s.first_wall_ns = s.last_wall_ns =
		    f->now_ns - (int64_t)(60 + i * 70) * NS_PER_S;
		s.packets = s.targets = 1;
		s.census =
		    (ProtobufCBinaryData){ census_len(&census), census.bytes };
		SIGHTING_SET(&s, ODDS, odds, 1000 * (i + 1));
		record.wall_ns = record.mono_ns = s.first_wall_ns;
		record.body_case = SONDE__RECORD__BODY_SIGHTING;
		record.sighting = &s;
		synth_add(from, &record);
	}
	fixture_ship(f, &agent);
	fixture_ship(f, &beta);
	json_t *page = fixture_query(f, query_sightings, "src=192.0.2.77");
	const json_t *items = json_object_get(page, "items");
	assert_int_equal(json_array_size(items), 1);
	json_int_t packets, targets, odds;
	int estimated;
	json_t *victim;
	assert_int_equal(
	    json_unpack(json_array_get(items, 0), "{s:I, s:I, s:b, s:I, s:o}",
		"packets", &packets, "targets", &targets, "targets_estimated",
		&estimated, "odds", &odds, "victim", &victim),
	    0);
	assert_int_equal(packets, 5);
	assert_int_equal(targets, 4);
	assert_false(estimated);
	assert_int_equal(odds, 5000);
	assert_true(json_is_null(victim));
	json_decref(page);
	synth_fini(&beta);
}

static void evidence_is_found_by_its_source(void **state)
{
	struct fixture *f = *state;
	uint8_t src[] = { 192, 0, 2, 78 }, packet[] = { 0x45, 0, 0, 40 };
	Sonde__Evidence e = SONDE__EVIDENCE__INIT;
	Sonde__Record record = SONDE__RECORD__INIT;
	e.src = (ProtobufCBinaryData){ 4, src };
	e.verdict = (char *)"scan";
	e.signature = (char *)"";
	e.rule = (char *)"failed-contacts";
	e.rule_version = 2;
	e.packet_wall_ns = f->now_ns;
	e.size_bytes = 40;
	e.packet = (ProtobufCBinaryData){ sizeof(packet), packet };
	record.wall_ns = record.mono_ns = f->now_ns - NS_PER_S;
	record.body_case = SONDE__RECORD__BODY_EVIDENCE;
	record.evidence = &e;
	synth_add(&agent, &record);
	fixture_ship(f, &agent);
	json_t *page = fixture_query(f, query_evidence, "src=192.0.2.78");
	const json_t *items = json_object_get(page, "items");
	assert_int_equal(json_array_size(items), 1);
	const char *rule, *hex, *from;
	json_int_t version;
	json_t *signature;
	assert_int_equal(
	    json_unpack(json_array_get(items, 0), "{s:s, s:s, s:s, s:I, s:o}",
		"rule", &rule, "hex", &hex, "src", &from, "rule_version",
		&version, "signature", &signature),
	    0);
	assert_string_equal(rule, "failed-contacts");
	assert_string_equal(hex, "45000028");
	assert_string_equal(from, "192.0.2.78");
	assert_int_equal(version, 2);
	assert_true(json_is_null(signature));
	json_decref(page);
	page = fixture_query(f, query_evidence, "src=192.0.2.79");
	assert_int_equal(json_array_size(json_object_get(page, "items")), 0);
	json_decref(page);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pages_give_each_source_once),
		cmocka_unit_test(a_cursor_holds_for_another_filter),
		cmocka_unit_test(other_cursors_are_refused),
		cmocka_unit_test(records_that_arrive_shift_no_page),
		cmocka_unit_test(targets_of_intervals_and_agents_are_joined),
		cmocka_unit_test(evidence_is_found_by_its_source),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
