/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <time.h>

#include "lib/base/clock.h"

static void times_are_written_in_utc_with_nanoseconds(void **state)
{
	(void)state;
	static const struct {
		int64_t ns;
		const char *text;
	} cases[] = {
		{ 0, "1970-01-01T00:00:00.000000000Z" },
		{ -1, "1969-12-31T23:59:59.999999999Z" },
		{ 1790042345123456789, "2026-09-22T01:59:05.123456789Z" },
		{ INT64_MAX, "2262-04-11T23:47:16.854775807Z" },
		{ INT64_MIN, "1677-09-21T00:12:43.145224192Z" },
	};
	char text[WALLTIME_TEXT_LEN];
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_string_equal(
		    walltime_text((struct walltime){ cases[i].ns }, text),
		    cases[i].text);
}

/* Every day from 1678 to 2261 as the system's calendar has it. */
static void days_are_those_of_the_calendar(void **state)
{
	(void)state;
	for (time_t day = -106600; day <= 106600; day++) {
		char text[WALLTIME_TEXT_LEN], expected[32];
		time_t s = day * 86400 + (day & 1 ? 86399 : 0);
		struct tm tm;
		gmtime_r(&s, &tm);
		strftime(expected, sizeof(expected),
		    "%Y-%m-%dT%H:%M:%S.000000000Z", &tm);
		assert_string_equal(
		    walltime_text(
			(struct walltime){ (int64_t)s * NS_PER_S }, text),
		    expected);
	}
}

static void text_becomes_the_same_instant(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		int64_t ns;
	} cases[] = {
		{ "1970-01-01T00:00:00Z", 0 },
		{ "2011-01-01 00:01:43", 1293840103 * NS_PER_S },
		{ "2026-09-22T01:59:05.123456789Z", 1790042345123456789 },
		{ "2026-09-22T03:59:05.1234567891+02:00", 1790042345123456789 },
		{ "1969-12-31T23:59:59.5z", -NS_PER_S / 2 },
		{ "2016-12-31T23:59:60Z", 1483228800 * NS_PER_S },
	};
	struct walltime t;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(walltime_parse(&t, cases[i].text), 0);
		assert_int_equal(t.ns, cases[i].ns);
	}
}

static void what_is_no_time_is_refused(void **state)
{
	(void)state;
	static const char *const bad[] = { "", "2011", "2011-13-01 00:00:00",
		"2011-04-31 00:00:00", "2011-01-01", "2011-01-01 24:00:00",
		"2011-01-01 00:00:00.", "2011-01-01 00:00:00 ",
		"2011-01-01T00:00:00+0200", "2011-01-01T00:00:00+02:60",
		"+011-01-01 00:00:00", "2011-1-1 00:00:00", "frame.time" };
	struct walltime t;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(walltime_parse(&t, bad[i]), ERR_MALFORMED);
	assert_int_equal(walltime_parse(&t, "0001-01-01T00:00:00Z"), ERR_LIMIT);
	assert_int_equal(walltime_parse(&t, "9999-01-01T00:00:00Z"), ERR_LIMIT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(times_are_written_in_utc_with_nanoseconds),
		cmocka_unit_test(days_are_those_of_the_calendar),
		cmocka_unit_test(text_becomes_the_same_instant),
		cmocka_unit_test(what_is_no_time_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
