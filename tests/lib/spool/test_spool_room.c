/* SPDX-License-Identifier: ISC */
/* What is dropped when the bound or the disk is reached, and that it is
 * declared. */
#include "tests/lib/spool/spool-fixture.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/base/xalloc.h"

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
	struct buf b = { 0 };
	for (uint64_t seq = 3; seq <= 600; seq += 3) {
		buf_clear(&b);
		assert_int_equal(spool_reader_next(reader,
				     &(struct spool_want){ epoch, seq, 1, 1 },
				     &run, &b, &msg),
		    0);
		assert_int_equal(run.first_seq, seq);
	}
	buf_fini(&b);
}

static void the_bound_holds_and_every_gap_is_declared_once(void **state)
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
			     "xxxxxxxxxxxxxxxxxxxx", 20, &seq, &msg),
	    ERR_LIMIT);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_SPOOL(the_lowest_class_gives_way_first),
		WITH_SPOOL(the_bound_holds_and_every_gap_is_declared_once),
		WITH_SPOOL(a_record_below_all_that_is_kept_is_refused),
		WITH_SPOOL(quarantine_gives_way_before_any_record),
		WITH_SPOOL(a_full_disk_makes_room_by_class),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
