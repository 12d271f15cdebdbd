/* SPDX-License-Identifier: ISC */
/* What happens when the database is taken away or damaged: nothing is
 * acknowledged any more, and everybody is told why. */
#include "collector/core/writer.h"
#include "collector/core/generation.h"
#include "collector/collector.h"
#include "tests/collector/fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "collector/fleet/campaign.h"
#include "collector/core/database.h"
#include "collector/core/fault.h"
#include "collector/core/stats.h"
#include "collector/core/private.h"
#include "lib/base/xalloc.h"
#include "lib/sqlite/db.h"

static void in_folder(const struct fixture *f, const char *command)
{
	char *line = xasprintf("cd %s && %s", f->dir, command);
	assert_int_equal(system(line), 0);
	free(line);
}

static bool exists(const struct fixture *f, const char *name)
{
	char *path = xasprintf("%s/%s", f->dir, name);
	bool is = access(path, F_OK) == 0;
	free(path);
	return is;
}

/* The error of a campaign, or 0. */
static int submit(struct fixture *f, struct errmsg *msg)
{
	json_t *answer = NULL;
	json_t *body = json_pack("{s:s, s:[s], s:[s], s:i}", "script", "ping",
	    "targets", "192.0.2.1", "on", "all", "every_s", 60);
	int err = campaign_create(f->c, &fixture_admin, body, &answer, msg);
	json_decref(body);
	json_decref(answer);
	return err;
}

static struct ingest_answer ship_one(struct fixture *f, struct synth *agent)
{
	struct batch_header h = { .epoch = 1,
		.gap_from = agent->next_seq,
		.first_seq = agent->next_seq,
		.count = 1 };
	add_log(agent, "more");
	return fixture_send_as(f, agent, &h);
}

/* Both kinds of writes are refused with these words, and health says so. */
static void assert_refuses(
    struct fixture *f, struct synth *agent, const char *words)
{
	struct errmsg msg = { "" };
	json_t *checks;
	struct ingest_answer a = ship_one(f, agent);
	buf_fini(&agent->raw); /* it will never be sent */
	assert_int_equal(a.result, INGEST_BUSY);
	assert_int_equal(submit(f, &msg), ERR_UNAVAILABLE);
	assert_true(collector_fault(f->c, &msg));
	if (!strstr(msg.text, words))
		fail_msg("'%s' lacks '%s'", msg.text, words);
	assert_false(collector_health(f->c, &checks));
	json_t *database = json_object_get(checks, "database");
	assert_string_equal(
	    json_string_value(json_object_get(database, "detail")), msg.text);
	json_decref(checks);
	assert_int_equal(
	    fixture_query_err(f, query_agents, ""), ERR_UNAVAILABLE);
}

/* The two databases, and what each must still hold at the next start. */
static const struct database {
	const char *name, *count;
} telemetry = { "telemetry/00000001.db", "SELECT count(*) FROM records" },
  registry = { "registry.db", "SELECT count(*) FROM registry.agents" };

static void enrol_and_ship(struct fixture *f, struct synth *agent)
{
	fixture_enrol(f, agent, "a", NULL);
	add_log(agent, "one");
	fixture_ship(f, agent);
}

/* The text with the name in place of each @; the caller frees. */
static char *with_name(const char *text, const char *name)
{
	struct buf made = { 0 };
	for (; *text; text++)
		if (*text == '@')
			buf_bytes(&made, name, strlen(name));
		else
			buf_u8(&made, (uint8_t)*text);
	buf_u8(&made, 0);
	return (char *)made.data;
}

static void run_on(struct fixture *f, const char *command, const char *name)
{
	char *text = with_name(command, name);
	in_folder(f, text);
	free(text);
}

static void assert_refuses_file(
    struct fixture *f, struct synth *agent, const char *words, const char *name)
{
	char *text = with_name(words, name);
	assert_refuses(f, agent, text);
	free(text);
}

static void delete_database(struct fixture *f, const struct database *db)
{
	struct synth agent;
	struct errmsg msg = { "" };
	enrol_and_ship(f, &agent);
	assert_int_equal(submit(f, &msg), 0);
	run_on(f, "rm @", db->name);
	assert_refuses_file(f, &agent, "@ was deleted", db->name);
}

