/* SPDX-License-Identifier: ISC */
/* The keeper in this process, without its sandbox: producers at one end, the
 * spool's reader at the other. */
#include <linux/sockios.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "lib/base/log.h"
#include "lib/base/reader.h"
#include "lib/base/xalloc.h"
#include "probes/agent/keeper/keeper.h"
#include "probes/ipc/keeper-message.h"
#include "probes/ipc/fd-pass.h"
#include "tests/lib/record/result-fixture.h"

struct rig {
	char dir[32];
	struct keeper *keeper;
	struct keeper_config config;
	int control[2], ship[2];
	struct heartbeat_host host;
};

static void rig_open(struct rig *r)
{
	struct errmsg msg = { "" };
	if (keeper_open(&r->keeper, &r->config, &msg) != 0)
		fail_msg("%s", msg.text);
}

static int rig_setup(void **state)
{
	struct rig *r = xcalloc(1, sizeof(*r));
	strcpy(r->dir, "/tmp/sonde-keeper-XXXXXX");
	assert_non_null(mkdtemp(r->dir));
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, r->control), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, r->ship), 0);
	log_init("test", LOG_ERROR);
	r->config = (struct keeper_config){ .spool = { .dir = r->dir,
						.max_bytes = 1 << 20 },
		.heartbeat_ns = 3600 * NS_PER_S,
		.started = monotime_now(),
		.control_fd = r->control[1],
		.shipper_fd = r->ship[1],
		.own = counters_new(),
		.spool_page = counters_new(),
		.host = &r->host };
	rig_open(r);
	*state = r;
	return 0;
}

static int rig_teardown(void **state)
{
	struct rig *r = *state;
	keeper_close(r->keeper);
	for (int i = 0; i < 2; i++) {
		close(r->control[i]);
		close(r->ship[i]);
	}
	counters_free(r->config.own);
	counters_free(r->config.spool_page);
	char *command = xasprintf("rm -rf %s", r->dir);
	assert_int_equal(system(command), 0);
	free(command);
	free(r);
	return 0;
}

/* Lets the keeper work until it holds; a minute says that it never will. */
static void step_until(struct rig *r,
    bool (*holds)(struct rig *r, const void *arg), const void *arg)
{
	struct monotime end = monotime_add(monotime_now(), 60 * NS_PER_S);
	struct errmsg msg = { "" };
	while (!holds(r, arg)) {
		struct monotime now = monotime_now();
		if (!monotime_before(now, end))
			fail_msg("the keeper never came to it");
		if (keeper_step(r->keeper, monotime_add(now, 10 * NS_PER_MS),
			NULL, &msg) != 0)
			fail_msg("%s", msg.text);
	}
}

/* A producer's end, known to the keeper. */
static int producer(struct rig *r, uint32_t roles, uint32_t flags)
{
	struct producer_grant grant = { "test", roles, flags, { 0 }, 0 };
	int pair[2];
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
	assert_int_equal(
	    pass_send(r->control[0], pair[0], &grant, sizeof(grant)), 0);
	close(pair[0]);
	return pair[1];
}

struct found {
	size_t logs, gaps, heartbeats, schemas, results;
	uint64_t unnumbered, epochs;
	char last[512];
};

static void note(struct found *f, const uint8_t *bytes, size_t len)
{
	Sonde__Record *record;
	assert_int_equal(record_unpack(&record, bytes, len, NULL), 0);
	if (record->body_case == SONDE__RECORD__BODY_LOG) {
		f->logs++;
		strncpy(f->last, record->log->text, sizeof(f->last) - 1);
	} else if (record->body_case == SONDE__RECORD__BODY_GAP) {
		f->gaps++;
		f->unnumbered += record->gap->unnumbered;
	} else if (record->body_case == SONDE__RECORD__BODY_HEARTBEAT)
		f->heartbeats++;
	else if (record->body_case == SONDE__RECORD__BODY_RESULT_SCHEMA)
		f->schemas++;
	else if (record->body_case == SONDE__RECORD__BODY_RESULT)
		f->results++;
	record_free(record);
}

