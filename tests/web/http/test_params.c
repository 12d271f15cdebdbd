/* SPDX-License-Identifier: ISC */
/* Query strings: what is taken, what is refused, in which words. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "web/http/params.h"

static const struct param from = { .name = "from", .type = PARAM_TIME };
static const struct param src = { .name = "src", .type = PARAM_ADDRESS };
static const struct param limit = {
	.name = "limit", .type = PARAM_INTEGER, .min = 1, .max = 1000
};
static const struct param name = { .name = "name", .type = PARAM_TEXT };
static const struct param *const known[] = { &from, &src, &limit, &name, NULL };

static struct errmsg parse(
    struct request_params *params, const char *text, int want)
{
	struct errmsg msg = { "" };
	memset(params, 0, sizeof(*params));
	assert_int_equal(params_parse(params, known, text, &msg), want);
	return msg;
}

static void refused(const char *text, const char *words)
{
	struct request_params params;
	struct errmsg msg = parse(&params, text, ERR_USAGE);
	if (!strstr(msg.text, words))
		fail_msg("'%s' gave '%s', not '%s'", text, msg.text, words);
	params_fini(&params);
}

static void values_are_decoded(void **state)
{
	struct request_params params;
	(void)state;
	parse(&params, "from=-1h&src=2001%3Adb8%3a%3A1&name=a+b%2Bc", 0);
	assert_string_equal(params_get(&params, "from"), "-1h");
	assert_string_equal(params_get(&params, "src"), "2001:db8::1");
	assert_string_equal(params_get(&params, "name"), "a b+c");
	assert_null(params_get(&params, "to"));
	params_fini(&params);
}

static void nothing_is_fine(void **state)
{
	struct request_params params;
	(void)state;
	parse(&params, NULL, 0);
	parse(&params, "", 0);
	parse(&params, "&&", 0);
	assert_int_equal(params.count, 0);
	parse(&params, "from=", 0);
	assert_string_equal(params_get(&params, "from"), "");
	params_fini(&params);
}

static void a_name_that_is_not_known_is_refused(void **state)
{
	(void)state;
	refused("frm=1",
	    "unknown parameter 'frm', expected from, src, limit, name");
	refused("=1", "unknown parameter ''");
	refused("%01%ff=1", "unknown parameter '\?\?'");
	struct request_params params = { 0 };
	struct errmsg msg;
	assert_int_equal(params_parse(&params, NULL, "a=1", &msg), ERR_USAGE);
	assert_non_null(strstr(msg.text, "expected no parameter"));
}

static void a_value_is_one_of_its_type(void **state)
{
	(void)state;
	refused("limit=0",
	    "parameter 'limit': expected a whole number from 1 "
	    "to 1000, got '0'");
	refused("from=-1h&src=here", "parameter 'src': expected an IPv4");
	refused("from=soon", "parameter 'from': expected a time");
}

static void a_name_given_twice_is_refused(void **state)
{
	(void)state;
	refused("src=::1&limit=2&src=::1", "'src' is given twice");
}

static void bad_escapes_and_bad_text_are_refused(void **state)
{
	static const char *const bad[] = { "src=%", "src=%4", "src=%4g",
		"src=%00", "src=%0a", "src=%ff", "src=%c0%80", "src=%ed%a0%80",
		"src=%f4%90%80%80", "src=\x01", "src=%e2%82" };
	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		refused(bad[i], "'src'");
	refused("%zz=1", "not well encoded");
}

static void a_value_may_be_so_long(void **state)
{
	char text[PARAMS_VALUE_MAX + 8] = "name=";
	struct request_params params;
	(void)state;
	memset(text + 5, 'a', PARAMS_VALUE_MAX);
	parse(&params, text, 0);
	params_fini(&params);
	memset(text + 5, 'a', PARAMS_VALUE_MAX + 1);
	refused(text, "too long");
}

static void utf8_follows_rfc_3629(void **state)
{
	(void)state;
	assert_true(utf8_is_valid("a\xc3\xa9\xe2\x82\xac\xf0\x9f\x8c\x8d", 10));
	assert_false(utf8_is_valid("\xc1\xbf", 2));
	assert_false(utf8_is_valid("\xe0\x9f\xbf", 3));
	assert_false(utf8_is_valid("\xed\xa0\x80", 3));
	assert_false(utf8_is_valid("\xf0\x8f\xbf\xbf", 4));
	assert_false(utf8_is_valid("\xf5\x80\x80\x80", 4));
	assert_false(utf8_is_valid("\xe2\x82", 2));
	assert_false(utf8_is_valid("\x80", 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_are_decoded),
		cmocka_unit_test(nothing_is_fine),
		cmocka_unit_test(a_name_that_is_not_known_is_refused),
		cmocka_unit_test(a_value_is_one_of_its_type),
		cmocka_unit_test(a_name_given_twice_is_refused),
		cmocka_unit_test(bad_escapes_and_bad_text_are_refused),
		cmocka_unit_test(a_value_may_be_so_long),
		cmocka_unit_test(utf8_follows_rfc_3629),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
