/* SPDX-License-Identifier: ISC */
/*
 * One database of the first version becomes two, whatever interrupts it: the
 * judge is the content of both after a migration that nothing interrupted.
 */
#include "tests/collector/kill-vfs.h"
#include "tests/collector/fixture.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "collector/registry/registry-schema.h"
#include "collector/store/sqlite/schema.h"
#include "lib/base/buf.h"
#include "lib/base/xalloc.h"
#include "lib/sqlite/db-schema.h"

#define V1_STATE "tests/fixtures/v1/state.tar.xz"

static void in_folder(const struct fixture *f, const char *command)
{
	char *line = xasprintf("cd %s && %s", f->dir, command);
	assert_int_equal(system(line), 0);
	free(line);
}

/* A row in each of the tables that move, and records that stay. */
static void make_old(struct fixture *f)
{
	static const char rows[] =
	    "INSERT INTO agents VALUES (1, zeroblob(16), zeroblob(32), 'a',"
	    " '[]', '0.1.0', 5, 6, 7, 1, 2, 0, NULL),"
	    " (7, randomblob(16), randomblob(32), 'b', '[\"x\"]', '0.1.0', 5,"
	    " 6, 7, 1, 0, 3, x'00');"
	    "INSERT INTO watermarks VALUES (1, 1, 3, 2, 0, zeroblob(32)),"
	    " (7, 1, 4, 0, 3, zeroblob(32));"
	    "INSERT INTO tokens VALUES (zeroblob(32), NULL, '[]', 1,"
	    " 1895305600000000000, 3, 1);"
	    "INSERT INTO campaigns VALUES (3, zeroblob(16), 'ping', '[]', '{}',"
	    " '[\"all\"]', 60, 0, 1, 0);"
	    "INSERT INTO kinds VALUES (4, 'worm', 'slammer', 1, 1, 1, 1);"
	    "INSERT INTO alarms VALUES (9, 60, 4, 7, 1, 60000000000, 2, 0, 3.5,"
	    " 1.5, 'cusum', 10080);"
	    "INSERT INTO events VALUES (41, 1, 'loss',"
	    " '{\"type\":\"loss\",\"text\":\"b lost 3 records: loss\"}'),"
	    " (42, 2, 'run', '{}');"
	    "DELETE FROM events WHERE id = 42;" /* its number stays used */
	    "UPDATE meta SET value = 12 WHERE key = 'revision';"
	    "UPDATE meta SET value = zeroblob(16) WHERE key = 'generation';"
	    "INSERT INTO records VALUES"
	    " (1, 1, 1, 1, 5, 6, 24, NULL, 0, NULL, NULL, "
	    " x'090500000000000000c20100');";
	struct errmsg msg = { "" };
	struct db db;
	in_folder(f, "rm -rf sonde.db* telemetry registry.db* generation");
	char *path = xasprintf("%s/sonde.db", f->dir);
	assert_int_equal(db_open(&db, path, false, &msg), 0);
	assert_int_equal(db_migrate(&db, &store_schema, 4, &msg), 0);
	if (db_script(&db, rows, &msg) < 0)
		fail_msg("%s", msg.text);
	db_close(&db);
	free(path);
	in_folder(f, "printf '%032d 17\\n' 0 >generation");
}

static void unpack_old(struct fixture *f)
{
	char *line = xasprintf(
	    "tar xJf %s -C %s --strip-components=1", V1_STATE, f->dir);
	in_folder(f, "rm -rf sonde.db* telemetry registry.db* generation");
	assert_int_equal(system(line), 0);
	free(line);
}

static void dump_table(struct db *db, const char *table, struct buf *to)
{
	sqlite3_stmt *row;
	char *sql = xasprintf("SELECT * FROM \"%s\"", table);
	assert_int_equal(
	    sqlite3_prepare_v2(db->handle, sql, -1, &row, NULL), SQLITE_OK);
	free(sql);
	while (sqlite3_step(row) == SQLITE_ROW) {
		const char *first = db_column_text(row, 0);
		if (strcmp(table, "meta") == 0 &&
		    (strcmp(first, "history") == 0 ||
			strncmp(first, "trusted_", 8) == 0))
			continue; /* random, and of the run */
		buf_printf(to, "%s:", table);
		for (int i = 0; i < sqlite3_column_count(row); i++) {
			const void *data = sqlite3_column_blob(row, i);
			int len = sqlite3_column_bytes(row, i);
			buf_printf(to, " %d:", sqlite3_column_type(row, i));
			buf_bytes(to, data, data ? (size_t)len : 0);
		}
		buf_u8(to, '\n');
	}
	sqlite3_finalize(row);
}