/* Everything that the spool holds. */
static struct found look(struct rig *r)
{
	struct found f = { 0 };
	struct spool_reader *reader;
	struct spool_run run;
	struct buf b = { 0 };
	uint64_t epoch = 0, seq = 1;
	assert_int_equal(spool_reader_open(&reader, r->dir, NULL), 0);
	while (spool_reader_next(reader,
		   &(struct spool_want){ epoch, seq, 100, 1 << 20 }, &run, &b,
		   NULL) == 0) {
		struct reader frames = reader_init(b.data, b.len);
		for (uint32_t i = 0; i < run.count; i++) {
			size_t len = reader_be32(&frames);
			note(&f, reader_bytes(&frames, len), len);
		}
		f.epochs += run.epoch != epoch;
		epoch = run.epoch;
		seq = run.first_seq + run.count;
		buf_clear(&b);
	}
	spool_reader_close(reader);
	buf_fini(&b);
	return f;
}

static bool holds_logs(struct rig *r, const void *arg)
{
	return look(r).logs >= *(const size_t *)arg;
}
static bool holds_heartbeats(struct rig *r, const void *arg)
{
	return look(r).heartbeats >= *(const size_t *)arg;
}
static bool holds_results(struct rig *r, const void *arg)
{
	return look(r).results >= *(const size_t *)arg;
}
static bool holds_gaps_of(struct rig *r, const void *arg)
{
	return look(r).unnumbered >= *(const uint64_t *)arg;
}
static bool has_received(struct rig *r, const void *arg)
{
	return *counters_cell(r->config.own, "received") >=
	    *(const uint64_t *)arg;
}
static void step_until_logs(struct rig *r, size_t count)
{
	step_until(r, holds_logs, &count);
}

/* The newest mark that the shipper has been told, if it is a good one. */
struct wanted_mark {
	struct ship_mark *mark;
	uint64_t epoch_above, next_seq;
};
static bool has_mark(struct rig *r, const void *arg)
{
	const struct wanted_mark *want = arg;
	struct ship_mark mark;
	while (recv(r->ship[0], &mark, sizeof(mark), MSG_DONTWAIT) ==
	    sizeof(mark)) {
		assert_true(mark.epoch > want->mark->epoch ||
		    mark.next_seq >= want->mark->next_seq);
		*want->mark = mark;
	}
	return want->mark->epoch > want->epoch_above &&
	    want->mark->next_seq >= want->next_seq;
}

static bool has_taken_orders(struct rig *r, const void *arg)
{
	int queued = 0;
	(void)arg;
	assert_int_equal(ioctl(r->ship[0], SIOCOUTQ, &queued), 0);
	return queued == 0;
}

static void what_a_producer_sends_is_stored(void **state)
{
	struct rig *r = *state;
	int fd = producer(r, RECORD_BY_LOGGER, 0);
	for (int i = 0; i < 3; i++)
		assert_int_equal(producer_log(fd, 2, "test", "hello"), 0);
	step_until_logs(r, 3);
	struct found f = look(r);
	assert_int_equal(f.logs, 3);
	assert_int_equal(f.heartbeats, 1);
	assert_string_equal(f.last, "hello");
	close(fd);
}

/* arg: the producer's end. */
static bool is_told_of_five(struct rig *r, const void *arg)
{
	uint8_t count[8] = { 0 };
	(void)r;
	while (recv(*(const int *)arg, count, 8, MSG_DONTWAIT) == 8)
		assert_true(count[7] <= 5);
	return count[7] == 5;
}

static void a_producer_that_asks_gets_marks_of_what_is_safe(void **state)
{
	struct rig *r = *state;
	int fd = producer(r, RECORD_BY_LOGGER, PRODUCER_ACKS);
	for (int i = 0; i < 5; i++)
		assert_int_equal(producer_log(fd, 2, "test", "hello"), 0);
	step_until(r, is_told_of_five, &fd);
	assert_int_equal(look(r).logs, 5);
	close(fd);
}

