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
#include "collector/core/fault.h"
#include "collector/core/stats.h"
#include "collector/core/private.h"
#include "collector/store/sqlite/provider.h"
#include "lib/base/xalloc.h"

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

static void a_deleted_database_takes_nothing_in(void **state)
{
	struct fixture *f = *state;
	struct synth agent;
	struct errmsg msg = { "" };
	fixture_enrol(f, &agent, "a", NULL);
	assert_int_equal(submit(f, &msg), 0);
	in_folder(f, "rm sonde.db");
	assert_refuses(f, &agent, "sonde.db was deleted");
}

static void a_deleted_log_takes_nothing_in(void **state)
{
	struct fixture *f = *state;
	struct synth agent;
	fixture_enrol(f, &agent, "a", NULL);
	in_folder(f, "rm sonde.db-wal");
	assert_refuses(f, &agent, "sonde.db-wal was deleted");
	/* What was acknowledged before is there at the next start. */
	fixture_reopen(f);
	assert_int_equal(fixture_sql(f, "SELECT count(*) FROM agents"), 1);
	assert_false(collector_fault(f->c, NULL));
}

static void a_replaced_folder_takes_nothing_in(void **state)
{
	struct fixture *f = *state;
	struct synth agent;
	char away[80], command[320];
	fixture_enrol(f, &agent, "a", NULL);
	in_folder(f, "mkdir copy && cp sonde.db* copy/");
	snprintf(away, sizeof(away), "%s.away", f->dir);
	snprintf(command, sizeof(command), "mv %s %s && cp -r %s/copy %s",
	    f->dir, away, away, f->dir);
	assert_int_equal(system(command), 0);
	assert_refuses(f, &agent, "sonde.db was replaced");
	writer_tick(f->c);
	/* Nothing of ours gets into the other's folder, not at the end. */
	fixture_close(f);
	assert_false(exists(f, "generation"));
	assert_true(exists(f, "sonde.db-wal"));
	snprintf(command, sizeof(command),
	    "cmp %s/sonde.db-wal "
	    "%s/copy/sonde.db-wal && rm -r %s",
	    f->dir, away, away);
	assert_int_equal(system(command), 0);
}

static void an_emptied_database_takes_nothing_in(void **state)
{
	struct fixture *f = *state;
	struct synth agent;
	fixture_enrol(f, &agent, "a", NULL);
	in_folder(f, ": >sonde.db");
	assert_refuses(f, &agent, "sonde.db was emptied");
}

static void the_tick_notices_without_any_request(void **state)
{
	struct fixture *f = *state;
	in_folder(f, "rm sonde.db");
	writer_tick(f->c);
	assert_true(collector_fault(f->c, NULL));
}

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

static void damage_that_a_reader_meets_stops_the_writer(void **state)
{
	struct fixture *f = *state;
	struct synth agent;
	struct errmsg msg = { "" };
	fixture_enrol(f, &agent, "a", NULL);
	fixture_reopen(f); /* all of it into the database, no cache */
	scribble(f, "sonde.db");
	assert_int_equal(
	    fixture_query_err(f, query_campaigns, ""), ERR_UNAVAILABLE);
	assert_true(collector_fault(f->c, &msg));
	assert_refuses(f, &agent, "damaged");
}

static void damage_that_the_writer_meets_is_told(void **state)
{
	struct fixture *f = *state;
	struct synth agent;
	struct errmsg msg = { "" };
	fixture_enrol(f, &agent, "a", NULL);
	fixture_reopen(f);
	scribble(f, "sonde.db");
	assert_int_equal(submit(f, &msg), ERR_UNAVAILABLE);
	assert_true(collector_fault(f->c, &msg));
	assert_refuses(f, &agent, "damaged");
}

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

static void a_lost_database_is_not_begun_anew(void **state)
{
	struct fixture *f = *state;
	struct synth agent;
	char first[40];
	snprintf(first, sizeof(first), "%s", collector_generation(f->c));
	fixture_enrol(f, &agent, "a", NULL);
	in_folder(f, "cp sonde.db-wal kept && cp sonde.db-wal other");
	fixture_close(f);
	in_folder(f, "cp sonde.db backup && rm sonde.db");
	assert_start_refuses(f, -ENOENT, "database is missing");
	in_folder(f, ": >sonde.db");
	assert_start_refuses(f, -ENOENT, "database is empty");
	in_folder(f, "rm sonde.db generation && mv kept sonde.db-wal");
	assert_start_refuses(f, -ENOENT, "see 'sonde.db-wal'");
	in_folder(f, ": >sonde.db");
	assert_start_refuses(f, -ENOENT, "see 'sonde.db-wal'");
	in_folder(f, "cmp sonde.db-wal other");
	/* Asked to, it begins anew, and keeps the log that it found. */
	f->config.new_database = true;
	fixture_open(f);
	assert_string_not_equal(collector_generation(f->c), first);
	assert_int_equal(fixture_sql(f, "SELECT count(*) FROM agents"), 0);
	in_folder(f, "cmp sonde.db-wal.orphan1 other");
	fixture_close(f);
	assert_start_refuses(f, -EEXIST, "there is a database");
	f->config.new_database = false;
	/* A backup needs no option. */
	in_folder(f, "cp backup sonde.db");
	fixture_open(f);
	assert_int_equal(fixture_sql(f, "SELECT count(*) FROM agents"), 1);
}

static void a_first_start_that_was_cut_short_is_one_again(void **state)
{
	struct fixture *f = *state;
	fixture_close(f);
	in_folder(f, "rm sonde.db* generation && : >sonde.db");
	fixture_open(f);
}

static void count_finding(void *ctx, const char *text)
{
	(void)text;
	++*(int *)ctx;
}

static void an_inspection_finds_the_damage(void **state)
{
	struct fixture *f = *state;
	struct synth agent;
	struct errmsg msg = { "" };
	struct store_config where = { .dir = f->dir };
	int findings = 0;
	fixture_enrol(f, &agent, "a", NULL);
	assert_int_equal(
	    store_sqlite.inspect(&where, count_finding, &findings, &msg), 0);
	assert_int_equal(findings, 0);
	fixture_close(f);
	scribble(f, "sonde.db");
	assert_int_equal(
	    store_sqlite.inspect(&where, count_finding, &findings, &msg), 0);
	assert_true(findings > 0);
	in_folder(f, "rm sonde.db*");
	assert_true(
	    store_sqlite.inspect(&where, count_finding, &findings, &msg) < 0);
}

#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_deleted_database_takes_nothing_in),
		TEST(a_deleted_log_takes_nothing_in),
		TEST(a_replaced_folder_takes_nothing_in),
		TEST(an_emptied_database_takes_nothing_in),
		TEST(the_tick_notices_without_any_request),
		TEST(damage_that_a_reader_meets_stops_the_writer),
		TEST(damage_that_the_writer_meets_is_told),
		TEST(a_folder_that_cannot_be_asked_is_not_full),
		TEST(a_lost_database_is_not_begun_anew),
		TEST(a_first_start_that_was_cut_short_is_one_again),
		TEST(an_inspection_finds_the_damage),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
