/* SPDX-License-Identifier: ISC */
/*
 * Every system call of a workload fails, one run after the other: once, or
 * from then on.  Whatever fails, no promise is broken: what spool_sync called
 * safe is there when the spool is opened again on a disk that works, or is
 * declared lost; and nothing is there twice.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/reader.h"
#include "lib/record/record.h"
#include "lib/spool/spool.h"

enum { RECORDS = 60, SEQ_MOST = 512 };

static char dir[64];
static struct fault {
	long calls, fail_at; /* counts down to the call that fails */
	int error;
	bool for_ever, failed;
} fault;

static int trip(void)
{
	fault.calls++;
	if (fault.calls == fault.fail_at || (fault.for_ever && fault.failed)) {
		fault.failed = true;
		return fault.error;
	}
	return 0;
}

static int fault_open(void *ctx, const char *path, int flags, int mode)
{
	int err = trip();
	return err ? err : spool_io_posix.open(ctx, path, flags, mode);
}

/* A write that fails may have written half. */
static long fault_write(void *ctx, int fd, const void *data, size_t len)
{
	int err = trip();
	if (err)
		spool_io_posix.write(ctx, fd, data, len / 2);
	return err ? err : spool_io_posix.write(ctx, fd, data, len);
}

static int fault_fsync(void *ctx, int fd)
{
	int err = trip();
	return err ? err : spool_io_posix.fsync(ctx, fd);
}

static int fault_fsync_dir(void *ctx, const char *path)
{
	int err = trip();
	return err ? err : spool_io_posix.fsync_dir(ctx, path);
}

static int fault_rename(void *ctx, const char *from, const char *to)
{
	int err = trip();
	return err ? err : spool_io_posix.rename(ctx, from, to);
}

static int fault_unlink(void *ctx, const char *path)
{
	int err = trip();
	return err ? err : spool_io_posix.unlink(ctx, path);
}

static int fault_ftruncate(void *ctx, int fd, int64_t len)
{
	int err = trip();
	return err ? err : spool_io_posix.ftruncate(ctx, fd, len);
}

static int plain_close(void *ctx, int fd)
{
	return spool_io_posix.close(ctx, fd);
}

static const struct spool_io faulty = { fault_open, fault_write, fault_fsync,
	fault_fsync_dir, fault_rename, fault_unlink, fault_ftruncate,
	plain_close, NULL };

static struct spool_config config_for(const struct spool_io *io)
{
	/* So small that segments roll and are dropped. */
	return (struct spool_config){ .dir = dir,
		.agent = { 4 },
		.max_bytes = 16 << 10,
		.segment_bytes = 2 << 10,
		.io = io };
}

static void wipe(void)
{
	DIR *d = opendir(dir);
	struct dirent *e;
	while (d && (e = readdir(d)))
		if (e->d_name[0] != '.')
			unlinkat(dirfd(d), e->d_name, 0);
	if (d)
		closedir(d);
}

/* What the workload was told, by number. */
static struct ledger {
	uint64_t epoch;
	uint8_t fill[SEQ_MOST]; /* the byte of the record; 0: none */
	bool safe[SEQ_MOST];
	uint64_t acked;
	uint8_t present[SEQ_MOST], declared[SEQ_MOST];
} ledger;

static void sync_and_note(struct spool *spool)
{
	if (spool_sync(spool, NULL) != 0)
		return;
	for (size_t s = 1; s < SEQ_MOST; s++)
		ledger.safe[s] = ledger.fill[s] != 0;
}

static void workload(const struct spool_io *io)
{
	struct spool *spool;
	struct spool_stats stats;
	struct spool_config config = config_for(io);
	if (spool_open(&spool, &config, NULL) != 0)
		return;
	spool_stats(spool, &stats);
	ledger.epoch = stats.epoch;
	for (int i = 0; i < RECORDS; i++) {
		uint8_t bytes[400];
		uint64_t seq;
		memset(bytes, 1 + i, sizeof(bytes));
		if (spool_append(spool, (enum spool_class)(i % SPOOL_CLASSES),
			bytes, 100 + (size_t)i * 5, &seq, NULL) == 0) {
			assert_true(seq < SEQ_MOST && !ledger.fill[seq]);
			ledger.fill[seq] = (uint8_t)(1 + i);
		}
		if (i % 5 == 4)
			sync_and_note(spool);
		if (i == 20 && ledger.safe[10]) {
			ledger.acked = 11;
			spool_ack(spool, ledger.epoch, 11, NULL);
		}
	}
	sync_and_note(spool);
	spool_close(spool);
}