static void dump_database(
    const struct fixture *f, const char *name, struct buf *to)
{
	struct db db;
	struct errmsg msg = { "" };
	char *path = xasprintf("%s/%s", f->dir, name);
	assert_int_equal(db_open(&db, path, true, &msg), 0);
	free(path);
	sqlite3_stmt *table = db_query(&db,
	    "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name",
	    "");
	while (db_step(&db, table, &msg) == 1)
		dump_table(&db, db_column_text(table, 0), to);
	db_close(&db);
}

/* Keys and meta are salted, or say when it was made. */
static void dump_partition(
    const struct fixture *f, const char *name, struct buf *to)
{
	static const char *const tables[] = { "agents", "blocks", "bodies",
		"runs", "watermarks", "digests" };
	struct db db;
	char *path = xasprintf("%s/%s", f->dir, name);
	if (access(path, F_OK) == 0) {
		assert_int_equal(db_open(&db, path, true, NULL), 0);
		for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++)
			dump_table(&db, tables[i], to);
		db_close(&db);
	}
	free(path);
}

static void dump_both(const struct fixture *f, struct buf *to)
{
	buf_clear(to);
	dump_database(f, "registry.db", to);
	for (int i = 1; i <= 9; i++) {
		char name[40];
		snprintf(name, sizeof(name), "telemetry/%08d.db", i);
		dump_partition(f, name, to);
	}
}

/* True when it was not killed. */
static bool open_and_kill(struct fixture *f, unsigned at, enum kill_lose lose)
{
	int status;
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		kill_vfs_install(at, lose, "registry.db");
		fixture_open(f);
		_exit(0);
	}
	waitpid(child, &status, 0);
	assert_true(WIFEXITED(status) ? WEXITSTATUS(status) == 0
				      : WTERMSIG(status) == SIGKILL);
	return WIFEXITED(status);
}

/* Every third write, each mode beginning at another; all of them with
 * SONDE_CRASH_ALL=1. */
static void kill_at_each(struct fixture *f, enum kill_lose lose)
{
	const char *all = getenv("SONDE_CRASH_ALL");
	unsigned stride = all && *all ? 1 : 3;
	struct buf expected = { 0 }, got = { 0 };
	bool ended = false;
	unsigned at = 1 + (unsigned)lose % stride;
	fixture_close(f);
	make_old(f);
	in_folder(f, "mkdir old && cp sonde.db generation old/");
	fixture_open(f);
	fixture_close(f);
	dump_both(f, &expected);
	while (!ended) {
		in_folder(f,
		    "rm -rf sonde.db* telemetry registry.db* generation && cp "
		    "old/* .");
		ended = open_and_kill(f, at, lose);
		fixture_open(f);
		fixture_close(f);
		dump_both(f, &got);
		if (got.len != expected.len ||
		    memcmp(got.data, expected.data, got.len) != 0)
			fail_msg("operation %u: another content", at);
		at += stride;
	}
	assert_true(at > 20);
	in_folder(f, "rm -r old");
	buf_fini(&expected);
	buf_fini(&got);
}

static void a_kill_at_any_write_changes_nothing(void **state)
{
	kill_at_each(*state, KILL_LOSES_NOTHING);
}

static void a_power_cut_at_any_write_changes_nothing(void **state)
{
	kill_at_each(*state, KILL_LOSES_ALL);
	kill_at_each(*state, KILL_LOSES_NAMED);
	kill_at_each(*state, KILL_LOSES_OTHERS);
}

/* Each attempt gets some writes further. */
static void many_interruptions_end_at_last(void **state)
{
	struct fixture *f = *state;
	struct buf expected = { 0 }, got = { 0 };
	unsigned attempts = 0, at = 10;
	fixture_close(f);
	unpack_old(f);
	fixture_open(f);
	fixture_close(f);
	dump_both(f, &expected);
	unpack_old(f);
	for (; !open_and_kill(f, at, KILL_LOSES_ALL); at += at / 2)
		attempts++;
	assert_true(attempts > 5);
	fixture_open(f);
	fixture_close(f);
	dump_both(f, &got);
	assert_int_equal(got.len, expected.len);
	assert_memory_equal(got.data, expected.data, got.len);
	buf_fini(&expected);
	buf_fini(&got);
}

