/* SPDX-License-Identifier: ISC */
/*
 * What a spool makes of a folder that a crash, a bad disk or a hand has
 * changed.
 */
#include "tests/lib/spool/spool-fixture.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/xalloc.h"

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
	assert_int_equal(seen.gap_records, 1);
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
	assert_int_equal(seen.records - seen.gap_records, 200 - seen.lost);
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
	static const char *const marks[] = { "ack", "epoch" };
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
		assert_int_equal(
		    spool_reader_acked(reader, &acked_epoch, &acked, &msg), 0);
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
	assert_int_equal(read_all(0, 0).records - 1, 1); /* and their gap */
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_SPOOL(a_torn_tail_is_cut_off),
		WITH_SPOOL(corruption_loses_only_what_it_hit),
		WITH_SPOOL(a_reader_steps_over_corruption_before_any_recovery),
		WITH_SPOOL(a_bad_header_does_not_cost_the_records),
		WITH_SPOOL(a_missing_segment_is_declared),
		WITH_SPOOL(
		    a_missing_last_segment_is_declared_after_a_clean_close),
		WITH_SPOOL(lost_marks_do_not_lose_records),
		WITH_SPOOL(another_agents_segments_are_put_aside),
		WITH_SPOOL(random_bytes_as_a_segment_do_no_harm),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