static void declare_range(uint64_t from, uint64_t to)
{
	for (uint64_t s = from; s <= to; s++) {
		assert_true(s < SEQ_MOST);
		ledger.declared[s]++;
	}
}

static bool see_gap(const uint8_t *bytes, size_t len)
{
	Sonde__Record *r;
	if (record_unpack(&r, bytes, len, NULL) != 0)
		return false;
	bool is = r->body_case == SONDE__RECORD__BODY_GAP;
	if (is && r->gap->epoch == ledger.epoch) {
		uint64_t to = r->gap->to_seq;
		declare_range(r->gap->from_seq, to);
		for (size_t i = 0; i + 1 < r->gap->n_more; i += 2) {
			uint64_t from = to + r->gap->more[i] + 1;
			to = from + r->gap->more[i + 1] - 1;
			declare_range(from, to);
		}
	}
	record_free(r);
	return is;
}

static void see(const struct spool_run *run, const struct buf *b)
{
	struct reader r = reader_init(b->data, b->len);
	for (uint32_t i = 0; i < run->count; i++) {
		uint64_t seq = run->first_seq + i;
		uint32_t len = reader_be32(&r);
		const uint8_t *bytes = reader_bytes(&r, len);
		if (run->epoch == ledger.epoch) {
			assert_true(seq < SEQ_MOST);
			ledger.present[seq]++;
		}
		if (!see_gap(bytes, len)) {
			assert_int_equal(run->epoch, ledger.epoch);
			assert_int_equal(bytes[0], ledger.fill[seq]);
			assert_int_equal(bytes[len - 1], ledger.fill[seq]);
		}
	}
}

static void judge(void)
{
	struct spool *spool;
	struct spool_reader *reader;
	struct spool_run run;
	struct buf b = { 0 };
	struct spool_want want = { 0, 0, 100, 1 << 20 };
	struct spool_config config = config_for(NULL);
	assert_int_equal(spool_open(&spool, &config, NULL), 0);
	assert_int_equal(spool_reader_open(&reader, dir, NULL), 0);
	while (spool_reader_next(reader, &want, &run, &b, NULL) == 0) {
		see(&run, &b);
		want.epoch = run.epoch;
		want.seq = run.first_seq + run.count;
		buf_clear(&b);
	}
	spool_reader_close(reader);
	spool_close(spool);
	buf_fini(&b);
	for (uint64_t s = 1; s < SEQ_MOST; s++) {
		assert_true(ledger.present[s] <= 1);
		if (ledger.safe[s] && s >= ledger.acked)
			assert_int_equal(
			    ledger.present[s] + ledger.declared[s] > 0, 1);
	}
}

static long run(long fail_at, int error, bool for_ever)
{
	wipe();
	memset(&ledger, 0, sizeof(ledger));
	fault = (struct fault){
		.fail_at = fail_at, .error = error, .for_ever = for_ever
	};
	workload(&faulty);
	judge();
	return fault.calls;
}

static void no_failing_call_breaks_a_promise(void **state)
{
	static const int errors[] = { -EIO, -ENOSPC };
	(void)state;
	strcpy(dir,
	    access("/dev/shm", W_OK) == 0 ? "/dev/shm/sonde-faults-XXXXXX"
					  : "/tmp/sonde-faults-XXXXXX");
	assert_non_null(mkdtemp(dir));
	long calls = run(0, 0, false);
	assert_true(calls > 100);
	for (size_t e = 0; e < sizeof(errors) / sizeof(errors[0]); e++)
		for (long at = 1; at <= calls; at++) {
			run(at, errors[e], false);
			if (at % 3 == (long)e)
				run(at, errors[e], true);
		}
	wipe();
	rmdir(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_failing_call_breaks_a_promise),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