static void what_was_taken_over_is_what_was_there(void **state)
{
	struct fixture *f = *state;
	fixture_close(f);
	make_old(f);
	fixture_open(f);
	static const struct {
		const char *sql;
		int64_t value;
	} rows[] = {
		{ "SELECT sum(id) FROM registry.agents", 8 },
		{ "SELECT sum(stored + lost + unnumbered) FROM watermarks", 5 },
		{ "SELECT id FROM campaigns WHERE script = 'ping'", 3 },
		{ "SELECT used_ns FROM tokens", 3 },
		{ "SELECT id FROM alarms WHERE signature = 'slammer' AND"
		  " verdict = 'worm' AND agent = 7 AND detector = 'spikes'",
		    9 },
		{ "SELECT id FROM events WHERE type = 'gap' AND data ="
		  " '{\"type\":\"gap\",\"text\":\"b lost 3 records: loss\"}'",
		    41 },
		{ "SELECT value FROM registry.meta WHERE key = 'revision'",
		    12 },
		{ "SELECT wall_ns FROM records", 5 },
		{ "SELECT value = zeroblob(16) FROM registry.meta"
		  " WHERE key = 'generation'",
		    1 },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (fixture_sql(f, rows[i].sql) != rows[i].value)
			fail_msg("%s: %lld", rows[i].sql,
			    (long long)fixture_sql(f, rows[i].sql));
	/* Numbers that were used before are not given again. */
	struct synth agent;
	fixture_enrol(f, &agent, "c", NULL);
	assert_int_equal(
	    fixture_sql(f, "SELECT max(id) FROM registry.agents"), 8);
	assert_int_equal(fixture_sql(f, "SELECT max(id) FROM events"), 43);
	synth_fini(&agent);
}

static void events_take_the_types_of_this_version(void **state)
{
	struct fixture *f = *state;
	struct errmsg msg = { "" };
	struct db db;
	int64_t renamed = 0;
	char *path = xasprintf("%s/events.db", f->dir);
	assert_int_equal(db_open(&db, path, false, &msg), 0);
	assert_int_equal(db_migrate(&db, &registry_schema, 4, &msg), 0);
	assert_int_equal(db_script(&db,
			     "INSERT INTO events (at_ns, type, data) VALUES"
			     " (1, 'loss', '{\"type\":\"loss\"}'),"
			     " (2, 'run', '{\"type\":\"run\"}')",
			     &msg),
	    0);
	assert_int_equal(
	    db_migrate(&db, &registry_schema, registry_schema.count, &msg), 0);
	assert_int_equal(db_integer(&db, &renamed, 0,
			     "SELECT count(*) FROM events WHERE"
			     " json_extract(data, '$.type') = type AND"
			     " type = iif(id = 1, 'gap', 'run')",
			     ""),
	    0);
	assert_int_equal(renamed, 2);
	db_close(&db);
	free(path);
}

/* The last version of one database for both, as the older program checks. */
static void the_older_program_refuses_what_is_left(void **state)
{
	struct fixture *f = *state;
	struct db db;
	int version;
	struct errmsg msg = { "" };
	fixture_close(f);
	make_old(f);
	fixture_open(f);
	fixture_close(f);
	char *path = xasprintf("%s/sonde.db", f->dir);
	assert_int_equal(db_open(&db, path, true, &msg), 0);
	assert_int_equal(db_version(&db, &version, &msg), 0);
	assert_int_equal(version, 1000);
	db_close(&db);
	free(path);
}

/* Nothing expires meanwhile. */
static int setup(void **state)
{
	int err = fixture_setup(state);
	struct fixture *f = *state;
	f->config.raw_age_ns = f->config.minutes_age_ns = 0;
	f->config.hours_age_ns = f->config.days_age_ns = 0;
	f->config.raw_size_bytes = 0;
	return err;
}

#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_was_taken_over_is_what_was_there),
		TEST(events_take_the_types_of_this_version),
		TEST(the_older_program_refuses_what_is_left),
		TEST(a_kill_at_any_write_changes_nothing),
		TEST(a_power_cut_at_any_write_changes_nothing),
		TEST(many_interruptions_end_at_last),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
