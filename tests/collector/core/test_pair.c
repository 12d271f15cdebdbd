/* SPDX-License-Identifier: ISC */
/*
 * Registry and telemetry as a pair: killed and cut from power at every write
 * of a run, no record and no event is lost or doubled; a backup of one that
 * meets another time of the other is noticed, and does no harm.
 */
#include "tests/collector/kill-vfs.h"
#include "tests/collector/fixture.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "collector/core/generation.h"
#include "collector/fleet/enrol.h"
#include "lib/base/xalloc.h"

#define BATCHES 2
#define SOURCES 7 /* a batch names five and counts the rest */

static void in_folder(const struct fixture *f, const char *command)
{
	char *line = xasprintf("cd %s && %s", f->dir, command);
	assert_int_equal(system(line), 0);
	free(line);
}

static void add_gap(struct synth *agent)
{
	Sonde__Gap gap = SONDE__GAP__INIT;
	Sonde__Record record = SONDE__RECORD__INIT;
	record.wall_ns = record.mono_ns = DAY_START_NS;
	gap.epoch = gap.from_seq = gap.to_seq = 1;
	gap.unnumbered = 2;
	gap.reason = (char *)"full";
	record.body_case = SONDE__RECORD__BODY_GAP;
	record.gap = &gap;
	synth_add(agent, &record);
}

/* Of a batch with SOURCES new sources and a gap. */
#define EVENTS_PER_BATCH 7
#define RECORDS_PER_BATCH (SOURCES + 1)

/* Everything behind the agent's watermark in batches of `size` records, each
 * acknowledged into a pipe (-1: into the agent). */
static void ship_from(
    struct fixture *f, struct synth *agent, uint64_t next, int fd)
{
	while (next <= BATCHES * RECORDS_PER_BATCH) {
		struct buf body = { 0 };
		uint64_t batch = (next - 1) / RECORDS_PER_BATCH;
		agent->next_seq = next;
		for (uint64_t i = (next - 1) % RECORDS_PER_BATCH;
		     i < RECORDS_PER_BATCH; i++) {
			char src[32];
			snprintf(src, sizeof(src), "10.0.%u.%u",
			    (unsigned)batch, (unsigned)i);
			if (i < SOURCES)
				add_sighting(
				    agent, src, "slammer", DAY_START_NS, 1);
			else
				add_gap(agent);
		}
		assert_true(synth_seal(agent, &body));
		/* The answer does not wait for the events. */
		struct ingest_answer a = fixture_send_from(
		    f, &(struct addr){ 0 }, body.data, body.len);
		buf_fini(&body);
		if (ingest_result_status(a.result) != 200)
			fail_msg("%s: %s", ingest_result_name(a.result),
			    a.detail.text);
		next = a.next;
		if (fd >= 0 && write(fd, &next, sizeof(next)) != sizeof(next))
			abort();
	}
}

static int64_t events_of(struct fixture *f, const char *type)
{
	char sql[120];
	snprintf(sql, sizeof(sql),
	    "SELECT count(*) FROM registry.events WHERE type = '%s'", type);
	return fixture_sql(f, sql);
}

/* The number of the last acknowledged record + 1; *ended: there was no kill. */
static uint64_t run_and_kill(struct fixture *f, struct synth *agent,
    unsigned at, enum kill_lose lose, bool *ended)
{
	int fds[2], status;
	uint64_t next = 1, got;
	assert_int_equal(pipe(fds), 0);
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		close(fds[0]);
		kill_vfs_install(at, lose, "registry.db");
		fixture_open(f);
		ship_from(f, agent, 1, fds[1]);
		_exit(0);
	}
	close(fds[1]);
	while (read(fds[0], &got, sizeof(got)) == sizeof(got))
		next = got;
	close(fds[0]);
	waitpid(child, &status, 0);
	*ended = WIFEXITED(status);
	assert_true(
	    *ended ? WEXITSTATUS(status) == 0 : WTERMSIG(status) == SIGKILL);
	return next;
}

