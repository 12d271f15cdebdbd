/* SPDX-License-Identifier: ISC */
/*
 * A write or a sync that fails: nothing is believed that the disk did not
 * take.
 */
#include "tests/lib/spool/spool-fixture.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "lib/base/xalloc.h"

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

static void a_failed_sync_of_the_folder_writes_all_again(void **state)
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
	assert_int_equal(
	    spool_append(spool, SPOOL_RESULTS, "lost", 4, &seq, &msg), 0);
	faults.writes_before_error = 1;
	char *large = xcalloc(1, 200);
	assert_int_equal(
	    spool_append(spool, SPOOL_RESULTS, large, 200, &seq, &msg), -EIO);
	/* and when not even the half frame can be cut off */
	faults.ftruncate_error = -EIO;
	faults.writes_before_error = 1;
	assert_int_equal(
	    spool_append(spool, SPOOL_RESULTS, large, 200, &seq, &msg), -EIO);
	faults = (struct faults){ .short_write = 50 };
	assert_int_equal(add(SPOOL_RESULTS, "five"), 5);
	sync_now();
	assert_int_equal(read_all(epoch, 1).records, 5);
	reopen();
	struct seen seen = read_all(epoch, 1);
	assert_int_equal(seen.records, 5);
	assert_int_equal(seen.gaps, 0);
	free(large);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_SPOOL(a_failed_fsync_is_never_retried_on_that_file),
		WITH_SPOOL(a_failed_fsync_of_a_fresh_file_replaces_it),
		WITH_SPOOL(a_failed_sync_of_the_folder_writes_all_again),
		WITH_SPOOL(a_failed_write_takes_no_number),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
