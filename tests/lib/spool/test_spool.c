/* SPDX-License-Identifier: ISC */
/* Numbers, order, epochs, acknowledgements, and who may read and write. */
#include "tests/lib/spool/spool-fixture.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/reader.h"

static void records_come_back_in_order_of_their_numbers(void **state)
{
	(void)state;
	struct spool_run run;
	struct buf b = { 0 };
	assert_int_equal(add(SPOOL_RESULTS, "one"), 1);
	assert_int_equal(add(SPOOL_COUNTERS, "two"), 2);
	assert_int_equal(add(SPOOL_ALERTS, ""), 3);
	assert_int_equal(add(SPOOL_RESULTS, "four"), 4);
	sync_now();
	assert_int_equal(spool_reader_next(reader,
			     &(struct spool_want){ epoch_now(), 1, 100, 1000 },
			     &run, &b, &msg),
	    0);
	assert_int_equal(run.first_seq, 1);
	assert_int_equal(run.count, 4);
	assert_int_equal(run.epoch, epoch_now());
	assert_int_equal(b.len, 4 * 4 + 10);
	assert_memory_equal(
	    b.data, "\0\0\0\3one\0\0\0\3two\0\0\0\0\0\0\0\4four", 26);
	assert_int_equal(spool_reader_next(reader,
			     &(struct spool_want){ epoch_now(), 5, 100, 1000 },
			     &run, &b, &msg),
	    ERR_EOF);
	add(SPOOL_ALERTS, "five");
	assert_int_equal(spool_reader_next(reader,
			     &(struct spool_want){ epoch_now(), 5, 100, 1000 },
			     &run, &b, &msg),
	    0);
	assert_int_equal(run.count, 1);
	buf_fini(&b);
}

static void a_run_ends_at_the_limits_it_is_given(void **state)
{
	(void)state;
	struct spool_run run;
	struct buf b = { 0 };
	add_many(SPOOL_RESULTS, 10, 100);
	assert_int_equal(spool_reader_next(reader,
			     &(struct spool_want){ epoch_now(), 2, 3, 10000 },
			     &run, &b, &msg),
	    0);
	assert_int_equal(run.first_seq, 2);
	assert_int_equal(run.count, 3);
	buf_clear(&b);
	assert_int_equal(spool_reader_next(reader,
			     &(struct spool_want){ epoch_now(), 5, 100, 250 },
			     &run, &b, &msg),
	    0);
	assert_int_equal(run.count, 2);
	buf_clear(&b);
	assert_int_equal(
	    spool_reader_next(reader,
		&(struct spool_want){ epoch_now(), 7, 100, 1 }, &run, &b, &msg),
	    0);
	assert_int_equal(run.count, 1); /* one always */
	buf_clear(&b);
	/* back again, as after a batch that was refused */
	assert_int_equal(spool_reader_next(reader,
			     &(struct spool_want){ epoch_now(), 1, 100, 10000 },
			     &run, &b, &msg),
	    0);
	assert_int_equal(run.first_seq, 1);
	assert_int_equal(run.count, 10);
	buf_fini(&b);
}

static void an_epoch_goes_on_after_a_clean_close(void **state)
{
	(void)state;
	uint64_t epoch = epoch_now();
	add_many(SPOOL_RESULTS, 5, 30);
	reopen();
	assert_int_equal(epoch_now(), epoch);
	assert_int_equal(add(SPOOL_ALERTS, "six"), 6);
	reopen();
	reopen();
	assert_int_equal(epoch_now(), epoch);
	struct seen seen = read_all(epoch, 1);
	assert_int_equal(seen.records, 6);
	assert_int_equal(seen.gaps, 0);
	assert_int_equal(seen.lost, 0);
}

static void a_crash_starts_a_new_epoch_and_keeps_the_old(void **state)
{
	(void)state;
	uint64_t epoch = epoch_now();
	add_many(SPOOL_RESULTS, 5, 30);
	sync_now();
	reopen_after_crash();
	assert_true(epoch_now() > epoch);
	assert_int_equal(add(SPOOL_ALERTS, "first"), 1);
	struct seen seen = read_all(epoch, 1);
	assert_int_equal(seen.records, 6);
	assert_int_equal(seen.lost, 0);
}

