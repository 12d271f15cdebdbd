/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/option/config-file.h"

static const struct option_row rows[] = {
	{ .name = "name", .type = OPTION_TEXT },
	{ .name = "interval", .type = OPTION_DURATION, .fallback = "60s" },
	{ .name = "spool-size", .type = OPTION_SIZE, .fallback = "64M" },
	{ .name = "workers",
	    .type = OPTION_INTEGER,
	    .min = 1,
	    .max = 64,
	    .fallback = "4" },
	{ .name = "rate", .type = OPTION_NUMBER, .fallback = "1.5" },
	{ .name = "sensor", .type = OPTION_FLAG, .fallback = "true" },
	{ .name = "method",
	    .type = OPTION_CHOICE,
	    .choices = "udp|tcp",
	    .fallback = "udp" },
	{ .name = "deny", .type = OPTION_LIST },
	{ .name = "tags", .type = OPTION_LIST, .fallback = "a,b" },
	{ 0 },
};

static void keys_lists_and_defaults_are_read(void **state)
{
	(void)state;
	struct config *c;
	struct errmsg msg = { "" };
	const char *const *items;
	assert_int_equal(
	    config_parse(&c, rows,
		"# an agent\n"
		"name = 'it\\'s me' # quoted\n"
		"interval = 1.5s\n"
		"workers=8 // two\n"
		"deny = {192.0.2.0/24, \"2001:db8::/32\",\n  10.0.0.0/8}\n"
		"sensor = no\n",
		"agent.conf", &msg),
	    0);
	assert_string_equal(config_text(c, "name"), "it's me");
	assert_int_equal(config_duration_ns(c, "interval"), 1500000000);
	assert_int_equal(config_size(c, "spool-size"), 64 << 20);
	assert_int_equal(config_integer(c, "workers"), 8);
	assert_true(config_number(c, "rate") == 1.5);
	assert_false(config_flag(c, "sensor"));
	assert_string_equal(config_text(c, "method"), "udp");
	assert_true(config_given(c, "workers"));
	assert_false(config_given(c, "rate"));
	assert_int_equal(config_list(c, "deny", &items), 3);
	assert_string_equal(items[1], "2001:db8::/32");
	assert_int_equal(config_list(c, "tags", &items), 2);
	config_free(c);
}

static void an_empty_list_is_given(void **state)
{
	(void)state;
	struct config *c;
	const char *const *items;
	assert_int_equal(config_parse(&c, rows, "tags = {}\n", "f", NULL), 0);
	assert_true(config_given(c, "tags"));
	assert_int_equal(config_list(c, "tags", &items), 0);
	config_free(c);
}

static void errors_name_file_and_line(void **state)
{
	(void)state;
	static const struct {
		const char *text, *message;
	} cases[] = {
		{ "name = x\n\nintervall = 5s\n",
		    "f.conf:3: unknown key "
		    "'intervall', did you mean 'interval'?" },
		{ "# one\n// two\n/* three\nfour */\nelsewhere = 1\n",
		    "f.conf:5: unknown key 'elsewhere'" },
		{ "name = 'a\nb' # two\nworkers = 99 # three\n",
		    "f.conf:3: workers: expected 1 to 64, got '99'" },
		{ "interval = 5\n",
		    "f.conf:1: interval: expected a duration such "
		    "as 500ms, 60s or 1d, got '5'" },
		{ "method = sctp\n",
		    "f.conf:1: method: expected one of udp|tcp, "
		    "got 'sctp'" },
		{ "sensor = maybe\n",
		    "f.conf:1: sensor: expected true or false, "
		    "got 'maybe'" },
		{ "workers = 3\nname = x\nworkers = 4\n",
		    "f.conf:3: workers: given twice" },
		{ "name = \"no end\n",
		    "f.conf:2: expected KEY = VALUE, texts in double quotes: "
		    "premature end of file" },
		{ "name 5\n",
		    "f.conf:1: expected KEY = VALUE, texts in double quotes: "
		    "missing equal sign after option 'name'" },
		{ "workers = {1, 2}\n",
		    "f.conf:1: expected KEY = VALUE, texts in double quotes: "
		    "unexpected token '{'" },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct config *c;
		struct errmsg msg = { "" };
		assert_int_equal(
		    config_parse(&c, rows, cases[i].text, "f.conf", &msg),
		    ERR_CONFIG);
		assert_null(c);
		assert_string_equal(msg.text, cases[i].message);
	}
}

