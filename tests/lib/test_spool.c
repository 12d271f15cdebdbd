/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/reader.h"
#include "lib/record.h"
#include "lib/spool.h"
#include "lib/xalloc.h"

/* --- a folder and a disk that can fail ------------------------------------ */

static char dir[64];
static struct spool *spool;
static struct spool_reader *reader;
static struct errmsg msg;
static uint64_t ids[30000]; /* what record was given this number */
static uint64_t next_id;

static struct faults {
	int fsync_error, fsync_dir_error, write_error, ftruncate_error;
	int writes_before_error;
	int failed_fd, fsyncs_of_failed;
	long short_write;
} faults;

static int faulty_fsync(void *ctx, int fd)
{
	(void)ctx;
	if (faults.failed_fd && fd == faults.failed_fd)
		faults.fsyncs_of_failed++;
	if (faults.fsync_error) {
		int err = faults.fsync_error;
		faults.fsync_error = 0;
		faults.failed_fd = fd;
		return err;
	}
	return spool_io_posix.fsync(NULL, fd);
}

static int faulty_fsync_dir(void *ctx, const char *path)
{
	(void)ctx;
	if (faults.fsync_dir_error) {
		int err = faults.fsync_dir_error;
		faults.fsync_dir_error = 0;
		return err;
	}
	return spool_io_posix.fsync_dir(NULL, path);
}

static long faulty_write(void *ctx, int fd, const void *data, size_t len)
{
	(void)ctx;
	if (faults.write_error && faults.writes_before_error-- <= 0)
		return faults.write_error;
	if (faults.short_write && (long)len > faults.short_write)
		len = (size_t)faults.short_write;
	return spool_io_posix.write(NULL, fd, data, len);
}

static int faulty_ftruncate(void *ctx, int fd, int64_t len)
{
	(void)ctx;
	if (faults.ftruncate_error)
		return faults.ftruncate_error;
	return spool_io_posix.ftruncate(NULL, fd, len);
}

static int faulty_close(void *ctx, int fd)
{
	(void)ctx;
	if (fd == faults.failed_fd)
		faults.failed_fd = -1;
	return spool_io_posix.close(NULL, fd);
}

static struct spool_io faulty_io;

static struct spool_config config(void)
{
	return (struct spool_config){.dir = dir, .agent = {1, 2, 3},
	    .max_bytes = 1 << 20, .segment_bytes = 64 << 10,
	    .io = &faulty_io};
}

static void wipe(void)
{
	char *command = xasprintf("rm -rf %s", dir);
	assert_int_equal(system(command), 0);
	free(command);
}

static int setup(void **state)
{
	(void)state;
	faults = (struct faults){0};
	next_id = 0;
	faulty_io = spool_io_posix;
	faulty_io.fsync = faulty_fsync;
	faulty_io.fsync_dir = faulty_fsync_dir;
	faulty_io.write = faulty_write;
	faulty_io.ftruncate = faulty_ftruncate;
	faulty_io.close = faulty_close;
	strcpy(dir, access("/dev/shm", W_OK) == 0 ? "/dev/shm/spool-XXXXXX"
						  : "/tmp/spool-XXXXXX");
	assert_non_null(mkdtemp(dir));
	struct spool_config c = config();
	assert_int_equal(spool_open(&spool, &c, &msg), 0);
	assert_int_equal(spool_reader_open(&reader, dir, &msg), 0);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	spool_reader_close(reader);
	spool_close(spool);
	wipe();
	return 0;
}

/* --- shorthand ------------------------------------------------------------ */

static uint64_t epoch_now(void)
{
	struct spool_stats s;
	spool_stats(spool, &s);
	return s.epoch;
}

static uint64_t add(enum spool_class class, const char *text)
{
	uint64_t seq = 0;
	assert_int_equal(spool_append(
	    spool, class, text, strlen(text), &seq, &msg), 0);
	return seq;
}

