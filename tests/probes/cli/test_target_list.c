/* SPDX-License-Identifier: ISC */
/* Files of targets as editors, scripts and people leave them. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/base/xalloc.h"
#include "probes/cli/target-list.h"

static char path[] = "/tmp/sonde-targets-XXXXXX";

static void write_file(const char *bytes, size_t len)
{
	int fd = open(path, O_WRONLY | O_TRUNC);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, len), len);
	close(fd);
}

static struct target_list open_file(const char *bytes, size_t len)
{
	struct target_list list;
	struct errmsg msg;
	write_file(bytes, len);
	assert_int_equal(target_list_open(&list, NULL, 0, path, &msg), 0);
	return list;
}

/* Every target and every error, each behind a space or a '!'. */
static void assert_targets(
    struct target_list *list, const char *expected, const char *error)
{
	char got[2000] = "", word[TARGET_WORD_MAX];
	struct errmsg msg = { "" };
	enum target_step step;
	while ((step = target_list_next(list, word, &msg)) != TARGET_END) {
		if (step == TARGET_LATER) /* within a long line */
			continue;
		size_t at = strlen(got);
		snprintf(got + at, sizeof(got) - at, "%s%s",
		    step == TARGET_BAD ? "!" : " ",
		    step == TARGET_BAD ? "" : word);
	}
	assert_string_equal(got, expected);
	if (error && !strstr(msg.text, error))
		fail_msg("'%s' is not in '%s'", error, msg.text);
	target_list_close(list);
}

static void words_come_before_lines(void **state)
{
	(void)state;
	static const char *const words[] = { "a.example", "192.0.2.1" };
	struct target_list list;
	struct errmsg msg;
	write_file("b.example\n", 10);
	assert_int_equal(target_list_open(&list, words, 2, path, &msg), 0);
	assert_targets(&list, " a.example 192.0.2.1 b.example", NULL);
}

static void marks_comments_and_blanks_are_no_targets(void **state)
{
	(void)state;
	static const char text[] = "\xef\xbb\xbf"
				   "a\r\n\r\n   \t\n# all\n  #\n\tb # one\r\n"
				   "c#two\nd e f\r\ng";
	struct target_list list = open_file(text, sizeof(text) - 1);
	assert_targets(&list, " a b c d g", NULL);
}

static void a_range_is_each_of_its_addresses(void **state)
{
	(void)state;
	static const char text[] = "192.0.2.254/31\n10.0.0.255/32\n"
				   "10.255.255.252/30\n2001:db8::fffe/127\n";
	struct target_list list = open_file(text, sizeof(text) - 1);
	assert_targets(&list,
	    " 192.0.2.254 192.0.2.255 10.0.0.255 10.255.255.252"
	    " 10.255.255.253 10.255.255.254 10.255.255.255 2001:db8::fffe"
	    " 2001:db8::ffff",
	    NULL);
}

static void a_range_says_how_many(void **state)
{
	(void)state;
	struct target_list list = open_file("10.0.0.0/12\n", 12);
	char word[TARGET_WORD_MAX];
	assert_int_equal(target_list_next(&list, word, NULL), TARGET_READY);
	assert_int_equal(list.range_count, 1 << 20);
	for (int i = 1; i < 1 << 20; i++) {
		assert_int_equal(
		    target_list_next(&list, word, NULL), TARGET_READY);
		assert_int_equal(list.range_count, 0);
	}
	assert_string_equal(word, "10.15.255.255");
	assert_int_equal(target_list_next(&list, word, NULL), TARGET_END);
	target_list_close(&list);
}

static void bad_lines_are_named_and_passed_over(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		size_t len;
		const char *targets, *error;
	} cases[] = {
		{ "a\n10.0.0.0/7\nb\n", 15, " a! b",
		    ":2: 10.0.0.0/7: expected a range of at most 16777216 "
		    "addresses, got 2^25" },
		{ "2001:db8::/64\nb\n", 16, "! b", "got 2^64" },
		{ "::/0\nb\n", 7, "! b", "got 2^128" },
		{ "a\n192.0.2.1/24\nb", 16, " a! b",
		    "host bits are set, expected 192.0.2.0/24" },
		{ "a\n\n192.0.2.0/33\n", 16, " a!", ":3: " },
		{ "a\nb\0c\nd\n", 8, " a! d", ":2: expected text" },
		{ "\xff\xfe"
		  "a\0\n\0",
		    6, "!!", "expected text" },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct target_list list =
		    open_file(cases[i].text, cases[i].len);
		assert_targets(&list, cases[i].targets, cases[i].error);
	}
	struct target_list list = open_file("\xff\xfe\n", 3);
	assert_targets(&list, "!", ":1: expected UTF-8, got UTF-16");
}