static void assert_whole(struct fixture *f)
{
	assert_int_equal(fixture_sql(f, "SELECT count(*) FROM records"),
	    BATCHES * RECORDS_PER_BATCH);
	assert_int_equal(fixture_sql(f, "SELECT sum(stored) FROM watermarks"),
	    BATCHES * RECORDS_PER_BATCH);
	assert_int_equal(
	    fixture_sql(f, "SELECT sum(lost + unnumbered) FROM watermarks"),
	    BATCHES * 2);
	assert_int_equal(events_of(f, "gap"), BATCHES);
	assert_int_equal(events_of(f, "sighting"), BATCHES * 6);
}

/* Killed at each operation in turn, then sent again from what was told. */
static unsigned kill_everywhere(struct fixture *f, enum kill_lose lose)
{
	struct synth agent;
	bool ended = false;
	unsigned at = 0;
	fixture_enrol(f, &agent, "a", NULL);
	fixture_close(f);
	in_folder(
	    f, "mkdir kept && cp -r telemetry registry.db generation kept/");
	while (!ended) {
		in_folder(
		    f, "rm -rf telemetry registry.db* && cp -r kept/* . 2>&1");
		uint64_t next = run_and_kill(f, &agent, ++at, lose, &ended);
		fixture_open(f);
		int64_t held = fixture_sql(f, "SELECT count(*) FROM records");
		if (held < (int64_t)next - 1)
			fail_msg("operation %u: %lld held, %llu acknowledged",
			    at, (long long)held, (unsigned long long)next - 1);
		ship_from(f, &agent, next, -1);
		assert_whole(f);
		fixture_close(f);
	}
	in_folder(f, "rm -r kept");
	synth_fini(&agent);
	return at;
}

static void a_kill_at_any_write_loses_and_doubles_nothing(void **state)
{
	assert_true(kill_everywhere(*state, KILL_LOSES_NOTHING) > 20);
}

static void a_power_cut_at_any_write_loses_and_doubles_nothing(void **state)
{
	assert_true(kill_everywhere(*state, KILL_LOSES_ALL) > 20);
}

static void nor_when_only_the_registry_loses_its_writes(void **state)
{
	assert_true(kill_everywhere(*state, KILL_LOSES_NAMED) > 20);
}

static void nor_when_only_telemetry_loses_its_writes(void **state)
{
	assert_true(kill_everywhere(*state, KILL_LOSES_OTHERS) > 20);
}

struct restore {
	char first[40];
	struct synth old, late; /* late: enrolled behind the backup */
};

static void begin_restore(struct fixture *f, struct restore *r)
{
	snprintf(r->first, sizeof(r->first), "%s", collector_generation(f->c));
	fixture_enrol(f, &r->old, "old", NULL);
	add_log(&r->old, "one");
	fixture_ship(f, &r->old);
	fixture_close(f);
	in_folder(f, "mkdir backup && cp -r telemetry registry.db backup/");
	fixture_open(f);
	assert_string_equal(collector_generation(f->c), r->first);
	fixture_enrol(f, &r->late, "late", NULL);
	for (int i = 0; i < 2; i++) {
		struct synth *agent = i ? &r->late : &r->old;
		add_log(agent, "two");
		fixture_ship(f, agent);
	}
	fixture_reopen(f); /* notes how far it came */
	fixture_close(f);
}

static void end_restore(struct restore *r)
{
	synth_fini(&r->old);
	synth_fini(&r->late);
}

static uint64_t told_next(struct fixture *f, struct synth *agent)
{
	struct batch_header h = { .epoch = 1,
		.gap_from = agent->next_seq,
		.first_seq = agent->next_seq,
		.count = 1 };
	add_log(agent, "three");
	struct ingest_answer a = fixture_send_as(f, agent, &h);
	buf_clear(&agent->raw);
	agent->count = 0;
	if (a.result == INGEST_STORED)
		agent->next_seq++;
	return a.next;
}

static void both_restored_are_an_older_history(void **state)
{
	struct fixture *f = *state;
	struct restore r;
	begin_restore(f, &r);
	in_folder(f, "rm -r telemetry && cp -r backup/* .");
	fixture_open(f);
	assert_string_not_equal(collector_generation(f->c), r.first);
	assert_int_equal(told_next(f, &r.old), 2);
	end_restore(&r);
}