/* A record of len bytes that starts with an id of its own; 0 when refused. */
static uint64_t add_one(enum spool_class class, size_t len)
{
	char *text = xmalloc(len + 1);
	uint64_t seq = 0;
	memset(text, 'x', len);
	int n = snprintf(text, len, "%" PRIu64, ++next_id);
	text[n] = 'x';
	if (spool_append(spool, class, text, len, &seq, &msg) == 0)
		ids[seq] = next_id;
	free(text);
	return seq;
}

static void add_many(enum spool_class class, size_t count, size_t len)
{
	for (size_t i = 0; i < count; i++)
		assert_true(add_one(class, len) > 0);
}

static void sync_now(void)
{
	assert_int_equal(spool_sync(spool, &msg), 0);
}

static void reopen(void)
{
	struct spool_config c = config();
	spool_close(spool);
	assert_int_equal(spool_open(&spool, &c, &msg), 0);
}

/* A crash leaves everything but the mark of a clean close. */
static void reopen_after_crash(void)
{
	char *mark = xasprintf("%s/epoch", dir);
	char *saved = xasprintf("%s/epoch.saved", dir);
	char *copy = xasprintf("cp %s %s", mark, saved);
	assert_int_equal(system(copy), 0);
	spool_close(spool);
	assert_int_equal(rename(saved, mark), 0);
	struct spool_config c = config();
	assert_int_equal(spool_open(&spool, &c, &msg), 0);
	free(mark);
	free(saved);
	free(copy);
}

/* The i-th segment of a class by place: its path, to be freed. */
static char *segment_path(int class, size_t index)
{
	struct dirent **names;
	char *found = NULL, end[8];
	snprintf(end, sizeof(end), ".%d.seg", class);
	int n = scandir(dir, &names, NULL, alphasort);
	for (int i = 0; i < n; i++) {
		const char *name = names[i]->d_name;
		size_t len = strlen(name);
		if (!found && len > 6 && strcmp(name + len - 6, end) == 0 &&
		    index-- == 0)
			found = xasprintf("%s/%s", dir, name);
		free(names[i]);
	}
	free(names);
	assert_non_null(found);
	return found;
}

static void overwrite(const char *path, long offset, const char *bytes)
{
	int fd = open(path, O_WRONLY);
	assert_true(fd >= 0);
	if (offset < 0)
		offset += lseek(fd, 0, SEEK_END);
	assert_true(pwrite(fd, bytes, strlen(bytes), offset) ==
	    (ssize_t)strlen(bytes));
	close(fd);
}

struct seen {
	uint64_t records, lost, loss_records, gaps, runs;
	char reason[32];
};

static void see_loss(struct seen *seen, const uint8_t *bytes, size_t len)
{
	Sonde__Record *r;
	if (record_unpack(&r, bytes, len, NULL) != 0)
		return;
	if (r->body_case == SONDE__RECORD__BODY_LOSS) {
		seen->loss_records++;
		seen->lost += r->loss->to_seq - r->loss->from_seq + 1;
		for (size_t i = 1; i < r->loss->n_more; i += 2)
			seen->lost += r->loss->more[i];
		snprintf(seen->reason, sizeof(seen->reason), "%s",
		    r->loss->reason);
	}
	record_free(r);
}

/* Reads all from a place on, as a shipper would; every record of add_one must
 * be the one that was given its number. */
static struct seen read_all(uint64_t epoch, uint64_t seq)
{
	struct seen seen = {0};
	struct spool_run run;
	struct buf b = {0};
	while (spool_reader_next(reader,
	    &(struct spool_want){epoch, seq, 7, 1 << 20},
	    &run, &b, &msg) == 0) {
		struct reader r = reader_init(b.data, b.len);
		assert_true(run.count >= 1 && run.count <= 7);
		if (run.epoch != epoch)
			seq = 1;
		seen.gaps += run.first_seq - seq;
		for (uint32_t i = 0; i < run.count; i++) {
			uint32_t len = reader_be32(&r);
			const char *p = (const char *)reader_bytes(&r, len);
			char text[24] = "";
			assert_non_null(p);
			see_loss(&seen, (const uint8_t *)p, len);
			if (len > 20 && p[len - 1] == 'x') {
				memcpy(text, p, 20);
				assert_int_equal(strtoull(text, NULL, 10),
				    ids[run.first_seq + i]);
			}
		}
		assert_int_equal(reader_left(&r), 0);
		seen.records += run.count;
		seen.runs++;
		epoch = run.epoch;
		seq = run.first_seq + run.count;
		buf_clear(&b);
	}
	buf_fini(&b);
	return seen;
}

