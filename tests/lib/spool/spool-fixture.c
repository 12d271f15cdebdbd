/* SPDX-License-Identifier: ISC */
/* The folder, the disk that can fail, and reading back. */
#include "tests/lib/spool/spool-fixture.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/reader.h"
#include "lib/record/record.h"
#include "lib/base/xalloc.h"

char dir[64];
struct spool *spool;
struct spool_reader *reader;
struct errmsg msg;
struct faults faults;
static uint64_t ids[30000]; /* what record was given this number */
static uint64_t next_id;

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

struct spool_config config(void)
{
	return (struct spool_config){ .dir = dir,
		.agent = { 1, 2, 3 },
		.max_bytes = 1 << 20,
		.segment_bytes = 64 << 10,
		.io = &faulty_io };
}

static void wipe(void)
{
	char *command = xasprintf("rm -rf %s", dir);
	assert_int_equal(system(command), 0);
	free(command);
}

int spool_setup(void **state)
{
	(void)state;
	faults = (struct faults){ 0 };
	next_id = 0;
	faulty_io = spool_io_posix;
	faulty_io.fsync = faulty_fsync;
	faulty_io.fsync_dir = faulty_fsync_dir;
	faulty_io.write = faulty_write;
	faulty_io.ftruncate = faulty_ftruncate;
	faulty_io.close = faulty_close;
	snprintf(dir, sizeof(dir), "%s/spool-XXXXXX",
	    access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	assert_non_null(mkdtemp(dir));
	struct spool_config c = config();
	assert_int_equal(spool_open(&spool, &c, &msg), 0);
	assert_int_equal(spool_reader_open(&reader, dir, &msg), 0);
	return 0;
}

int spool_teardown(void **state)
{
	(void)state;
	spool_reader_close(reader);
	spool_close(spool);
	wipe();
	return 0;
}

uint64_t epoch_now(void)
{
	struct spool_stats s;
	spool_stats(spool, &s);
	return s.epoch;
}

uint64_t add(enum spool_class class, const char *text)
{
	uint64_t seq = 0;
	assert_int_equal(
	    spool_append(spool, class, text, strlen(text), &seq, &msg), 0);
	return seq;
}

uint64_t add_one(enum spool_class class, size_t len)
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

void add_many(enum spool_class class, size_t count, size_t len)
{
	for (size_t i = 0; i < count; i++)
		assert_true(add_one(class, len) > 0);
}

void sync_now(void)
{
	assert_int_equal(spool_sync(spool, &msg), 0);
}

void reopen(void)
{
	struct spool_config c = config();
	spool_close(spool);
	assert_int_equal(spool_open(&spool, &c, &msg), 0);
}

void reopen_after_crash(void)
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

char *segment_path(int class, size_t index)
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

void overwrite(const char *path, long offset, const char *bytes)
{
	int fd = open(path, O_WRONLY);
	assert_true(fd >= 0);
	if (offset < 0)
		offset += lseek(fd, 0, SEEK_END);
	assert_true(
	    pwrite(fd, bytes, strlen(bytes), offset) == (ssize_t)strlen(bytes));
	close(fd);
}

static void see_gap(struct seen *seen, const uint8_t *bytes, size_t len)
{
	Sonde__Record *r;
	if (record_unpack(&r, bytes, len, NULL) != 0)
		return;
	if (r->body_case == SONDE__RECORD__BODY_GAP) {
		seen->gap_records++;
		seen->lost += r->gap->to_seq - r->gap->from_seq + 1;
		for (size_t i = 1; i < r->gap->n_more; i += 2)
			seen->lost += r->gap->more[i];
		snprintf(
		    seen->reason, sizeof(seen->reason), "%s", r->gap->reason);
	}
	record_free(r);
}

struct seen read_all(uint64_t epoch, uint64_t seq)
{
	struct seen seen = { 0 };
	struct spool_run run;
	struct buf b = { 0 };
	while (spool_reader_next(reader,
		   &(struct spool_want){ epoch, seq, 7, 1 << 20 }, &run, &b,
		   &msg) == 0) {
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
			see_gap(&seen, (const uint8_t *)p, len);
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