static void long_lines_cost_themselves_only(void **state)
{
	(void)state;
	size_t most = 3 * TARGET_BUFFER_BYTES;
	char *text = xmalloc(most);
	for (size_t len = 250; len < most - 8; len = len * 5 / 4) {
		memset(text, 'x', len);
		memcpy(text, "a\n", 2);
		memcpy(text + len, "\nb\n", 3);
		struct target_list list = open_file(text, len + 3);
		/* The word itself fits up to 255. */
		if (len - 2 < TARGET_WORD_MAX) {
			target_list_close(&list);
			continue;
		}
		assert_targets(&list, " a! b", ":2: ");
	}
	/* A long comment is no error while it fits a buffer. */
	memset(text, 'x', most);
	memcpy(text, "a #", 3);
	text[60000] = '\n';
	struct target_list list = open_file(text, 60001);
	assert_targets(&list, " a", NULL);
	free(text);
}

/* Who reads it must come to hear of signals. */
static void an_endless_line_is_read_in_parts(void **state)
{
	(void)state;
	struct target_list list;
	struct errmsg msg;
	char word[TARGET_WORD_MAX];
	assert_int_equal(
	    target_list_open(&list, NULL, 0, "/dev/zero", &msg), 0);
	assert_int_equal(target_list_next(&list, word, &msg), TARGET_BAD);
	assert_int_equal(target_list_next(&list, word, &msg), TARGET_LATER);
	target_list_close(&list);
}

static void a_directory_is_no_file_of_targets(void **state)
{
	(void)state;
	struct target_list list;
	struct errmsg msg;
	assert_int_equal(
	    target_list_open(&list, NULL, 0, "/tmp", &msg), -EISDIR);
	assert_string_equal(msg.text, "/tmp: expected a file, got a directory");
}

static void lines_are_found_wherever_a_read_ends(void **state)
{
	(void)state;
	int ends[2];
	struct target_list list;
	struct errmsg msg;
	char word[TARGET_WORD_MAX];
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(target_list_open(&list, NULL, 0, path, &msg), 0);
	close(list.fd);
	list.fd = ends[0];
	assert_int_equal(target_list_next(&list, word, &msg), TARGET_LATER);
	assert_int_equal(write(ends[1], "a.exam", 6), 6);
	assert_int_equal(target_list_next(&list, word, &msg), TARGET_LATER);
	assert_int_equal(write(ends[1], "ple\r", 4), 4);
	assert_int_equal(target_list_next(&list, word, &msg), TARGET_LATER);
	assert_int_equal(write(ends[1], "\nb", 2), 2);
	assert_int_equal(target_list_next(&list, word, &msg), TARGET_READY);
	assert_string_equal(word, "a.example");
	assert_int_equal(target_list_next(&list, word, &msg), TARGET_LATER);
	close(ends[1]);
	assert_targets(&list, " b", NULL);
}

static void targets_are_counted_as_far_as_asked(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		size_t count;
	} cases[] = { { "a\nb # x\n#\n192.0.2.0/30\n", 6 }, { "", 0 },
		{ "x", 1 }, { "10.0.0.0/29\n10.1.0.0/30\n", 0 },
		{ "10.0.0.0/29\n10.1.0.0/31\n", 10 }, { "a\n1/2/3\nb\n", 2 } };
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct target_list list =
		    open_file(cases[i].text, strlen(cases[i].text));
		assert_int_equal(
		    target_list_count(&list, 10, -1), cases[i].count);
		/* and none is lost by it */
		char word[TARGET_WORD_MAX];
		size_t got = 0;
		for (enum target_step step; (step = target_list_next(&list,
						 word, NULL)) != TARGET_END;)
			got += step == TARGET_READY;
		assert_int_equal(got,
		    cases[i].count       ? cases[i].count
			: *cases[i].text ? 12
					 : 0);
		target_list_close(&list);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_come_before_lines),
		cmocka_unit_test(marks_comments_and_blanks_are_no_targets),
		cmocka_unit_test(a_range_is_each_of_its_addresses),
		cmocka_unit_test(a_range_says_how_many),
		cmocka_unit_test(bad_lines_are_named_and_passed_over),
		cmocka_unit_test(long_lines_cost_themselves_only),
		cmocka_unit_test(an_endless_line_is_read_in_parts),
		cmocka_unit_test(a_directory_is_no_file_of_targets),
		cmocka_unit_test(lines_are_found_wherever_a_read_ends),
		cmocka_unit_test(targets_are_counted_as_far_as_asked),
	};
	int fd = mkstemp(path);
	if (fd < 0)
		return 1;
	close(fd);
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	unlink(path);
	return failed;
}