/* --- the tests ------------------------------------------------------------ */

static void records_come_back_in_order_of_their_numbers(void **state)
{
	(void)state;
	struct spool_run run;
	struct buf b = {0};
	assert_int_equal(add(SPOOL_RESULTS, "one"), 1);
	assert_int_equal(add(SPOOL_COUNTERS, "two"), 2);
	assert_int_equal(add(SPOOL_ALERTS, ""), 3);
	assert_int_equal(add(SPOOL_RESULTS, "four"), 4);
	sync_now();
	assert_int_equal(spool_reader_next(reader,
	    &(struct spool_want){epoch_now(), 1, 100, 1000},
	    &run, &b, &msg), 0);
	assert_int_equal(run.first_seq, 1);
	assert_int_equal(run.count, 4);
	assert_int_equal(run.epoch, epoch_now());
	assert_int_equal(b.len, 4 * 4 + 10);
	assert_memory_equal(b.data,
	    "\0\0\0\3one\0\0\0\3two\0\0\0\0\0\0\0\4four", 26);
	assert_int_equal(spool_reader_next(reader,
	    &(struct spool_want){epoch_now(), 5, 100, 1000},
	    &run, &b, &msg), ERR_EOF);
	add(SPOOL_ALERTS, "five");
	assert_int_equal(spool_reader_next(reader,
	    &(struct spool_want){epoch_now(), 5, 100, 1000},
	    &run, &b, &msg), 0);
	assert_int_equal(run.count, 1);
	buf_fini(&b);
}

static void a_run_ends_at_the_limits_it_is_given(void **state)
{
	(void)state;
	struct spool_run run;
	struct buf b = {0};
	add_many(SPOOL_RESULTS, 10, 100);
	assert_int_equal(spool_reader_next(reader,
	    &(struct spool_want){epoch_now(), 2, 3, 10000},
	    &run, &b, &msg), 0);
	assert_int_equal(run.first_seq, 2);
	assert_int_equal(run.count, 3);
	buf_clear(&b);
	assert_int_equal(spool_reader_next(reader,
	    &(struct spool_want){epoch_now(), 5, 100, 250},
	    &run, &b, &msg), 0);
	assert_int_equal(run.count, 2);
	buf_clear(&b);
	assert_int_equal(spool_reader_next(reader,
	    &(struct spool_want){epoch_now(), 7, 100, 1},
	    &run, &b, &msg), 0);
	assert_int_equal(run.count, 1); /* one always */
	buf_clear(&b);
	/* back again, as after a batch that was refused */
	assert_int_equal(spool_reader_next(reader,
	    &(struct spool_want){epoch_now(), 1, 100, 10000},
	    &run, &b, &msg), 0);
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

static void a_torn_tail_is_cut_off(void **state)
{
	(void)state;
	struct spool_stats s;
	uint64_t epoch = epoch_now();
	add_many(SPOOL_RESULTS, 5, 100);
	sync_now();
	char *path = segment_path(SPOOL_RESULTS, 0);
	spool_close(spool);
	spool = NULL;
	assert_int_equal(truncate(path, 52 + 4 * 140 + 77), 0);
	struct spool_config c = config();
	assert_int_equal(spool_open(&spool, &c, &msg), 0);
	spool_stats(spool, &s);
	assert_int_equal(s.recovered_torn, 1);
	assert_int_equal(s.quarantined, 0);
	assert_true(s.epoch > epoch);
	struct stat st;
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_size, 52 + 4 * 140);
	/* The close had promised five: the fifth is told of. */
	struct seen seen = read_all(epoch, 1);
	assert_int_equal(seen.records, 4 + 1);
	assert_int_equal(seen.lost, 1);
	free(path);
}