static void a_value_is_blamed_by_its_line(void **state)
{
	(void)state;
	struct config *c;
	struct errmsg msg = { "" };
	assert_int_equal(
	    config_parse(&c, rows,
		"name = x\n\n# deny\nworkers = 3\ndeny = {a,\n b}\n"
		"tags = {c}\ntags += {d}\n",
		"a.conf", &msg),
	    0);
	static const struct {
		const char *key;
		size_t index;
		const char *text;
	} cases[] = {
		{ "name", 0, "a.conf:1: wrong" },
		{ "workers", 0, "a.conf:4: wrong" },
		{ "deny", 0, "a.conf:5: wrong" },
		{ "deny", 1, "a.conf:6: wrong" },
		{ "tags", 1, "a.conf:8: wrong" },
		{ "rate", 0, "a.conf: wrong" },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		err_set(&msg, 0, "wrong");
		config_blame(c, cases[i].key, cases[i].index, &msg);
		assert_string_equal(msg.text, cases[i].text);
	}
	config_free(c);
}

static void a_comment_sign_inside_quotes_is_text(void **state)
{
	(void)state;
	struct config *c;
	assert_int_equal(
	    config_parse(&c, rows, "name = \"a # b // c /* d\"\nworkers = 5\n",
		"f", NULL),
	    0);
	assert_string_equal(config_text(c, "name"), "a # b // c /* d");
	assert_int_equal(config_integer(c, "workers"), 5);
	config_free(c);
	assert_int_equal(
	    config_parse(&c, rows, "name = https://192.0.2.1/x\n", "f", NULL),
	    0);
	assert_string_equal(config_text(c, "name"), "https://192.0.2.1/x");
	config_free(c);
}

static void what_is_printed_loads_the_same(void **state)
{
	(void)state;
	struct config *c, *again;
	struct errmsg msg = { "" };
	assert_int_equal(
	    config_parse(&c, rows,
		"name = 'a\\'b\\\\c ${HOME} # x'\ndeny = {'p q', r}\n"
		"interval = 90s\n",
		"f", &msg),
	    0);
	char *text = config_print(c);
	assert_int_equal(config_parse(&again, rows, text, "g", &msg), 0);
	char *second = config_print(again);
	assert_string_equal(text, second);
	assert_string_equal(config_text(again, "name"), config_text(c, "name"));
	assert_non_null(strstr(text, "interval = 90s\n"));
	assert_non_null(strstr(text, "spool-size = 64M\n"));
	free(text);
	free(second);
	config_free(c);
	config_free(again);
}

static void a_missing_file_is_enoent(void **state)
{
	(void)state;
	struct config *c;
	struct errmsg msg = { "" };
	assert_int_equal(
	    config_load(&c, rows, "/nonexistent/agent.conf", &msg), -ENOENT);
	assert_string_equal(
	    msg.text, "/nonexistent/agent.conf: No such file or directory");
}

static void a_file_is_read_and_a_binary_one_refused(void **state)
{
	(void)state;
	char path[] = "/tmp/sonde-config-XXXXXX";
	struct config *c;
	int fd = mkstemp(path);
	assert_true(write(fd, "workers = 2\n", 12) == 12);
	assert_int_equal(config_load(&c, rows, path, NULL), 0);
	assert_int_equal(config_integer(c, "workers"), 2);
	config_free(c);
	assert_true(write(fd, "\0\1", 2) == 2);
	close(fd);
	assert_int_equal(config_load(&c, rows, path, NULL), ERR_CONFIG);
	unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys_lists_and_defaults_are_read),
		cmocka_unit_test(an_empty_list_is_given),
		cmocka_unit_test(errors_name_file_and_line),
		cmocka_unit_test(a_value_is_blamed_by_its_line),
		cmocka_unit_test(a_comment_sign_inside_quotes_is_text),
		cmocka_unit_test(what_is_printed_loads_the_same),
		cmocka_unit_test(a_missing_file_is_enoent),
		cmocka_unit_test(a_file_is_read_and_a_binary_one_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
