/* SPDX-License-Identifier: ISC */
/* The database file itself: migrations, generations, one owner. */
#include "collector/core/generation.h"
#include "collector/core/config.h"
#include "collector/collector.h"
#include "tests/collector/fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "collector/store/sqlite/schema.h"
#include "lib/base/xalloc.h"

static char *in_dir(const struct fixture *f, const char *name)
{
	return xasprintf("%s/%s", f->dir, name);
}

/* All tables and indexes as text, in order. */
static char *schema_of(struct db *db)
{
	sqlite3_stmt *row = db_query(db,
	    "SELECT group_concat(sql, ';') FROM"
	    " (SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL"
	    "  ORDER BY name)",
	    "");
	assert_int_equal(db_step(db, row, NULL), 1);
	char *text = xstrdup(db_column_text(row, 0));
	db_reset(row);
	return text;
}

static void every_older_version_becomes_the_newest(void **state)
{
	struct fixture *f = *state;
	struct errmsg msg = { "" };
	struct db fresh;
	char *path = in_dir(f, "fresh.db");
	assert_int_equal(db_open(&fresh, path, false, &msg), 0);
	assert_int_equal(db_migrate(&fresh, &store_schema, 0, &msg), 0);
	char *newest = schema_of(&fresh);
	db_close(&fresh);
	free(path);
	for (int version = 1; version < store_schema.count; version++) {
		struct db old;
		char name[24];
		int64_t kept, now;
		snprintf(name, sizeof(name), "v%d.db", version);
		path = in_dir(f, name);
		assert_int_equal(db_open(&old, path, false, &msg), 0);
		assert_int_equal(
		    db_migrate(&old, &store_schema, version, &msg), 0);
		assert_int_equal(
		    db_script(&old,
			"INSERT INTO records VALUES"
			" (1, 1, 1, 1, 5, 6, 24, NULL, 0, NULL, NULL, x'00')",
			&msg),
		    0);
		assert_int_equal(db_migrate(&old, &store_schema, 0, &msg), 0);
		char *migrated = schema_of(&old);
		assert_string_equal(migrated, newest);
		assert_int_equal(
		    db_integer(&old, &now, 0, "PRAGMA user_version", ""), 0);
		assert_int_equal(now, store_schema.count);
		assert_int_equal(db_integer(&old, &kept, 0,
				     "SELECT sum(wall_ns) FROM records", ""),
		    0);
		assert_int_equal(kept, 5);
		db_close(&old);
		free(migrated);
		free(path);
	}
	free(newest);
}

static void a_database_of_the_future_is_refused(void **state)
{
	static const char *const names[] = { "sonde.db",
		"telemetry/00000001.db", "telemetry/rollup.db" };
	struct fixture *f = *state;
	struct errmsg msg = { "" };
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct db db;
		int64_t version;
		char sql[40];
		fixture_close(f);
		char *path = in_dir(f, names[i]);
		assert_int_equal(db_open(&db, path, false, &msg), 0);
		assert_int_equal(
		    db_integer(&db, &version, 0, "PRAGMA user_version", ""), 0);
		assert_int_equal(
		    db_script(&db, "PRAGMA user_version = 1999", &msg), 0);
		assert_int_equal(
		    collector_open(&f->c, &f->config, &msg), ERR_UNSUPPORTED);
		f->c = NULL;
		assert_non_null(strstr(msg.text, "newer"));
		snprintf(
		    sql, sizeof(sql), "PRAGMA user_version = %d", (int)version);
		assert_int_equal(db_script(&db, sql, &msg), 0);
		db_close(&db);
		free(path);
		fixture_open(f);
	}
}