static void corruption_loses_only_what_it_hit(void **state)
{
	(void)state;
	struct spool_stats s;
	uint64_t epoch = epoch_now();
	add_many(SPOOL_RESULTS, 9, 100);
	char *path = segment_path(SPOOL_RESULTS, 0);
	reopen();
	/* the payload of number 3, and the head of number 6 */
	overwrite(path, 52 + 2 * 140 + 50, "!");
	overwrite(path, 52 + 5 * 140 + 9, "!!!!");
	reopen();
	spool_stats(spool, &s);
	assert_int_equal(s.quarantined, 1);
	assert_int_equal(s.lost, 2);
	char *bad = xasprintf("%s.bad", path);
	assert_int_equal(access(bad, F_OK), 0);
	struct seen seen = read_all(epoch, 1);
	assert_int_equal(seen.records, 7 + 1);
	assert_int_equal(seen.lost, 2);
	assert_int_equal(seen.gaps, 2);
	assert_int_equal(seen.loss_records, 1);
	assert_string_equal(seen.reason, "corrupt");
	/* told once, not again at each start */
	reopen();
	seen = read_all(epoch, 1);
	assert_int_equal(seen.lost, 2);
	free(bad);
	free(path);
}

static void a_reader_steps_over_corruption_before_any_recovery(void **state)
{
	(void)state;
	uint64_t epoch = epoch_now();
	add_many(SPOOL_RESULTS, 9, 100);
	sync_now();
	char *path = segment_path(SPOOL_RESULTS, 0);
	overwrite(path, 52 + 2 * 140 + 50, "!");
	struct seen seen = read_all(epoch, 1);
	assert_int_equal(seen.records, 8);
	assert_int_equal(seen.gaps, 1);
	free(path);
}

static void a_bad_header_does_not_cost_the_records(void **state)
{
	(void)state;
	uint64_t epoch = epoch_now();
	add_many(SPOOL_RESULTS, 9, 100);
	char *path = segment_path(SPOOL_RESULTS, 0);
	reopen();
	overwrite(path, 20, "!!!!");
	reopen();
	struct seen seen = read_all(epoch, 1);
	assert_int_equal(seen.records, 9);
	assert_int_equal(seen.lost, 0);
	free(path);
}

static void a_missing_segment_is_declared(void **state)
{
	(void)state;
	uint64_t epoch = epoch_now();
	add_many(SPOOL_RESULTS, 200, 1000);
	char *path = segment_path(SPOOL_RESULTS, 1);
	reopen();
	assert_int_equal(unlink(path), 0);
	reopen();
	struct seen seen = read_all(epoch, 1);
	assert_true(seen.lost > 10);
	assert_int_equal(seen.records - seen.loss_records, 200 - seen.lost);
	assert_int_equal(seen.gaps, seen.lost);
	assert_string_equal(seen.reason, "missing-segment");
	free(path);
}

static void a_missing_last_segment_is_declared_after_a_clean_close(void **state)
{
	(void)state;
	uint64_t epoch = epoch_now();
	add_many(SPOOL_RESULTS, 10, 100);
	char *path = segment_path(SPOOL_RESULTS, 0);
	spool_close(spool);
	assert_int_equal(unlink(path), 0);
	struct spool_config c = config();
	assert_int_equal(spool_open(&spool, &c, &msg), 0);
	assert_true(epoch_now() > epoch);
	assert_int_equal(read_all(epoch, 1).lost, 10);
	free(path);
}

static void lost_marks_do_not_lose_records(void **state)
{
	(void)state;
	static const char *const marks[] = {"ack", "epoch"};
	uint64_t epoch = epoch_now(), acked_epoch, acked;
	add_many(SPOOL_RESULTS, 10, 100);
	reopen();
	for (size_t i = 0; i < 2; i++) {
		uint64_t before = epoch_now();
		char *path = xasprintf("%s/%s", dir, marks[i]);
		spool_close(spool);
		assert_int_equal(unlink(path), 0);
		struct spool_config c = config();
		assert_int_equal(spool_open(&spool, &c, &msg), 0);
		/* an epoch without a record may come again */
		assert_true(epoch_now() >= before && epoch_now() > epoch);
		free(path);
		assert_int_equal(spool_reader_acked(
		    reader, &acked_epoch, &acked, &msg), 0);
		assert_int_equal(acked_epoch, epoch);
		assert_int_equal(acked, 1);
		assert_int_equal(read_all(epoch, 1).records, 10);
	}
}

