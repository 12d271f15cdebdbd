/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <fcntl.h>
#include <unistd.h>
#include <cmocka.h>

#include "probes/ipc/process.h"

/* Pages of files that this process has mapped. */
static unsigned long file_pages(void)
{
	unsigned long size, resident, shared;
	FILE *f = fopen("/proc/self/statm", "r");
	assert_non_null(f);
	assert_int_equal(
	    fscanf(f, "%lu %lu %lu", &size, &resident, &shared), 3);
	fclose(f);
	return shared;
}

static char variable[] = "as it was";

static void who_rests_has_less_memory_and_goes_on(void **state)
{
	(void)state;
	variable[0] = 'A';
	unsigned long before = file_pages();
	process_rest();
	unsigned long after = file_pages();
	if (after >= before)
		fail_msg("%lu pages, then %lu", before, after);
	assert_string_equal(variable, "As it was");
	process_rest();
	assert_string_equal(variable, "As it was");
}

static void only_the_descriptors_that_are_named_stay(void **state)
{
	int kept = open("/dev/null", O_RDONLY), lost = dup(kept);
	int fds[] = { kept, -1 };
	(void)state;
	process_keep_fds(fds, 2);
	assert_int_not_equal(fcntl(kept, F_GETFD), -1);
	assert_int_equal(fcntl(lost, F_GETFD), -1);
	assert_int_not_equal(fcntl(STDERR_FILENO, F_GETFD), -1);
	close(kept);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_rests_has_less_memory_and_goes_on),
		cmocka_unit_test(only_the_descriptors_that_are_named_stay),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
