/* SPDX-License-Identifier: ISC */
/*
 * Rollups equal a recount by brute force: the test keeps every record it sent
 * in a list of its own and counts from that.
 */
#include "tests/collector/fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "collector/detect/engine.h"

#define AGENTS 3
#define SOURCES 40
#define RECORDS 1500

static const char *const signatures[] = { "slammer", "mirai", "" };

struct sent {
	unsigned agent, source, signature, packets;
	int64_t at_ns;
};
static struct sent sent[RECORDS];
static struct synth agents[AGENTS];

static void send_everything(struct fixture *f)
{
	srandom(11);
	for (int a = 0; a < AGENTS; a++) {
		char name[16];
		snprintf(name, sizeof(name), "agent-%c", 'a' + a);
		fixture_enrol(f, &agents[a], name, NULL);
	}
	for (int i = 0; i < RECORDS; i++) {
		struct sent *s = &sent[i];
		/* What the collector remembers of bins is gone then. */
		if (i == RECORDS / 2)
			fixture_reopen(f);
		*s = (struct sent){
			.agent = (unsigned)random() % AGENTS,
			.source = (unsigned)(random() % SOURCES) *
			    (unsigned)(random() % 2),
			.signature = (unsigned)random() % 3,
			.packets = 1 + (unsigned)random() % 9,
			/* four hours around a midnight */
			.at_ns = DAY_START_NS +
			    (random() % (4 * 3600) - 2 * 3600) * NS_PER_S,
		};
		char src[32];
		snprintf(src, sizeof(src), "198.51.100.%u", s->source);
		add_sighting(&agents[s->agent], src, signatures[s->signature],
		    s->at_ns, s->packets);
		if (agents[s->agent].count == 50)
			fixture_ship(f, &agents[s->agent]);
	}
	for (int a = 0; a < AGENTS; a++)
		if (agents[a].count)
			fixture_ship(f, &agents[a]);
}

static int setup(void **state)
{
	int err = fixture_setup(state);
	struct fixture *f = *state;
	fixture_close(f);
	f->config.series_bin_s = 10;
	fixture_open(f);
	send_everything(f);
	return err;
}

static int teardown(void **state)
{
	for (int a = 0; a < AGENTS; a++)
		synth_fini(&agents[a]);
	return fixture_teardown(state);
}

static int64_t bin_of(const struct sent *s, int64_t bin_s)
{
	int64_t at_s = s->at_ns / NS_PER_S;
	return at_s - at_s % bin_s;
}

/* Distinct sources and packets of a bin; agent -1: all. */
static void recount(int64_t bin_s, int64_t bin, unsigned signature, int agent,
    int64_t *sources, int64_t *packets)
{
	bool seen[SOURCES] = { false };
	*sources = *packets = 0;
	for (int i = 0; i < RECORDS; i++) {
		const struct sent *s = &sent[i];
		if (bin_of(s, bin_s) != bin || s->signature != signature ||
		    (agent >= 0 && s->agent != (unsigned)agent))
			continue;
		*sources += !seen[s->source];
		seen[s->source] = true;
		*packets += s->packets;
	}
}

static void check_bin(struct fixture *f, int64_t bin_s, int64_t bin,
    unsigned signature, int agent)
{
	int64_t sources, packets;
	char sql[400];
	recount(bin_s, bin, signature, agent, &sources, &packets);
	snprintf(sql, sizeof(sql),
	    "SELECT ifnull(sum(s.sources * 1000000 + s.packets), 0)"
	    " FROM series s JOIN classes k ON k.id = s.class"
	    " WHERE s.bin_s = %lld AND s.bin = %lld AND s.agent = %d"
	    " AND k.signature = '%s'",
	    (long long)bin_s, (long long)bin, agent + 1, signatures[signature]);
	assert_int_equal(fixture_sql(f, sql), sources * 1000000 + packets);
}

static void bins_equal_a_recount(void **state)
{
	struct fixture *f = *state;
	static const int64_t levels[] = { 10, 60, 3600, 86400 };
	for (int level = 0; level < 4; level++)
		for (int i = 0; i < RECORDS; i += level < 2 ? 37 : 150)
			for (int agent = -1; agent < AGENTS; agent++)
				check_bin(f, levels[level],
				    bin_of(&sent[i], levels[level]),
				    sent[i].signature, agent);
}

static void nothing_is_in_bins_that_had_nothing(void **state)
{
	struct fixture *f = *state;
	int64_t total = 0;
	for (int i = 0; i < RECORDS; i++)
		total += sent[i].packets;
	static const char *const levels[] = { "10", "60", "3600", "86400" };
	for (int level = 0; level < 4; level++) {
		char sql[200];
		snprintf(sql, sizeof(sql),
		    "SELECT sum(packets) FROM series"
		    " WHERE agent = 0 AND bin_s = %s",
		    levels[level]);
		assert_int_equal(fixture_sql(f, sql), total);
	}
}

static void totals_of_signatures_equal_a_recount(void **state)
{
	struct fixture *f = *state;
	json_t *answer = fixture_query(f, query_signatures, NULL);
	json_t *items = json_object_get(answer, "items");
	assert_int_equal(json_array_size(items), 3);
	for (size_t i = 0; i < 3; i++) {
		json_t *item = json_array_get(items, i);
		const char *name =
		    json_string_value(json_object_get(item, "signature"));
		bool seen[SOURCES] = { false };
		int64_t sources = 0, packets = 0;
		for (int k = 0; k < RECORDS; k++) {
			if (strcmp(signatures[sent[k].signature],
				name ? name : "") != 0)
				continue;
			sources += !seen[sent[k].source];
			seen[sent[k].source] = true;
			packets += sent[k].packets;
		}
		assert_int_equal(
		    json_integer_value(json_object_get(item, "sources")),
		    sources);
		assert_int_equal(
		    json_integer_value(json_object_get(item, "packets")),
		    packets);
	}
	json_decref(answer);
}