static void another_agents_segments_are_put_aside(void **state)
{
	(void)state;
	uint64_t epoch = epoch_now();
	add_many(SPOOL_RESULTS, 10, 100);
	spool_close(spool);
	struct spool_config c = config();
	c.agent[0] = 99;
	assert_int_equal(spool_open(&spool, &c, &msg), 0);
	assert_true(epoch_now() > epoch);
	add(SPOOL_RESULTS, "mine");
	assert_int_equal(read_all(0, 0).records - 1, 1); /* and their loss */
}

static void the_lowest_class_gives_way_first(void **state)
{
	(void)state;
	struct spool_stats s;
	uint64_t epoch = epoch_now();
	for (int i = 0; i < 200; i++) {
		add_many(SPOOL_COUNTERS, 2, 1000);
		add_many(SPOOL_ALERTS, 1, 1000);
	}
	add_many(SPOOL_RESULTS, 900, 1000);
	spool_stats(spool, &s);
	assert_true(s.bytes <= 1 << 20);
	assert_true(s.dropped >= 400);
	sync_now();
	spool_stats(spool, &s);
	struct seen seen = read_all(epoch, 1);
	assert_int_equal(seen.records + seen.gaps, s.next_seq - 1);
	assert_int_equal(seen.lost, seen.gaps);
	assert_string_equal(seen.reason, "spool-full");
	/* all alerts are there */
	struct spool_run run;
	struct buf b = {0};
	for (uint64_t seq = 3; seq <= 600; seq += 3) {
		buf_clear(&b);
		assert_int_equal(spool_reader_next(reader,
		    &(struct spool_want){epoch, seq, 1, 1},
		    &run, &b, &msg), 0);
		assert_int_equal(run.first_seq, seq);
	}
	buf_fini(&b);
}

static void the_bound_holds_and_every_loss_is_told_once(void **state)
{
	(void)state;
	struct spool_stats s;
	uint64_t epoch = epoch_now();
	uint64_t appended = 0;
	for (int i = 0; i < 4000; i++)
		appended += add_one((enum spool_class)(i % 3),
		    500 + (size_t)i % 700) > 0;
	sync_now();
	spool_stats(spool, &s);
	assert_true(s.bytes <= 1 << 20);
	assert_int_equal(s.appended, appended);
	struct seen seen = read_all(epoch, 1);
	assert_int_equal(seen.records + seen.gaps, s.next_seq - 1);
	assert_int_equal(seen.gaps, seen.lost);
	reopen();
	seen = read_all(epoch, 1);
	assert_int_equal(seen.gaps, seen.lost);
}

static void a_record_below_all_that_is_kept_is_refused(void **state)
{
	(void)state;
	struct spool_stats s, after;
	uint64_t seq;
	for (int i = 0; i < 2000; i++)
		add_many(SPOOL_ALERTS, 1, 1000);
	/* alerts push out alerts; a counter must not */
	while (spool_append(spool, SPOOL_COUNTERS, "xxxxxxxxxxxxxxxxxxxx", 20,
		   &seq, &msg) == 0)
		add_many(SPOOL_ALERTS, 1, 500);
	spool_stats(spool, &s);
	assert_int_equal(spool_append(spool, SPOOL_COUNTERS,
	    "xxxxxxxxxxxxxxxxxxxx", 20, &seq, &msg), ERR_LIMIT);
	spool_stats(spool, &after);
	assert_int_equal(s.next_seq, after.next_seq);
}