static void delete_log(struct fixture *f, const struct database *db)
{
	struct synth agent;
	enrol_and_ship(f, &agent);
	run_on(f, "rm @-wal", db->name);
	assert_refuses_file(f, &agent, "@-wal was deleted", db->name);
	/* What was acknowledged before is there at the next start. */
	fixture_reopen(f);
	assert_int_equal(fixture_sql(f, db->count), 1);
	assert_false(collector_fault(f->c, NULL));
}

static void a_replaced_folder_takes_nothing_in(void **state)
{
	struct fixture *f = *state;
	struct synth agent;
	char away[80], command[500];
	enrol_and_ship(f, &agent);
	in_folder(f, "mkdir copy && cp -r telemetry registry.db* copy/");
	snprintf(away, sizeof(away), "%s.away", f->dir);
	snprintf(command, sizeof(command), "mv %s %s && cp -r %s/copy %s",
	    f->dir, away, away, f->dir);
	assert_int_equal(system(command), 0);
	assert_refuses(f, &agent, "00000001.db was replaced");
	writer_tick(f->c);
	/* Nothing of ours gets into the other's folder, not at the end. */
	fixture_close(f);
	assert_false(exists(f, "generation"));
	assert_true(exists(f, "telemetry/00000001.db-wal"));
	assert_true(exists(f, "registry.db-wal"));
	snprintf(command, sizeof(command),
	    "cmp %s/telemetry/00000001.db-wal"
	    " %s/copy/telemetry/00000001.db-wal && "
	    "cmp %s/registry.db-wal %s/copy/registry.db-wal && rm -r %s",
	    f->dir, away, f->dir, away, away);
	assert_int_equal(system(command), 0);
}

/* Nothing comes back as an empty one in silence. */
static void a_deleted_folder_takes_nothing_in(void **state)
{
	struct fixture *f = *state;
	struct synth agent;
	char command[200];
	enrol_and_ship(f, &agent);
	snprintf(command, sizeof(command), "rm -r %s", f->dir);
	assert_int_equal(system(command), 0);
	writer_tick(f->c);
	assert_true(collector_fault(f->c, NULL));
	assert_refuses(f, &agent, "00000001.db was deleted");
	fixture_close(f);
	assert_false(exists(f, "registry.db"));
	assert_false(exists(f, "telemetry"));
}

static void empty_database(struct fixture *f, const struct database *db)
{
	struct synth agent;
	enrol_and_ship(f, &agent);
	run_on(f, ": >@", db->name);
	assert_refuses_file(f, &agent, "@ was emptied", db->name);
}

static void tick_without_database(struct fixture *f, const struct database *db)
{
	run_on(f, "rm @", db->name);
	writer_tick(f->c);
	assert_true(collector_fault(f->c, NULL));
}

#define TEST_BOTH(step)                                  \
	static void step##_of_telemetry(void **state)    \
	{                                                \
		step(*state, &telemetry);                \
	}                                                \
	static void step##_of_the_registry(void **state) \
	{                                                \
		step(*state, &registry);                 \
	}
TEST_BOTH(delete_database)
TEST_BOTH(delete_log)
TEST_BOTH(empty_database)
TEST_BOTH(tick_without_database)

/* Overwrites every page after the first, which only says what the file is. */
static void scribble(struct fixture *f, const char *name)
{
	char junk[4096], *path = xasprintf("%s/%s", f->dir, name);
	int fd = open(path, O_WRONLY);
	memset(junk, 0xa5, sizeof(junk));
	off_t end = lseek(fd, 0, SEEK_END);
	for (off_t at = sizeof(junk); at < end; at += (off_t)sizeof(junk))
		assert_int_equal(
		    pwrite(fd, junk, sizeof(junk), at), sizeof(junk));
	close(fd);
	free(path);
}

static void damage_a_reader_meets(struct fixture *f, const struct database *db)
{
	struct synth agent;
	struct errmsg msg = { "" };
	enrol_and_ship(f, &agent);
	fixture_reopen(f); /* all of it into the database, no cache */
	scribble(f, db->name);
	assert_int_equal(
	    fixture_query_err(
		f, db == &registry ? query_campaigns : query_records, ""),
	    ERR_UNAVAILABLE);
	assert_true(collector_fault(f->c, &msg));
	assert_refuses(f, &agent, "damaged");
}