static void send_result(int fd, struct result_fixture *f, bool schema)
{
	struct result_schema *made;
	Sonde__Record record = SONDE__RECORD__INIT;
	assert_int_equal(result_schema_new(&made, &f->schema, NULL), 0);
	if (schema) {
		struct arena arena = { 0 };
		record.body_case = SONDE__RECORD__BODY_RESULT_SCHEMA;
		record.result_schema = result_schema_message(made, &arena);
		assert_int_equal(producer_send(fd, &record, NULL), 0);
		arena_fini(&arena);
	} else {
		f->row.hash =
		    (ProtobufCBinaryData){ RESULT_HASH_LEN, made->hash };
		record.body_case = SONDE__RECORD__BODY_RESULT;
		record.result = &f->row;
		assert_int_equal(producer_send(fd, &record, NULL), 0);
	}
	result_schema_free(made);
}

static void a_schema_is_stored_once_and_a_row_that_lies_never(void **state)
{
	struct rig *r = *state;
	struct result_fixture f;
	int fd = producer(r, RECORD_BY_SCRIPT, 0);
	result_fixture_init(&f);
	for (int i = 0; i < 3; i++) {
		send_result(fd, &f, true);
		send_result(fd, &f, false);
	}
	const size_t three = 3;
	step_until(r, holds_results, &three);
	struct found found = look(r);
	assert_int_equal(found.schemas, 1);
	assert_int_equal(found.results, 3);
	f.values[5].value_case = SONDE__VALUE__VALUE_TEXT;
	f.values[5].text = (char *)"true";
	send_result(fd, &f, false);
	step_until_logs(r, 1);
	found = look(r);
	assert_int_equal(found.results, 3);
	assert_non_null(strstr(found.last, "column b: expected boolean"));
	assert_int_equal(*counters_cell(r->config.own, "received"),
	    *counters_cell(r->config.own, "appended"));
	close(fd);
}

/* Its script announced it to a keeper that died: lost, and declared. */
static void rows_of_an_unknown_schema_are_declared_lost(void **state)
{
	struct rig *r = *state;
	struct result_fixture f;
	int fd = producer(r, RECORD_BY_SCRIPT, 0);
	result_fixture_init(&f);
	send_result(fd, &f, false);
	send_result(fd, &f, false);
	const uint64_t two = 2;
	step_until(r, holds_gaps_of, &two);
	struct found found = look(r);
	assert_int_equal(found.results, 0);
	assert_int_equal(found.unnumbered, 2);
	assert_int_equal(*counters_cell(r->config.own, "dropped"), 2);
	close(fd);
}

static void a_producer_of_garbage_is_cut_off_and_logged(void **state)
{
	struct rig *r = *state;
	int fd = producer(r, RECORD_BY_SENSOR, 0);
	char c;
	assert_int_equal(send(fd, "\0\0\0\3abc", 7, 0), 7);
	step_until_logs(r, 1);
	assert_int_equal(recv(fd, &c, 1, MSG_DONTWAIT), 0);
	struct found f = look(r);
	assert_int_equal(f.logs, 1);
	assert_non_null(strstr(f.last, "cut off"));
	assert_int_equal(*counters_cell(r->config.own, "refused"), 1);
	close(fd);
}