static void quarantine_gives_way_before_any_record(void **state)
{
	(void)state;
	struct spool_stats s;
	add_many(SPOOL_RESULTS, 50, 1000);
	char *path = segment_path(SPOOL_RESULTS, 0);
	reopen();
	overwrite(path, 500, "!");
	reopen();
	char *bad = xasprintf("%s.bad", path);
	assert_int_equal(access(bad, F_OK), 0);
	while (access(bad, F_OK) == 0)
		add_many(SPOOL_RESULTS, 1, 1000);
	spool_stats(spool, &s);
	assert_int_equal(s.dropped, 0);
	free(bad);
	free(path);
}

static void a_failed_fsync_is_never_retried_on_that_file(void **state)
{
	(void)state;
	uint64_t epoch = epoch_now();
	add_many(SPOOL_RESULTS, 5, 100);
	sync_now();
	add_many(SPOOL_RESULTS, 5, 100);
	faults.fsync_error = -EIO;
	sync_now();
	assert_int_equal(faults.fsyncs_of_failed, 0);
	assert_int_equal(faults.failed_fd, -1); /* closed */
	char *old = segment_path(SPOOL_RESULTS, 0);
	char *new = segment_path(SPOOL_RESULTS, 1);
	struct stat st;
	assert_int_equal(stat(old, &st), 0);
	assert_int_equal(st.st_size, 52 + 5 * 140);
	assert_int_equal(stat(new, &st), 0);
	assert_int_equal(st.st_size, 52 + 5 * 140);
	assert_int_equal(read_all(epoch, 1).records, 10);
	reopen();
	struct seen seen = read_all(epoch, 1);
	assert_int_equal(seen.records, 10);
	assert_int_equal(seen.lost, 0);
	free(old);
	free(new);
}

static void a_failed_fsync_of_a_fresh_file_replaces_it(void **state)
{
	(void)state;
	uint64_t epoch = epoch_now();
	struct stat before, after;
	add_many(SPOOL_RESULTS, 5, 100);
	char *path = segment_path(SPOOL_RESULTS, 0);
	assert_int_equal(read_all(epoch, 1).records, 5);
	assert_int_equal(stat(path, &before), 0);
	faults.fsync_error = -EIO;
	sync_now();
	assert_int_equal(stat(path, &after), 0);
	assert_true(before.st_ino != after.st_ino);
	add_many(SPOOL_RESULTS, 2, 100);
	assert_int_equal(read_all(epoch, 1).records, 7);
	assert_int_equal(read_all(epoch, 6).records, 2);
	free(path);
}

static void a_failed_sync_of_the_folder_writes_all_anew(void **state)
{
	(void)state;
	uint64_t epoch = epoch_now();
	add_many(SPOOL_RESULTS, 5, 100);
	add_many(SPOOL_ALERTS, 5, 100);
	faults.fsync_dir_error = -EIO;
	assert_int_equal(spool_sync(spool, &msg), -EIO);
	sync_now();
	assert_int_equal(read_all(epoch, 1).records, 10);
	reopen();
	assert_int_equal(read_all(epoch, 1).records, 10);
}

static void a_failed_write_takes_no_number(void **state)
{
	(void)state;
	uint64_t epoch = epoch_now(), seq;
	add_many(SPOOL_RESULTS, 3, 100);
	faults.short_write = 50;
	faults.write_error = -EIO;
	faults.writes_before_error = 1;
	assert_int_equal(spool_append(
	    spool, SPOOL_RESULTS, "lost", 4, &seq, &msg), 0);
	faults.writes_before_error = 1;
	char *large = xcalloc(1, 200);
	assert_int_equal(spool_append(
	    spool, SPOOL_RESULTS, large, 200, &seq, &msg), -EIO);
	/* and when not even the half frame can be cut off */
	faults.ftruncate_error = -EIO;
	faults.writes_before_error = 1;
	assert_int_equal(spool_append(
	    spool, SPOOL_RESULTS, large, 200, &seq, &msg), -EIO);
	faults = (struct faults){.short_write = 50};
	assert_int_equal(add(SPOOL_RESULTS, "five"), 5);
	sync_now();
	assert_int_equal(read_all(epoch, 1).records, 5);
	reopen();
	struct seen seen = read_all(epoch, 1);
	assert_int_equal(seen.records, 5);
	assert_int_equal(seen.gaps, 0);
	free(large);
}