static void damage_the_writer_meets(
    struct fixture *f, const struct database *db)
{
	struct synth agent;
	struct errmsg msg = { "" };
	enrol_and_ship(f, &agent);
	fixture_reopen(f);
	scribble(f, db->name);
	if (db == &registry)
		assert_int_equal(submit(f, &msg), ERR_UNAVAILABLE);
	else {
		assert_int_equal(ship_one(f, &agent).result, INGEST_BUSY);
		buf_clear(&agent.raw);
	}
	assert_true(collector_fault(f->c, &msg));
	assert_refuses(f, &agent, "damaged");
}
TEST_BOTH(damage_a_reader_meets)
TEST_BOTH(damage_the_writer_meets)

static void a_folder_that_cannot_be_asked_is_not_full(void **state)
{
	struct fixture *f = *state;
	json_t *checks;
	char away[80], command[320];
	snprintf(away, sizeof(away), "%s.away", f->dir);
	snprintf(command, sizeof(command), "mv %s %s", f->dir, away);
	assert_int_equal(system(command), 0);
	assert_false(collector_health(f->c, &checks));
	const char *detail = json_string_value(
	    json_object_get(json_object_get(checks, "disk"), "detail"));
	assert_null(strstr(detail, "free"));
	assert_non_null(strstr(detail, "No such file"));
	json_decref(checks);
	snprintf(command, sizeof(command), "mv %s %s", away, f->dir);
	assert_int_equal(system(command), 0);
}

static void assert_start_refuses(struct fixture *f, int code, const char *words)
{
	struct errmsg msg = { "" };
	assert_int_equal(collector_open(&f->c, &f->config, &msg), code);
	f->c = NULL;
	if (!strstr(msg.text, words))
		fail_msg("'%s' lacks '%s'", msg.text, words);
}

static void lose_database(struct fixture *f, const struct database *db)
{
	struct synth agent;
	char first[40], log[40];
	snprintf(first, sizeof(first), "%s", collector_generation(f->c));
	const char *slash = strrchr(db->name, '/');
	snprintf(
	    log, sizeof(log), "see '%s-wal'", slash ? slash + 1 : db->name);
	enrol_and_ship(f, &agent);
	synth_fini(&agent);
	run_on(f, "cp @-wal kept && cp @-wal other", db->name);
	fixture_close(f);
	run_on(f, "cp @ backup && rm @", db->name);
	assert_start_refuses(f, -ENOENT, "database is missing");
	run_on(f, ": >@", db->name);
	assert_start_refuses(f, -ENOENT, "database is empty");
	run_on(f, "rm @ generation && mv kept @-wal", db->name);
	assert_start_refuses(f, -ENOENT, log);
	run_on(f, ": >@", db->name);
	assert_start_refuses(f, -ENOENT, log);
	run_on(f, "cmp @-wal other", db->name);
	/* Asked to, it begins from scratch, and keeps the log that it found. */
	f->config.new_database = true;
	fixture_open(f);
	assert_string_not_equal(collector_generation(f->c), first);
	assert_int_equal(fixture_sql(f, db->count), 0);
	run_on(f, "cmp @-wal.orphan1 other", db->name);
	fixture_close(f);
	assert_start_refuses(f, -EEXIST, "there is a database");
	f->config.new_database = false;
	/* A backup needs no option. */
	run_on(f, "cp backup @", db->name);
	fixture_open(f);
	assert_int_equal(fixture_sql(f, db->count), 1);
}
TEST_BOTH(lose_database)

static void a_first_start_that_was_cut_short_is_one_again(void **state)
{
	struct fixture *f = *state;
	fixture_close(f);
	in_folder(f,
	    "rm -r sonde.db* telemetry/* generation &&"
	    " : >telemetry/00000001.db");
	fixture_open(f);
}

static void assert_finds(struct fixture *f, const char *words)
{
	char *findings;
	struct errmsg msg = { "" };
	assert_int_equal(collector_inspect(f->dir, &findings, &msg), 0);
	if (words)
		assert_non_null(strstr(findings, words));
	else
		assert_string_equal(findings, "");
	free(findings);
}