/* A producer that died while it wrote, or one that lies about a length. */
static void of_a_torn_batch_the_whole_frames_are_kept(void **state)
{
	struct rig *r = *state;
	int fd = producer(r, RECORD_BY_LOGGER, 0);
	Sonde__Record record = SONDE__RECORD__INIT;
	Sonde__Log log = SONDE__LOG__INIT;
	struct buf frames = { 0 };
	char c;
	log.process = (char *)"test";
	log.text = (char *)"hello";
	record.body_case = SONDE__RECORD__BODY_LOG;
	record.log = &log;
	record_stamp(&record);
	for (int i = 0; i < 3; i++)
		assert_int_equal(producer_put(&frames, &record, 0, NULL), 0);
	ssize_t len = (ssize_t)frames.len - 1;
	assert_int_equal(send(fd, frames.data, (size_t)len, 0), len);
	step_until_logs(r, 3);
	assert_int_equal(recv(fd, &c, 1, MSG_DONTWAIT), 0);
	struct found f = look(r);
	assert_int_equal(f.logs, 3); /* two, and what became of the third */
	assert_non_null(strstr(f.last, "cut off: a frame is"));
	assert_int_equal(*counters_cell(r->config.own, "refused"), 1);
	assert_int_equal(*counters_cell(r->config.own, "received"),
	    *counters_cell(r->config.own, "appended"));
	buf_fini(&frames);
	close(fd);
}

static void talk_becomes_log_records(void **state)
{
	struct rig *r = *state;
	int fd = producer(r, RECORD_BY_LOGGER, PRODUCER_LINES);
	assert_int_equal(send(fd, "one\ntwo\033[2J", 11, 0), 11);
	step_until_logs(r, 2);
	struct found f = look(r);
	assert_int_equal(f.logs, 2);
	assert_string_equal(f.last, "two?[2J");
	close(fd);
}

static void the_shipper_learns_only_what_is_synced(void **state)
{
	struct rig *r = *state;
	struct ship_mark mark = { 0, 0 };
	int fd = producer(r, RECORD_BY_LOGGER, 0);
	/* a heartbeat and a log */
	const struct wanted_mark want = { &mark, 0, 3 };
	producer_log(fd, 2, "test", "hello");
	step_until(r, has_mark, &want);
	assert_int_equal(mark.next_seq, 3);
	struct found f = look(r);
	assert_int_equal(f.heartbeats + f.logs, 2);
	close(fd);
}

static void an_acknowledgement_of_the_unstored_is_refused(void **state)
{
	struct rig *r = *state;
	struct ship_order order = { .kind = SHIP_ACK, .next_seq = 1000 };
	struct ship_mark mark = { 0, 0 };
	const struct wanted_mark want = { &mark, 0, 2 };
	step_until(r, has_mark, &want);
	order.epoch = mark.epoch;
	log_init("test", LOG_ERROR);
	send(r->ship[0], &order, sizeof(order), 0);
	step_until(r, has_taken_orders, NULL);
	assert_int_equal(look(r).heartbeats, 1); /* still there */
}

static void a_fork_starts_a_new_epoch(void **state)
{
	struct rig *r = *state;
	struct ship_mark mark = { 0, 0 };
	const struct wanted_mark first = { &mark, 0, 2 };
	step_until(r, has_mark, &first);
	struct ship_order order = { .kind = SHIP_NEW_EPOCH,
		.epoch = mark.epoch };
	send(r->ship[0], &order, sizeof(order), 0);
	struct ship_mark later = mark;
	const struct wanted_mark next = { &later, mark.epoch, 1 };
	step_until(r, has_mark, &next);
	struct found f = look(r);
	assert_int_equal(f.gaps, 1);
	assert_int_equal(f.epochs, 2);
}

/* A child takes records and is killed before it syncs. */
static void what_a_killed_keeper_had_taken_is_stored_or_declared(void **state)
{
	struct rig *r = *state;
	int fd, status;
	keeper_close(r->keeper);
	r->keeper = NULL;
	pid_t pid = fork();
	if (pid == 0) {
		struct producer_grant grant = { "test", RECORD_BY_LOGGER, 0,
			{ 0 }, 0 };
		int pair[2];
		socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair);
		rig_open(r);
		keeper_add(r->keeper, pair[0], &grant);
		for (int i = 0; i < 10; i++)
			producer_log(pair[1], 2, "test", "hello");
		const uint64_t all = 10;
		step_until(r, has_received, &all);
		/* Taken, and then the end before the append. */
		counters_add(counters_cell(r->config.own, "received"), 2);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	rig_open(r);
	fd = producer(r, RECORD_BY_LOGGER, 0);
	step_until_logs(r, 10);
	struct found f = look(r);
	assert_int_equal(f.logs, 10);
	assert_int_equal(f.unnumbered, 2);
	close(fd);
}

