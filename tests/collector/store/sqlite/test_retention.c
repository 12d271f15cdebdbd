/* SPDX-License-Identifier: ISC */
/* What is let go, and that what stays still adds up; a full disk. */
#include "collector/core/writer.h"
#include "tests/collector/fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "collector/fleet/enrol.h"
#include "collector/core/stats.h"
#include "collector/core/private.h"

#define DAY_NS (86400 * NS_PER_S)

static struct synth agent;

/* Trimming goes by small steps, a few each tick. */
static void trim_until(struct fixture *f, const char *sql, int64_t value)
{
	for (int i = 0; i < 50 && fixture_sql(f, sql) != value; i++)
		writer_tick(f->c);
	assert_int_equal(fixture_sql(f, sql), value);
}

static void fill_day(struct fixture *f)
{
	static const struct hop hops[] = { { "10.0.0.1", 1000, 1, 1 },
		{ "192.0.2.9", 2000, 1, 1 } };
	for (int i = 0; i < 50; i++) {
		char src[32];
		snprintf(src, sizeof(src), "198.51.100.%d", i);
		add_sighting(&agent, src, "slammer", f->now_ns, 1);
		add_trace(&agent, "192.0.2.1", "192.0.2.9", f->now_ns, hops, 2);
	}
	fixture_ship(f, &agent);
}

static void old_rows_go_level_by_level(void **state)
{
	struct fixture *f = *state;
	fixture_close(f);
	f->config.raw_age_ns = 2 * DAY_NS;
	f->config.minutes_age_ns = 3 * DAY_NS;
	f->config.hours_age_ns = 5 * DAY_NS;
	f->config.days_age_ns = 7 * DAY_NS;
	fixture_open(f);
	fixture_enrol(f, &agent, "alpha", NULL);
	fill_day(f);
	assert_int_equal(fixture_sql(f, "SELECT count(*) FROM records"), 100);
	fixture_sleep(f, 2 * DAY_NS + NS_PER_S);
	trim_until(f, "SELECT count(*) FROM records", 0);
	assert_int_equal(fixture_sql(f,
			     "SELECT sum(rows) FROM parts"
			     " WHERE tbl = 1 AND fine = 1"),
	    50);
	/* The ledger stays. */
	assert_int_equal(
	    fixture_sql(f, "SELECT sum(stored) FROM watermarks"), 100);
	fixture_sleep(f, DAY_NS + 3600 * NS_PER_S);
	trim_until(f, "SELECT count(*) FROM parts WHERE fine = 1", 0);
	assert_int_equal(
	    fixture_sql(f, "SELECT sum(rows) FROM parts WHERE tbl = 1"), 50);
	fixture_sleep(f, 2 * DAY_NS + 3600 * NS_PER_S);
	trim_until(f, "SELECT count(*) FROM parts WHERE tbl IN (1, 4, 6)", 0);
	assert_int_equal(
	    fixture_sql(f, "SELECT sum(rows) FROM parts WHERE tbl IN (2, 3)"),
	    50);
	assert_int_equal(
	    fixture_sql(f, "SELECT sum(rows) FROM parts WHERE tbl = 5"), 1);
	fixture_sleep(f, 3 * DAY_NS);
	trim_until(f, "SELECT count(*) FROM parts", 0);
	trim_until(f, "SELECT count(*) FROM segments", 0);
	trim_until(f, "SELECT count(*) FROM paths", 0);
	/* The totals of days are history. */
	assert_int_equal(fixture_sql(f,
			     "SELECT sources FROM series"
			     " WHERE bin_s = 86400 AND agent = 0"),
	    50);
	synth_fini(&agent);
}

static void a_watermark_outlives_its_records(void **state)
{
	struct fixture *f = *state;
	fixture_close(f);
	f->config.raw_age_ns = DAY_NS;
	fixture_open(f);
	fixture_enrol(f, &agent, "alpha", NULL);
	add_log(&agent, "one");
	struct batch_header h = {
		.epoch = 1, .gap_from = 1, .first_seq = 1, .count = 1
	};
	assert_int_equal(fixture_send_as(f, &agent, &h).result, INGEST_STORED);
	fixture_sleep(f, 2 * DAY_NS);
	trim_until(f, "SELECT count(*) FROM records", 0);
	assert_int_equal(
	    fixture_send_as(f, &agent, &h).result, INGEST_DUPLICATE);
	buf_clear(&agent.raw);
	add_log(&agent, "another one");
	assert_int_equal(fixture_send_as(f, &agent, &h).result, INGEST_FORKED);
	synth_fini(&agent);
}