static void an_inspection_finds_the_damage(void **state)
{
	struct fixture *f = *state;
	struct synth agent;
	struct errmsg msg = { "" };
	char *findings;
	enrol_and_ship(f, &agent);
	synth_fini(&agent);
	assert_finds(f, NULL);
	fixture_close(f);
	in_folder(f, "cp registry.db kept");
	scribble(f, "registry.db");
	assert_finds(f, "registry.db: ");
	in_folder(f, "cp kept registry.db");
	assert_finds(f, NULL);
	in_folder(f, "mv registry.db kept");
	assert_finds(f, "registry.db: is missing\n");
	in_folder(f, "mv kept registry.db && mv telemetry/rollup.db kept");
	assert_finds(f, "rollup.db: is missing\n");
	in_folder(f, "mv kept telemetry/rollup.db");
	scribble(f, telemetry.name);
	assert_finds(f, "00000001.db: ");
	in_folder(f, ": >telemetry/00000001.db");
	assert_finds(f, "00000001.db: is empty\n");
	in_folder(f, "cp registry.db sonde.db");
	scribble(f, "sonde.db");
	assert_finds(f, "sonde.db: ");
	in_folder(f, "rm -r telemetry");
	assert_true(collector_inspect(f->dir, &findings, &msg) < 0);
}

/* Which file it was is what must be known to put a backup of it back. */
static void damage_met_at_the_start_is_named(void **state)
{
	struct fixture *f = *state;
	struct synth agent;
	struct db db;
	enrol_and_ship(f, &agent);
	synth_fini(&agent);
	fixture_close(f);
	char *path = xasprintf("%s/%s", f->dir, telemetry.name);
	assert_int_equal(db_open(&db, path, false, NULL), 0);
	assert_int_equal(
	    db_script(
		&db, "UPDATE bodies SET body = zeroblob(length(body))", NULL),
	    0);
	db_close(&db);
	free(path);
	assert_start_refuses(f, ERR_CORRUPT, "00000001.db: block 1: ");
}

/* The file of the first version, or the stub that stands where it was. */
static void a_damaged_stub_is_named_with_what_to_do(void **state)
{
	struct fixture *f = *state;
	fixture_close(f);
	in_folder(f, "head -c 8192 /dev/zero | tr '\\0' x >sonde.db");
	assert_finds(f, "sonde.db: ");
	assert_start_refuses(f, ERR_CORRUPT,
	    "sonde.db: expected the stub that stands where an older version's "
	    "database was, got: database: file is not a database; there is "
	    "nothing in it: remove it and start again");
	in_folder(f, "head -c 99999 /dev/zero | tr '\\0' x >sonde.db");
	assert_start_refuses(f, ERR_CORRUPT, "put a backup in its place");
	in_folder(f, "rm sonde.db");
	fixture_open(f);
	assert_finds(f, NULL);
	assert_true(exists(f, "sonde.db"));
}

#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(delete_database_of_telemetry),
		TEST(delete_database_of_the_registry),
		TEST(delete_log_of_telemetry),
		TEST(delete_log_of_the_registry),
		TEST(empty_database_of_telemetry),
		TEST(empty_database_of_the_registry),
		TEST(tick_without_database_of_telemetry),
		TEST(tick_without_database_of_the_registry),
		TEST(damage_a_reader_meets_of_telemetry),
		TEST(damage_a_reader_meets_of_the_registry),
		TEST(damage_the_writer_meets_of_telemetry),
		TEST(damage_the_writer_meets_of_the_registry),
		TEST(lose_database_of_telemetry),
		TEST(lose_database_of_the_registry),
		TEST(a_replaced_folder_takes_nothing_in),
		TEST(a_folder_that_cannot_be_asked_is_not_full),
		TEST(a_first_start_that_was_cut_short_is_one_again),
		TEST(an_inspection_finds_the_damage),
		TEST(damage_met_at_the_start_is_named),
		TEST(a_damaged_stub_is_named_with_what_to_do),
		TEST(a_deleted_folder_takes_nothing_in),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