static void sightings_name_each_source_with_its_sum(void **state)
{
	struct fixture *f = *state;
	int64_t packets = 0, items = 0;
	char cursor[100] = "";
	for (bool more = true; more;) {
		char args[200];
		snprintf(args, sizeof(args),
		    "from=2026-11-21T22:00:00Z"
		    "&to=2026-11-22T02:00:00Z&signature=slammer&limit=7%s",
		    cursor);
		json_t *answer = fixture_query(f, query_sightings, args);
		json_t *list = json_object_get(answer, "items");
		const char *next =
		    json_string_value(json_object_get(answer, "next"));
		for (size_t i = 0; i < json_array_size(list); i++, items++)
			packets += json_integer_value(json_object_get(
			    json_array_get(list, i), "packets"));
		more = next != NULL;
		if (more)
			snprintf(cursor, sizeof(cursor), "&cursor=%s", next);
		json_decref(answer);
	}
	bool seen[SOURCES] = { false };
	int64_t expected = 0, sources = 0;
	for (int k = 0; k < RECORDS; k++) {
		if (sent[k].signature != 0)
			continue;
		sources += !seen[sent[k].source];
		seen[sent[k].source] = true;
		expected += sent[k].packets;
	}
	assert_int_equal(items, sources);
	assert_int_equal(packets, expected);
}

static void one_sources_sightings_can_be_asked_for(void **state)
{
	struct fixture *f = *state;
	json_t *answer = fixture_query(f, query_sightings,
	    "from=2026-11-21T22:00:00Z&to=2026-11-22T02:00:00Z"
	    "&src=198.51.100.7");
	json_t *items = json_object_get(answer, "items");
	int64_t packets = 0, expected = 0;
	for (size_t i = 0; i < json_array_size(items); i++) {
		json_t *item = json_array_get(items, i);
		assert_string_equal(
		    json_string_value(json_object_get(item, "src")),
		    "198.51.100.7");
		packets += json_integer_value(json_object_get(item, "packets"));
	}
	for (int k = 0; k < RECORDS; k++)
		if (sent[k].source == 7)
			expected += sent[k].packets;
	assert_int_equal(packets, expected);
	json_decref(answer);
}

static void a_clock_that_runs_ahead_does_not_write_the_future(void **state)
{
	struct fixture *f = *state;
	add_sighting(
	    &agents[0], "203.0.113.1", "ahead", f->now_ns + 3600 * NS_PER_S, 1);
	fixture_ship(f, &agents[0]);
	assert_int_equal(
	    fixture_sql(f, "SELECT max(bin) FROM series WHERE bin_s = 60"),
	    f->now_ns / NS_PER_S / 60 * 60);
}

static void sent_again_is_not_counted_again(void **state)
{
	struct fixture *f = *state;
	int64_t before =
	    fixture_sql(f, "SELECT sum(packets * 1000 + sources) FROM series");
	add_sighting(&agents[0], "203.0.113.1", "twice", f->now_ns, 5);
	struct batch_header h = { .epoch = 1,
		.gap_from = agents[0].next_seq,
		.first_seq = agents[0].next_seq,
		.count = 1 };
	assert_int_equal(
	    fixture_send_as(f, &agents[0], &h).result, INGEST_STORED);
	int64_t once =
	    fixture_sql(f, "SELECT sum(packets * 1000 + sources) FROM series");
	assert_int_equal(once - before, 4 * 2 * (5 * 1000 + 1));
	assert_int_equal(
	    fixture_send_as(f, &agents[0], &h).result, INGEST_DUPLICATE);
	assert_int_equal(
	    fixture_sql(f, "SELECT sum(packets * 1000 + sources) FROM series"),
	    once);
}

/* A valid batch of an agent that makes up signatures: it is stored, counted
 * under a name that says so, and nothing grows with it. */
static void made_up_signatures_are_counted_together(void **state)
{
	struct fixture *f = *state;
	struct errmsg msg = { "" };
	struct rusage usage;
	for (int i = 0; i < 60000; i++) {
		char name[16];
		snprintf(name, sizeof(name), "s%d", i);
		add_sighting(&agents[0], "203.0.113.2", name, f->now_ns, 1);
	}
	fixture_ship(f, &agents[0]);
	assert_true(fixture_sql(f, "SELECT count(*) FROM classes") <= 260);
	assert_int_equal(fixture_sql(f,
			     "SELECT sum(packets) FROM classes"
			     " WHERE signature = '(more)'"
			     " OR signature GLOB 's[0-9]*'"),
	    60000);
	fixture_sleep(f, 120 * NS_PER_S);
	assert_true(alarms_round(f->c, &msg) >= 0);
	getrusage(RUSAGE_SELF, &usage);
	assert_true(usage.ru_maxrss < 512 * 1024);
}

#define TEST(name) cmocka_unit_test(name)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(bins_equal_a_recount),
		TEST(nothing_is_in_bins_that_had_nothing),
		TEST(totals_of_signatures_equal_a_recount),
		TEST(sightings_name_each_source_with_its_sum),
		TEST(one_sources_sightings_can_be_asked_for),
		TEST(a_clock_that_runs_ahead_does_not_write_the_future),
		TEST(sent_again_is_not_counted_again),
		TEST(made_up_signatures_are_counted_together),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