static void a_full_disk_makes_room_by_class(void **state)
{
	(void)state;
	struct spool_stats s;
	uint64_t epoch = epoch_now();
	add_many(SPOOL_COUNTERS, 50, 100);
	add_many(SPOOL_RESULTS, 50, 100);
	faults.write_error = -ENOSPC;
	faults.writes_before_error = 0;
	uint64_t seq;
	int err = spool_append(spool, SPOOL_RESULTS, "a", 1, &seq, &msg);
	assert_int_equal(err, -ENOSPC); /* it never ends: all gave way */
	faults.write_error = 0;
	add_many(SPOOL_ALERTS, 1, 100);
	sync_now();
	spool_stats(spool, &s);
	struct seen seen = read_all(epoch, 1);
	assert_int_equal(seen.lost, 100);
	assert_int_equal(seen.records + seen.lost, s.next_seq - 1);
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
	struct buf b = {0};
	uint64_t seq = 1;
	if (spool_reader_open(&r, dir, NULL) != 0)
		return 1;
	while (seq <= until) {
		int err = spool_reader_next(r,
		    &(struct spool_want){epoch, seq, 50, 1 << 16},
		    &run, &b, NULL);
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

static void random_bytes_as_a_segment_do_no_harm(void **state)
{
	(void)state;
	uint64_t epoch = epoch_now();
	unsigned random = 7;
	add_many(SPOOL_RESULTS, 3, 100);
	spool_close(spool);
	char *path = xasprintf("%s/%016x%016x.0.seg", dir, 1, 1);
	path[strlen(dir) + 1 + 16] = '.';
	free(path);
	path = xasprintf("%s/%016" PRIx64 ".%016x.0.seg", dir, epoch, 2);
	FILE *f = fopen(path, "w");
	for (int i = 0; i < 5000; i++) {
		random = random * 1103515245 + 12345;
		fputc((int)(random >> 16 & 0xff), f);
	}
	fclose(f);
	struct spool_config c = config();
	assert_int_equal(spool_open(&spool, &c, &msg), 0);
	assert_int_equal(access(path, F_OK), -1);
	struct seen seen = read_all(epoch, 1);
	assert_int_equal(seen.records, 3);
	assert_int_equal(seen.lost, 0);
	free(path);
}

#define with_spool(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    with_spool(records_come_back_in_order_of_their_numbers),
	    with_spool(a_run_ends_at_the_limits_it_is_given),
	    with_spool(an_epoch_goes_on_after_a_clean_close),
	    with_spool(a_crash_starts_a_new_epoch_and_keeps_the_old),
	    with_spool(acknowledged_segments_go_and_the_mark_stays),
	    with_spool(an_ack_of_what_was_never_numbered_is_a_fork),
	    with_spool(a_torn_tail_is_cut_off),
	    with_spool(corruption_loses_only_what_it_hit),
	    with_spool(a_reader_steps_over_corruption_before_any_recovery),
	    with_spool(a_bad_header_does_not_cost_the_records),
	    with_spool(a_missing_segment_is_declared),
	    with_spool(a_missing_last_segment_is_declared_after_a_clean_close),
	    with_spool(lost_marks_do_not_lose_records),
	    with_spool(another_agents_segments_are_put_aside),
	    with_spool(the_lowest_class_gives_way_first),
	    with_spool(the_bound_holds_and_every_loss_is_told_once),
	    with_spool(a_record_below_all_that_is_kept_is_refused),
	    with_spool(quarantine_gives_way_before_any_record),
	    with_spool(a_failed_fsync_is_never_retried_on_that_file),
	    with_spool(a_failed_fsync_of_a_fresh_file_replaces_it),
	    with_spool(a_failed_sync_of_the_folder_writes_all_anew),
	    with_spool(a_failed_write_takes_no_number),
	    with_spool(a_full_disk_makes_room_by_class),
	    with_spool(only_one_process_writes),
	    with_spool(another_process_sees_only_whole_frames_in_order),
	    with_spool(random_bytes_as_a_segment_do_no_harm),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
