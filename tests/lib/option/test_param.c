/* SPDX-License-Identifier: ISC */
/* Which texts are values, and what a refusal says. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "lib/base/clock.h"
#include "lib/option/param.h"

#define NOW_NS (INT64_C(1795305600) * NS_PER_S)

static const char *const colours[] = { "red", "green", "blue", NULL };
static const struct param limit = {
	.name = "limit", .type = PARAM_INTEGER, .min = 1, .max = 1000
};
static const struct param after = {
	.name = "after", .type = PARAM_INTEGER, .max = INT64_MAX
};
static const struct param from = { .name = "from", .type = PARAM_TIME };
static const struct param src = { .name = "src", .type = PARAM_ADDRESS };
static const struct param campaign = { .name = "campaign", .type = PARAM_ID };
static const struct param key = { .name = "key", .type = PARAM_HEX,
	.max = 4 };
static const struct param colour = {
	.name = "colour", .type = PARAM_WORD, .words = colours
};
static const struct param mix = {
	.name = "mix", .type = PARAM_WORDS, .words = colours
};
static const struct param cursor = { .name = "cursor", .type = PARAM_CURSOR };
static const struct param name = { .name = "name", .type = PARAM_TEXT };

static void values_are_read_whole_or_refused(void **state)
{
	static const struct {
		const struct param *param;
		const char *text;
		bool good;
	} cases[] = {
		{ &limit, "1", true },
		{ &limit, "1000", true },
		{ &limit, "0", false },
		{ &limit, "1001", false },
		{ &limit, "-1", false },
		{ &limit, " 1", false },
		{ &limit, "+1", false },
		{ &limit, "1x", false },
		{ &limit, "1.5", false },
		{ &limit, "99999999999999999999", false },
		{ &after, "9223372036854775807", true },
		{ &after, "9223372036854775808", false },
		{ &from, "now", true },
		{ &from, "-1h", true },
		{ &from, "2026-11-22T01:59:05.123456Z", true },
		{ &from, "-", false },
		{ &from, "-1y2", false },
		{ &from, "--1h", false },
		{ &from, "tomorrow", false },
		{ &from, "1969-12-31T23:59:59Z", false },
		{ &src, "192.0.2.1", true },
		{ &src, "2001:db8::1", true },
		{ &src, "192.0.2", false },
		{ &src, "host", false },
		{ &campaign, "00112233445566778899aabbccddeeFF", true },
		{ &campaign, "00112233445566778899aabbccddeef", false },
		{ &campaign, "00112233445566778899aabbccddeefg", false },
		{ &campaign, "00112233445566778899aabbccddeeff0", false },
		{ &key, "0aF9", true },
		{ &key, "0aF", false },
		{ &key, "0aF9a", false },
		{ &key, "0aFg", false },
		{ &colour, "red", true },
		{ &colour, "red,green", false },
		{ &colour, "re", false },
		{ &mix, "red,blue", true },
		{ &mix, "blue", true },
		{ &mix, "blue,", true },
		{ &mix, ",", false },
		{ &mix, "blue,grey", false },
		{ &cursor, "-5_1", true },
		{ &cursor, "1795305600000000000_12", true },
		{ &cursor, "1_0", false },
		{ &cursor, "1", false },
		{ &cursor, "1_2_3", false },
		{ &name, "any thing", true },
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct errmsg msg = { "" };
		int err =
		    param_check(cases[i].param, cases[i].text, NOW_NS, &msg);
		if ((err == ERR_OK) != cases[i].good)
			fail_msg("%s=%s: %d %s", cases[i].param->name,
			    cases[i].text, err, msg.text);
		if (!cases[i].good) {
			assert_int_equal(err, ERR_USAGE);
			assert_non_null(strstr(msg.text, cases[i].param->name));
		}
	}
}

static void a_refusal_says_what_was_expected_and_came(void **state)
{
	struct errmsg msg;
	(void)state;
	assert_int_equal(param_check(&limit, "2000", NOW_NS, &msg), ERR_USAGE);
	assert_string_equal(msg.text,
	    "parameter 'limit': expected a whole number from 1 to 1000, got "
	    "'2000'");
	assert_int_equal(param_check(&after, "x", NOW_NS, &msg), ERR_USAGE);
	assert_string_equal(msg.text,
	    "parameter 'after': expected a whole number, at least 0, got 'x'");
	assert_int_equal(
	    param_check(&colour, "gr\x1b[31m\xc3\xa9y", NOW_NS, &msg),
	    ERR_USAGE);
	assert_string_equal(msg.text,
	    "parameter 'colour': expected one of red,green,blue, got "
	    "'gr?[31m??y'");
	assert_int_equal(
	    param_check(&src, "a name that is far longer than any address is",
		NOW_NS, &msg),
	    ERR_USAGE);
	assert_non_null(strstr(msg.text, "'a name that is far longer than any addre...'"));
}

static void values_mean_what_they_say(void **state)
{
	int64_t ns, row;
	uint64_t set;
	uint8_t id[16];
	struct errmsg msg;
	(void)state;
	assert_int_equal(param_time(&from, "-90s", NOW_NS, &ns, &msg), 0);
	assert_int_equal(ns, NOW_NS - 90 * NS_PER_S);
	assert_int_equal(param_words(&mix, "blue,red", &set, &msg), 0);
	assert_int_equal(set, 5);
	assert_int_equal(param_cursor(&cursor, "-5_7", &ns, &row, &msg), 0);
	assert_int_equal(ns, -5);
	assert_int_equal(row, 7);
	assert_int_equal(
	    param_id(&campaign, "00112233445566778899aabbccddeeFF", id, &msg),
	    0);
	assert_int_equal(id[1], 0x11);
	assert_int_equal(id[15], 0xff);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_are_read_whole_or_refused),
		cmocka_unit_test(a_refusal_says_what_was_expected_and_came),
		cmocka_unit_test(values_mean_what_they_say),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
