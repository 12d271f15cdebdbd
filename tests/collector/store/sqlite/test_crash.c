/* SPDX-License-Identifier: ISC */
/*
 * kill -9 in the middle of committing loses nothing that was acknowledged and
 * doubles nothing that is sent again.  The judge is a ledger: the child writes
 * each acknowledged watermark into a pipe; the parent, who has never seen the
 * database, compares.
 */
#include "tests/collector/fixture.h"
#include "collector/core/private.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define ROUNDS 25
#define AGENTS 4

static struct synth agents[AGENTS];

/* What the child says of each answer. */
struct line {
	uint32_t agent;
	uint64_t next;
};

struct sending {
	struct fixture *f;
	int pipe;
	uint32_t agent;
	_Atomic int *busy;
};

static void acknowledged(void *ctx, const struct ingest_answer *answer)
{
	struct sending *sending = ctx;
	struct line line = { sending->agent, answer->next };
	if (ingest_result_status(answer->result) == 200 &&
	    write(sending->pipe, &line, sizeof(line)) != sizeof(line))
		abort();
	*sending->busy = 0;
}

static void gather(struct synth *agent, uint64_t first)
{
	agent->next_seq = first;
	agent->count = 0;
	buf_clear(&agent->raw);
	for (unsigned i = 0; i < 1 + first % 7; i++) {
		char text[40], src[32];
		snprintf(text, sizeof(text), "%llu",
		    (unsigned long long)(first + 2 * i));
		add_log(agent, text);
		snprintf(
		    src, sizeof(src), "10.0.0.%u", (unsigned)(first + i) % 200);
		add_sighting(agent, src, "slammer", DAY_START_NS, 1);
	}
}

/* Ships for all agents at once until it is killed. */
static void child_main(struct fixture *f, int fd)
{
	struct sending sendings[AGENTS];
	_Atomic int busy[AGENTS] = { 0 };
	uint64_t from[AGENTS];
	fixture_open(f);
	for (uint32_t a = 0; a < AGENTS; a++)
		from[a] = agents[a].next_seq;
	for (uint32_t a = 0;; a = (a + 1) % AGENTS) {
		struct buf body = { 0 };
		if (busy[a])
			continue;
		gather(&agents[a], from[a]);
		if (!synth_seal(&agents[a], &body))
			abort();
		from[a] = agents[a].next_seq;
		sendings[a] = (struct sending){ f, fd, a, &busy[a] };
		busy[a] = 1;
		collector_ingest(
		    f->c, body.data, body.len, acknowledged, &sendings[a]);
		buf_fini(&body);
	}
}

static void read_ledger(int fd, uint64_t next[AGENTS])
{
	struct line line;
	while (read(fd, &line, sizeof(line)) == sizeof(line))
		if (line.next > next[line.agent])
			next[line.agent] = line.next;
}

static void run_and_kill(struct fixture *f, uint64_t next[AGENTS], int ms)
{
	int fds[2];
	assert_int_equal(pipe(fds), 0);
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		close(fds[0]);
		child_main(f, fds[1]);
	}
	close(fds[1]);
	/* From the first answer on, so that a busy machine tests it too. */
	poll(&(struct pollfd){ .fd = fds[0], .events = POLLIN }, 1, -1);
	nanosleep(&(struct timespec){ 0, ms * 1000000 }, NULL);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	read_ledger(fds[0], next);
	close(fds[0]);
}

/* A number in the database; what: all of the question but "= agent". */
static int64_t of_agent(struct fixture *f, int agent, const char *what)
{
	char sql[300];
	snprintf(sql, sizeof(sql), "%s = %d", what, agent + 1);
	return fixture_sql(f, sql);
}

static int sum_packets(void *ctx, const struct store_row *row)
{
	*(int64_t *)ctx += (int64_t)row->point->packets;
	return 0;
}

static void check(struct fixture *f, uint64_t next[AGENTS])
{
	/* It sums up again what the sums lack. */
	fixture_open(f);
	assert_int_equal(fixture_sql(f,
			     "SELECT count(*) FROM pragma_integrity_check"
			     " WHERE integrity_check = 'ok'"),
	    1);
	int64_t sightings = fixture_sql(
	    f, "SELECT count(*) FROM records WHERE kind = 'sighting'");
	for (int a = 0; a < AGENTS; a++) {
		int64_t stored = of_agent(f, a,
		    "SELECT count(*) FROM records r JOIN agents a"
		    " ON a.id = r.agent WHERE a.agent");
		int64_t mark = of_agent(f, a,
		    "SELECT ifnull(max(next), 1) FROM watermarks WHERE agent");
		/* Nothing acknowledged is missing, nothing is there twice,
		 * and the sums are of the same moment. */
		assert_true(mark >= (int64_t)next[a]);
		assert_int_equal(stored, mark - 1);
		assert_int_equal(of_agent(f, a,
				     "SELECT ifnull(sum(seq), 0) FROM records r"
				     " JOIN agents a ON a.id = r.agent"
				     " WHERE a.agent"),
		    stored * (stored + 1) / 2);
		assert_int_equal(
		    of_agent(
			f, a, "SELECT sum(stored) FROM watermarks WHERE agent"),
		    stored);
		/* The agent goes on from what it heard, not from what is. */
		agents[a].next_seq = next[a];
	}
	struct store_plan plan = { .table = STORE_POINTS,
		.range = { 0, INT64_MAX / 2 },
		.bin_s = 60 };
	int64_t packets = 0;
	struct store_view *view;
	struct errmsg msg = { "" };
	assert_int_equal(f->c->ops->begin(f->c->store, &view, &msg), 0);
	assert_int_equal(
	    f->c->ops->read(view, &plan, sum_packets, &packets, &msg), 0);
	f->c->ops->end(view);
	assert_int_equal(sightings, packets);
	fixture_close(f);
}

static void killing_loses_and_doubles_nothing(void **state)
{
	struct fixture *f = *state;
	uint64_t next[AGENTS];
	for (int a = 0; a < AGENTS; a++) {
		char name[16];
		snprintf(name, sizeof(name), "agent-%c", 'a' + a);
		fixture_enrol(f, &agents[a], name, NULL);
		next[a] = 1;
	}
	fixture_close(f); /* no thread may live across the fork */
	srandom(3);
	for (int round = 0; round < ROUNDS; round++) {
		run_and_kill(f, next, (int)(random() % 30));
		check(f, next);
	}
	uint64_t sum = 0;
	for (int a = 0; a < AGENTS; a++) {
		sum += next[a];
		synth_fini(&agents[a]);
	}
	assert_true(sum > 4 * AGENTS);
	fixture_open(f);
}

#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(killing_loses_and_doubles_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