static void telemetry_restored_alone_is_noticed(void **state)
{
	struct fixture *f = *state;
	struct restore r;
	begin_restore(f, &r);
	in_folder(f, "rm -r telemetry && cp -r backup/telemetry .");
	fixture_open(f);
	assert_string_not_equal(collector_generation(f->c), r.first);
	assert_int_equal(told_next(f, &r.old), 2);
	assert_int_equal(told_next(f, &r.late), 1);
	end_restore(&r);
}

/* The agent that the registry forgot enrols again and goes on where telemetry
 * has it; no other agent gets its number meanwhile. */
static void a_registry_restored_alone_is_noticed(void **state)
{
	struct fixture *f = *state;
	struct restore r;
	struct synth other;
	struct errmsg msg = { "" };
	json_t *answer = NULL;
	begin_restore(f, &r);
	in_folder(f, "cp backup/registry.db .");
	fixture_open(f);
	assert_string_not_equal(collector_generation(f->c), r.first);
	assert_int_equal(told_next(f, &r.old), 4);
	fixture_enrol(f, &other, "other", NULL);
	add_log(&other, "one");
	fixture_ship(f, &other);
	assert_int_equal(
	    enrol_token_new(f->c, &fixture_admin, NULL, &answer, &msg), 0);
	json_t *body = synth_enrol_body(&r.late,
	    json_string_value(json_object_get(answer, "token")), "late");
	json_decref(answer);
	assert_int_equal(enrol_agent(f->c, body, &answer, &msg), 0);
	json_decref(body);
	json_decref(answer);
	assert_int_equal(told_next(f, &r.late), 3);
	assert_int_equal(
	    fixture_sql(f, "SELECT count(DISTINCT agent) FROM records"), 3);
	assert_int_equal(
	    fixture_sql(f,
		"SELECT count(*) FROM main.agents a JOIN registry.agents"
		" r ON r.id = a.agent AND r.agent = a.id"),
	    3);
	synth_fini(&other);
	end_restore(&r);
}

static void assert_start_refuses(struct fixture *f, const char *words)
{
	struct errmsg msg = { "" };
	assert_true(collector_open(&f->c, &f->config, &msg) < 0);
	f->c = NULL;
	if (!strstr(msg.text, words))
		fail_msg("'%s' lacks '%s'", msg.text, words);
}

static void two_that_do_not_belong_together_are_refused(void **state)
{
	struct fixture *f = *state;
	struct synth agent;
	fixture_enrol(f, &agent, "a", NULL);
	fixture_close(f);
	in_folder(f, "mkdir kept && mv registry.db telemetry generation kept/");
	fixture_open(f);
	fixture_close(f);
	in_folder(f, "cp kept/registry.db .");
	assert_start_refuses(f, "belongs to another registry.db");
	in_folder(f, "rm -r telemetry && cp -r kept/telemetry .");
	fixture_open(f);
	synth_fini(&agent);
}

/* A registry that was begun beside old telemetry gave an agent's number away,
 * and then the old one came back. */
static void numbers_of_two_agents_are_not_mixed_up(void **state)
{
	struct fixture *f = *state;
	struct synth first, second;
	fixture_enrol(f, &first, "a", NULL);
	fixture_close(f);
	in_folder(f, "mv registry.db kept");
	f->config.new_database = true;
	fixture_open(f);
	f->config.new_database = false;
	fixture_enrol(f, &second, "b", NULL);
	add_log(&second, "one");
	fixture_ship(f, &second);
	fixture_close(f);
	in_folder(f, "mv kept registry.db");
	assert_start_refuses(f, "different agents");
	synth_fini(&first);
	synth_fini(&second);
}

#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_kill_at_any_write_loses_and_doubles_nothing),
		TEST(a_power_cut_at_any_write_loses_and_doubles_nothing),
		TEST(nor_when_only_the_registry_loses_its_writes),
		TEST(nor_when_only_telemetry_loses_its_writes),
		TEST(both_restored_are_an_older_history),
		TEST(telemetry_restored_alone_is_noticed),
		TEST(a_registry_restored_alone_is_noticed),
		TEST(two_that_do_not_belong_together_are_refused),
		TEST(numbers_of_two_agents_are_not_mixed_up),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