/* Hardly to be compressed. */
static void fill_text(char *text, size_t size)
{
	for (size_t i = 0; i + 1 < size; i++)
		text[i] = (char)(' ' + random() % 94);
	text[size - 1] = '\0';
}

static void the_size_is_kept_below_its_bound(void **state)
{
	struct fixture *f = *state;
	static char text[4000];
	fixture_close(f);
	f->config.raw_size_bytes = 7 << 20;
	fixture_open(f);
	fixture_enrol(f, &agent, "alpha", NULL);
	for (int i = 0; i < 3000; i++) {
		fill_text(text, sizeof(text));
		add_log(&agent, text);
		if (agent.count == 200)
			fixture_ship(f, &agent);
	}
	struct collector_metrics m = { 0 };
	for (int i = 0; i < 50 && m.records_expired < 500; i++) {
		writer_tick(f->c);
		collector_metrics(f->c, &m);
	}
	assert_true(m.records_expired >= 500);
	int64_t left = fixture_sql(f, "SELECT count(*) FROM records");
	assert_true(left < 2500);
	/* The newest stay. */
	assert_int_equal(fixture_sql(f, "SELECT max(seq) FROM records"), 3000);
	assert_int_equal(
	    fixture_sql(f, "SELECT min(seq) FROM records"), 3000 - left + 1);
	synth_fini(&agent);
}

static void a_full_disk_is_busy_and_recovers(void **state)
{
	struct fixture *f = *state;
	static char text[30000];
	fixture_close(f);
	f->config.database_max_bytes = 1 << 20;
	fixture_open(f);
	fixture_enrol(f, &agent, "alpha", NULL);
	struct ingest_answer answer = { 0 };
	int stored = 0;
	struct buf body = { 0 };
	for (; stored < 200; stored++) {
		buf_clear(&body);
		fill_text(text, sizeof(text));
		add_log(&agent, text);
		assert_true(synth_seal(&agent, &body));
		answer = fixture_send(f, body.data, body.len);
		if (answer.result != INGEST_STORED)
			break;
	}
	assert_int_equal(answer.result, INGEST_BUSY);
	assert_true(answer.retry_after_s > 0);
	assert_true(stored > 5);
	json_t *checks;
	assert_false(collector_health(f->c, &checks));
	json_decref(checks);
	/* All that was acknowledged is there, and nothing else. */
	assert_int_equal(
	    fixture_sql(f, "SELECT count(*) FROM records"), stored);
	assert_int_equal(
	    fixture_sql(f, "SELECT next FROM watermarks"), stored + 1);
	/* Reading goes on. */
	json_decref(fixture_query(f, query_agents, NULL));
	fixture_close(f);
	f->config.database_max_bytes = 0;
	fixture_open(f);
	answer = fixture_send(f, body.data, body.len);
	assert_int_equal(answer.result, INGEST_STORED);
	assert_true(collector_health(f->c, &checks));
	json_decref(checks);
	buf_fini(&body);
	synth_fini(&agent);
}

/* With room again, by retention this time, without a restart. */
static void retention_makes_room_on_a_full_disk(void **state)
{
	struct fixture *f = *state;
	static char text[30000];
	fixture_close(f);
	f->config.database_max_bytes = 1 << 20;
	f->config.raw_age_ns = DAY_NS;
	fixture_open(f);
	fixture_enrol(f, &agent, "alpha", NULL);
	struct ingest_answer answer = { .result = INGEST_STORED };
	struct buf body = { 0 };
	while (answer.result == INGEST_STORED) {
		buf_clear(&body);
		fill_text(text, sizeof(text));
		add_log(&agent, text);
		assert_true(synth_seal(&agent, &body));
		answer = fixture_send(f, body.data, body.len);
	}
	assert_int_equal(answer.result, INGEST_BUSY);
	fixture_sleep(f, 2 * DAY_NS);
	trim_until(f, "SELECT count(*) FROM records", 0);
	answer = fixture_send(f, body.data, body.len);
	assert_int_equal(answer.result, INGEST_STORED);
	buf_fini(&body);
	synth_fini(&agent);
}

#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(old_rows_go_level_by_level),
		TEST(a_watermark_outlives_its_records),
		TEST(the_size_is_kept_below_its_bound),
		TEST(a_full_disk_is_busy_and_recovers),
		TEST(retention_makes_room_on_a_full_disk),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