/* --- a keeper that is killed while it writes ------------------------------ */

static long deadly_after;

static long deadly_write(void *ctx, int fd, const void *data, size_t len)
{
	(void)ctx;
	if (deadly_after-- == 0)
		raise(SIGKILL);
	return spool_io_posix.write(NULL, fd, data, len);
}

static void add_log_frame(struct buf *datagram)
{
	Sonde__Log log = SONDE__LOG__INIT;
	Sonde__Record record = SONDE__RECORD__INIT;
	struct buf packed = { 0 };
	log.process = log.text = (char *)"one of many";
	record.body_case = SONDE__RECORD__BODY_LOG;
	record.log = &log;
	record_stamp(&record);
	assert_int_equal(record_pack(&record, &packed, NULL), 0);
	buf_be32(datagram, (uint32_t)packed.len);
	buf_bytes(datagram, packed.data, packed.len);
	buf_fini(&packed);
}

/* Takes one datagram of `frames` records and dies at the write-th write. */
static void take_and_die(struct rig *r, int frames, long write)
{
	struct producer_grant grant = { "test", RECORD_BY_LOGGER, 0, { 0 }, 0 };
	struct spool_io io = spool_io_posix;
	struct buf datagram = { 0 };
	int pair[2];
	socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair);
	io.write = deadly_write;
	r->config.spool.io = &io;
	deadly_after = 1000;
	const size_t one_more = look(r).heartbeats + 1;
	const uint64_t never = UINT64_MAX;
	rig_open(r);
	keeper_add(r->keeper, pair[0], &grant);
	step_until(r, holds_heartbeats, &one_more);
	deadly_after = write;
	for (int i = 0; i < frames; i++)
		add_log_frame(&datagram);
	if (send(pair[1], datagram.data, datagram.len, 0) < 0)
		_exit(1);
	step_until(r, has_received, &never);
	_exit(1);
}

static void of_a_datagram_of_many_all_are_stored_or_declared(void **state)
{
	struct rig *r = *state;
	enum { FRAMES = 8 };
	for (long write = 0; write < FRAMES; write++) {
		int status;
		struct found before = look(r);
		keeper_close(r->keeper);
		r->keeper = NULL;
		pid_t pid = fork();
		if (pid == 0)
			take_and_die(r, FRAMES, write);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFSIGNALED(status));
		rig_open(r);
		struct found f = look(r);
		assert_int_equal(f.logs - before.logs, write);
		assert_int_equal(
		    f.logs - before.logs + f.unnumbered - before.unnumbered,
		    FRAMES);
	}
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, rig_setup, rig_teardown)
	const struct CMUnitTest tests[] = {
		TEST(what_a_producer_sends_is_stored),
		TEST(a_producer_that_asks_gets_marks_of_what_is_safe),
		TEST(a_producer_of_garbage_is_cut_off_and_logged),
		TEST(of_a_torn_batch_the_whole_frames_are_kept),
		TEST(a_schema_is_stored_once_and_a_row_that_lies_never),
		TEST(rows_of_an_unknown_schema_are_declared_lost),
		TEST(talk_becomes_log_records),
		TEST(the_shipper_learns_only_what_is_synced),
		TEST(an_acknowledgement_of_the_unstored_is_refused),
		TEST(a_fork_starts_a_new_epoch),
		TEST(what_a_killed_keeper_had_taken_is_stored_or_declared),
		TEST(of_a_datagram_of_many_all_are_stored_or_declared),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
