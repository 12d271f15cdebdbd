/* SPDX-License-Identifier: ISC */
/* A chore that fails each second says so once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "collector/core/chore-log.h"

static void a_failure_that_lasts_is_logged_once(void **state)
{
	struct chore_log log = { 0 };
	const struct errmsg full = { "disk is full" }, other = { "read-only" };
	(void)state;
	assert_false(chore_log(&log, "chore", 0, NULL));
	assert_true(chore_log(&log, "chore", ERR_UNAVAILABLE, &full));
	assert_false(chore_log(&log, "chore", ERR_UNAVAILABLE, &full));
	assert_true(chore_log(&log, "chore", ERR_UNAVAILABLE, &other));
	assert_false(chore_log(&log, "chore", ERR_UNAVAILABLE, &other));
	assert_true(chore_log(&log, "chore", 0, NULL));
	assert_false(chore_log(&log, "chore", 0, NULL));
	assert_true(chore_log(&log, "chore", ERR_UNAVAILABLE, &other));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_failure_that_lasts_is_logged_once),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
