/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "probes/ipc/counters.h"

static void another_process_reads_what_the_owner_counts(void **state)
{
	struct counters *c = counters_new();
	char name[COUNTERS_NAME_LEN];
	uint64_t value;
	int status;
	(void)state;
	pid_t pid = fork();
	if (pid == 0) {
		counters_add(counters_cell(c, "guardian.sent"), 3);
		counters_add(counters_cell(c, "guardian.sent"), 4);
		counters_set(counters_cell(c, "guardian.runs"), 1);
		_exit(0);
	}
	waitpid(pid, &status, 0);
	assert_true(counters_get(c, 0, name, &value));
	assert_string_equal(name, "guardian.sent");
	assert_int_equal(value, 7);
	assert_true(counters_get(c, 1, name, &value));
	assert_string_equal(name, "guardian.runs");
	assert_false(counters_get(c, 2, name, &value));
	counters_free(c);
}

static void a_page_that_travels_cannot_be_cut_short(void **state)
{
	int fd, pipe_fds[2];
	struct counters *c = counters_new_fd(&fd);
	struct counters *there = counters_open(fd);
	char name[COUNTERS_NAME_LEN];
	uint64_t value;
	(void)state;
	assert_non_null(there);
	counters_add(counters_cell(there, "shipper.batches"), 5);
	assert_true(counters_get(c, 0, name, &value));
	assert_int_equal(value, 5);
	assert_int_equal(ftruncate(fd, 0), -1);
	assert_int_equal(pipe(pipe_fds), 0);
	assert_null(counters_open(pipe_fds[0]));
	assert_null(counters_open(-1));
	close(pipe_fds[0]);
	close(pipe_fds[1]);
	counters_free(there);
	counters_free(c);
	close(fd);
}

static void a_full_page_gives_a_cell_that_is_never_read(void **state)
{
	struct counters *c = counters_new();
	char name[COUNTERS_NAME_LEN];
	uint64_t value;
	(void)state;
	for (int i = 0; i < COUNTERS_MAX + 10; i++) {
		snprintf(name, sizeof(name), "n%d", i);
		counters_add(counters_cell(c, name), 1);
	}
	assert_true(counters_get(c, COUNTERS_MAX - 1, name, &value));
	assert_false(counters_get(c, COUNTERS_MAX, name, &value));
	counters_free(c);
}

static void a_hostile_page_stays_inside_its_bounds(void **state)
{
	struct counters *c = counters_new();
	char name[COUNTERS_NAME_LEN];
	uint64_t value;
	size_t count = 0;
	(void)state;
	memset(c, 0xff, 4096);
	while (counters_get(c, count, name, &value)) {
		assert_true(strlen(name) < COUNTERS_NAME_LEN);
		assert_null(strchr(name, 0xff));
		count++;
	}
	assert_int_equal(count, COUNTERS_MAX);
	counters_free(c);
}

static void no_page_counts_into_nothing(void **state)
{
	(void)state;
	counters_add(counters_cell(NULL, "x"), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(another_process_reads_what_the_owner_counts),
		cmocka_unit_test(a_page_that_travels_cannot_be_cut_short),
		cmocka_unit_test(a_full_page_gives_a_cell_that_is_never_read),
		cmocka_unit_test(a_hostile_page_stays_inside_its_bounds),
		cmocka_unit_test(no_page_counts_into_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
