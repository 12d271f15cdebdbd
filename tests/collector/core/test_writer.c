/* SPDX-License-Identifier: ISC */
/* One transaction for many jobs: a bad one undoes only itself. */
#include "collector/core/writer.h"
#include "tests/collector/fixture.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "collector/core/event-log.h"
#include "collector/core/private.h"
#include "collector/core/stats.h"
#include "collector/registry/registry-agents.h"

/* Adds a token of this number, tells it, and then fails or not. */
struct note {
	struct job job;
	uint8_t number;
	int fails_with;
	int runs, dones, err;
};

static int run_note(struct collector *c, struct job *job, struct errmsg *msg)
{
	struct note *note = (struct note *)job;
	struct registry_token token = { .tags = "[]", .expires_ns = INT64_MAX };
	token.hash[0] = note->number;
	note->runs++;
	int err = registry_token_add(c->registry, &token, msg);
	if (err == ERR_OK)
		err = event_log_add(c, "agent", "a note", NULL, msg);
	return err < 0         ? err
	    : note->fails_with ? err_set(msg, note->fails_with, "as asked for")
			       : ERR_OK;
}

static void note_done(struct collector *c, struct job *job)
{
	struct note *note = (struct note *)job;
	(void)c;
	note->dones++;
	note->err = job->err;
}

/* Keeps the writer busy until the gate opens, so that what is submitted
 * meanwhile becomes one group. */
struct gate {
	struct job job;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	bool entered, open;
};

static int run_gate(struct collector *c, struct job *job, struct errmsg *msg)
{
	struct gate *gate = (struct gate *)job;
	(void)c;
	(void)msg;
	pthread_mutex_lock(&gate->lock);
	gate->entered = true;
	pthread_cond_broadcast(&gate->wake);
	while (!gate->open)
		pthread_cond_wait(&gate->wake, &gate->lock);
	pthread_mutex_unlock(&gate->lock);
	return ERR_OK;
}

static void gate_done(struct collector *c, struct job *job)
{
	(void)c;
	(void)job;
}

#define GATE                                                             \
	{                                                                \
		{ .run = run_gate, .done = gate_done },                  \
		    PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, \
		    false, false                                         \
	}

static void close_gate(struct fixture *f, struct gate *gate)
{
	assert_int_equal(writer_submit(f->c, &gate->job), 0);
	pthread_mutex_lock(&gate->lock);
	while (!gate->entered)
		pthread_cond_wait(&gate->wake, &gate->lock);
	pthread_mutex_unlock(&gate->lock);
}

static void open_gate(struct fixture *f, struct gate *gate)
{
	pthread_mutex_lock(&gate->lock);
	gate->open = true;
	pthread_cond_broadcast(&gate->wake);
	pthread_mutex_unlock(&gate->lock);
	writer_tick(f->c); /* after all of them */
}

static void run_as_a_group(struct fixture *f, struct note *notes, uint8_t count)
{
	struct gate gate = GATE;
	close_gate(f, &gate);
	for (uint8_t i = 0; i < count; i++) {
		notes[i].job.run = run_note;
		notes[i].job.done = note_done;
		notes[i].number = i + 1;
		assert_int_equal(writer_submit(f->c, &notes[i].job), 0);
	}
	open_gate(f, &gate);
}

static void assert_kept(struct fixture *f, const struct note *notes,
    uint8_t count, uint64_t first_event)
{
	uint64_t kept = 0;
	for (uint8_t i = 0; i < count; i++) {
		char sql[80];
		snprintf(sql, sizeof(sql),
		    "SELECT count(*) FROM tokens"
		    " WHERE hex(hash) LIKE '%02X%%'",
		    i + 1);
		bool ok = notes[i].fails_with == 0;
		assert_int_equal(notes[i].dones, 1);
		assert_int_equal(notes[i].err, notes[i].fails_with);
		assert_int_equal(fixture_sql(f, sql), ok);
		kept += ok;
	}
	assert_int_equal(events_last_id(f->c), first_event + kept);
	assert_int_equal(fixture_sql(f, "SELECT count(*) FROM events"), kept);
}

static void good_jobs_share_a_transaction(void **state)
{
	struct fixture *f = *state;
	struct note notes[5] = { 0 };
	run_as_a_group(f, notes, 5);
	assert_kept(f, notes, 5, 0);
	for (int i = 0; i < 5; i++)
		assert_int_equal(notes[i].runs, 1);
}

static void a_job_that_fails_half_done_undoes_only_itself(void **state)
{
	struct fixture *f = *state;
	struct note notes[5] = { [2] = { .fails_with = ERR_DENIED } };
	run_as_a_group(f, notes, 5);
	assert_kept(f, notes, 5, 0);
	assert_int_equal(notes[0].runs, 2);
}

static void a_lost_transaction_is_tried_job_by_job(void **state)
{
	struct fixture *f = *state;
	struct note notes[4] = { [1] = { .fails_with = ERR_UNAVAILABLE } };
	char detail[256];
	run_as_a_group(f, notes, 4);
	assert_kept(f, notes, 4, 0);
	/* What was not kept is seen for a while, also after other commits. */
	assert_false(writer_is_healthy(f->c, detail, sizeof(detail)));
	fixture_sleep(f, 11 * NS_PER_S);
	assert_true(writer_is_healthy(f->c, detail, sizeof(detail)));
}

static void a_job_that_wrote_nothing_undoes_no_other(void **state)
{
	struct fixture *f = *state;
	struct note notes[3] = { 0 };
	run_as_a_group(f, notes, 3);
	/* The same keys again: refused before anything is written. */
	struct note again[3] = { [0] = { .fails_with = -EEXIST },
		[1] = { .fails_with = -EEXIST },
		[2] = { .fails_with = -EEXIST } };
	run_as_a_group(f, again, 3);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(again[i].err, -EEXIST);
		assert_int_equal(again[i].runs, 1);
	}
	assert_int_equal(fixture_sql(f, "SELECT count(*) FROM tokens"), 3);
}

static bool is_well(struct fixture *f, const char *words)
{
	json_t *checks;
	bool well = collector_health(f->c, &checks);
	const char *detail = json_string_value(
	    json_object_get(json_object_get(checks, "writer"), "detail"));
	assert_true(well || strstr(detail, words));
	json_decref(checks);
	return well;
}

static void five_seconds_without_a_commit_are_reported(void **state)
{
	struct fixture *f = *state;
	struct gate gate = GATE;
	/* Idle for long is well. */
	fixture_sleep(f, 3600 * NS_PER_S);
	assert_true(is_well(f, ""));
	close_gate(f, &gate);
	fixture_sleep(f, 5 * NS_PER_S);
	assert_true(is_well(f, ""));
	fixture_sleep(f, 2 * NS_PER_S);
	assert_false(is_well(f, "committed for 7 s, and 1 job"));
	open_gate(f, &gate);
	assert_true(is_well(f, ""));
}

#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(good_jobs_share_a_transaction),
		TEST(a_job_that_fails_half_done_undoes_only_itself),
		TEST(a_lost_transaction_is_tried_job_by_job),
		TEST(a_job_that_wrote_nothing_undoes_no_other),
		TEST(five_seconds_without_a_commit_are_reported),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