static void a_file_that_is_no_database_is_refused(void **state)
{
	struct fixture *f = *state;
	struct errmsg msg = { "" };
	fixture_close(f);
	char *path = in_dir(f, "telemetry/00000001.db");
	FILE *file = fopen(path, "w");
	for (int i = 0; i < 1000; i++)
		fputs("this is a letter ", file);
	fclose(file);
	assert_int_equal(collector_open(&f->c, &f->config, &msg), ERR_CORRUPT);
	f->c = NULL;
	free(path);
}

static void two_collectors_do_not_share_a_folder(void **state)
{
	struct fixture *f = *state;
	struct errmsg msg = { "" };
	struct collector *second = NULL;
	assert_true(collector_open(&second, &f->config, &msg) < 0);
	assert_non_null(strstr(msg.text, "another collector"));
}

static void copy_files(
    const struct fixture *f, const char *from, const char *to)
{
	char *command = xasprintf("rm -rf %s/%s && cp -r %s/%s %s/%s", f->dir,
	    to, f->dir, from, f->dir, to);
	assert_int_equal(system(command), 0);
	free(command);
}

static void the_generation_stays_until_a_restore(void **state)
{
	struct fixture *f = *state;
	struct synth agent;
	char first[40];
	snprintf(first, sizeof(first), "%s", collector_generation(f->c));
	assert_int_equal(strlen(first), 32);
	fixture_enrol(f, &agent, "a", NULL);
	add_log(&agent, "one");
	fixture_ship(f, &agent);
	fixture_reopen(f);
	assert_string_equal(collector_generation(f->c), first);

	fixture_close(f);
	copy_files(f, "telemetry", "backup");
	fixture_open(f);
	assert_string_equal(collector_generation(f->c), first);
	add_log(&agent, "two");
	fixture_ship(f, &agent);
	fixture_reopen(f); /* notes how far it came */
	fixture_close(f);
	copy_files(f, "backup", "telemetry");
	fixture_open(f);
	assert_string_not_equal(collector_generation(f->c), first);
	/* The agent is told where the restored one stands. */
	add_log(&agent, "three");
	struct batch_header h = { .epoch = 1,
		.gap_from = agent.next_seq,
		.first_seq = agent.next_seq,
		.count = 1 };
	struct ingest_answer a = fixture_send_as(f, &agent, &h);
	assert_int_equal(a.result, INGEST_GAP);
	assert_int_equal(a.next, 2);
	synth_fini(&agent);
}

static void a_moved_database_is_another_history(void **state)
{
	struct fixture *f = *state;
	struct synth agent;
	char first[40];
	snprintf(first, sizeof(first), "%s", collector_generation(f->c));
	fixture_enrol(f, &agent, "a", NULL);
	fixture_close(f);
	char *path = in_dir(f, "generation");
	unlink(path);
	free(path);
	fixture_open(f);
	assert_string_not_equal(collector_generation(f->c), first);
	synth_fini(&agent);
}

static void wrong_settings_are_refused_by_name(void **state)
{
	struct fixture *f = *state;
	struct errmsg msg;
	struct collector *none = NULL;
	struct collector_config config = f->config;
	config.series_bin_s = 7;
	assert_int_equal(collector_open(&none, &config, &msg), ERR_CONFIG);
	assert_non_null(strstr(msg.text, "series-bin"));
	config = f->config;
	config.alarm_bin_s = 5;
	assert_int_equal(collector_open(&none, &config, &msg), ERR_CONFIG);
	assert_non_null(strstr(msg.text, "alarm-bin"));
	config = f->config;
	config.gone_ns = 1;
	assert_int_equal(collector_open(&none, &config, &msg), ERR_CONFIG);
	assert_non_null(strstr(msg.text, "gone-after"));
}

#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(every_older_version_becomes_the_newest),
		TEST(a_database_of_the_future_is_refused),
		TEST(a_file_that_is_no_database_is_refused),
		TEST(two_collectors_do_not_share_a_folder),
		TEST(the_generation_stays_until_a_restore),
		TEST(a_moved_database_is_another_history),
		TEST(wrong_settings_are_refused_by_name),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