static void acknowledged_segments_go_and_the_mark_stays(void **state)
{
	(void)state;
	struct spool_stats s, after;
	uint64_t epoch = epoch_now(), got_epoch, got;
	add_many(SPOOL_RESULTS, 300, 1000);
	sync_now();
	spool_stats(spool, &s);
	assert_int_equal(spool_ack(spool, epoch, 251, &msg), 0);
	spool_stats(spool, &after);
	assert_true(after.bytes < s.bytes / 3);
	assert_int_equal(after.acked_seq, 251);
	assert_int_equal(spool_ack(spool, epoch, 100, &msg), 0);
	assert_int_equal(spool_reader_acked(reader, &got_epoch, &got, &msg), 0);
	assert_int_equal(got_epoch, epoch);
	assert_int_equal(got, 251);
	reopen();
	spool_stats(spool, &after);
	assert_int_equal(after.acked_seq, 251);
	assert_int_equal(after.lost, 0);
	struct seen seen = read_all(epoch, 251);
	assert_int_equal(seen.records, 50);
	assert_int_equal(spool_ack(spool, epoch, 301, &msg), 0);
	reopen();
	assert_int_equal(epoch_now(), epoch);
	assert_int_equal(add(SPOOL_RESULTS, "next"), 301);
}

static void an_ack_of_what_was_never_numbered_is_a_fork(void **state)
{
	(void)state;
	uint64_t epoch = epoch_now();
	add_many(SPOOL_RESULTS, 3, 30);
	sync_now();
	assert_int_equal(spool_ack(spool, epoch, 5, &msg), ERR_FORKED);
	reopen();
	assert_true(epoch_now() > epoch);
	assert_int_equal(read_all(epoch, 1).records, 3);
}

static void only_one_process_writes(void **state)
{
	(void)state;
	struct spool *second;
	struct spool_config c = config();
	assert_int_equal(spool_open(&second, &c, &msg), -EBUSY);
	assert_null(second);
}

/* A child reads as fast as it can what the parent appends in random classes
 * and sizes, with rolls, drops of nothing, and failing disks in between. */
static int follow(uint64_t epoch, uint64_t until)
{
	struct spool_reader *r;
	struct spool_run run;
	struct buf b = { 0 };
	uint64_t seq = 1;
	if (spool_reader_open(&r, dir, NULL) != 0)
		return 1;
	while (seq <= until) {
		int err = spool_reader_next(r,
		    &(struct spool_want){ epoch, seq, 50, 1 << 16 }, &run, &b,
		    NULL);
		if (err == ERR_EOF)
			continue;
		if (err || run.first_seq != seq || run.epoch != epoch)
			return 2; /* it took an unwritten number for lost */
		struct reader in = reader_init(b.data, b.len);
		for (uint32_t i = 0; i < run.count; i++) {
			uint32_t len = reader_be32(&in);
			const uint8_t *p = reader_bytes(&in, len);
			char text[24] = "";
			memcpy(text, p, len < 20 ? len : 20);
			if (strtoull(text, NULL, 10) != seq + i)
				return 3;
		}
		seq += run.count;
		buf_clear(&b);
	}
	spool_reader_close(r);
	buf_fini(&b);
	return 0;
}

static void another_process_sees_only_whole_frames_in_order(void **state)
{
	(void)state;
	enum { COUNT = 3000 };
	uint64_t epoch = epoch_now();
	int pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		_exit(follow(epoch, COUNT));
	unsigned random = 1;
	for (int i = 0; i < COUNT; i++) {
		random = random * 1103515245 + 12345;
		size_t len = 25 + (random >> 8) % 200;
		faults.short_write = 1 + (random >> 4) % 100;
		add_many((enum spool_class)((random >> 16) % 3), 1, len);
		if (random >> 20 & 1 && i % 64 == 0)
			faults.fsync_error = -EIO;
		if (i % 32 == 0)
			sync_now();
	}
	sync_now();
	int status = 0;
	waitpid(pid, &status, 0);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_SPOOL(records_come_back_in_order_of_their_numbers),
		WITH_SPOOL(a_run_ends_at_the_limits_it_is_given),
		WITH_SPOOL(an_epoch_goes_on_after_a_clean_close),
		WITH_SPOOL(a_crash_starts_a_new_epoch_and_keeps_the_old),
		WITH_SPOOL(acknowledged_segments_go_and_the_mark_stays),
		WITH_SPOOL(an_ack_of_what_was_never_numbered_is_a_fork),
		WITH_SPOOL(only_one_process_writes),
		WITH_SPOOL(another_process_sees_only_whole_frames_in_order),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
