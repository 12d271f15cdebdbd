/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "lib/base/buf.h"
#include "probes/sensor/detect/known-scanners.h"

static int parse(
    struct known_scanners **k, const char *text, struct errmsg *msg)
{
	return known_scanners_parse(k, text, strlen(text), "list", msg);
}

static const char *name_of(const struct known_scanners *k, const char *text)
{
	struct addr a;
	assert_int_equal(addr_parse(&a, text), 0);
	const char *name = known_scanners_find(k, &a);
	return name ? name : "";
}

static void the_longest_prefix_names_the_scanner(void **state)
{
	(void)state;
	struct known_scanners *k;
	struct errmsg msg;
	int err = parse(&k,
	    "# who asks, and why\n"
	    "\n"
	    "192.0.2.0/24\tExample University (research)\r\n"
	    "  192.0.2.128/25   Example Search\n"
	    "203.0.113.7 One Host\n"
	    "2001:db8:77::/48 Example University (research)\n"
	    "192.0.2.0/24 Example University (research)",
	    &msg);
	assert_int_equal(err, 0);
	assert_int_equal(known_scanners_count(k), 4);
	assert_string_equal(
	    name_of(k, "192.0.2.1"), "Example University (research)");
	assert_string_equal(name_of(k, "192.0.2.200"), "Example Search");
	assert_string_equal(name_of(k, "203.0.113.7"), "One Host");
	assert_string_equal(name_of(k, "203.0.113.8"), "");
	assert_string_equal(name_of(k, "192.0.3.1"), "");
	assert_string_equal(
	    name_of(k, "2001:db8:77:1::1"), "Example University (research)");
	assert_string_equal(name_of(k, "2001:db8:78::1"), "");
	known_scanners_free(k);
	struct addr any = { 4, { 192, 0, 2, 1 } }, none = { 0 };
	assert_null(known_scanners_find(NULL, &any));
	assert_int_equal(known_scanners_count(NULL), 0);
	assert_int_equal(parse(&k, "0.0.0.0/0 Everybody\n", &msg), 0);
	assert_string_equal(known_scanners_find(k, &any), "Everybody");
	assert_null(known_scanners_find(k, &none));
	assert_string_equal(name_of(k, "2001:db8::1"), "");
	known_scanners_free(k);
	assert_int_equal(parse(&k, "", &msg), 0);
	assert_int_equal(known_scanners_count(k), 0);
	known_scanners_free(k);
}

static void a_wrong_line_is_named(void **state)
{
	(void)state;
	static const struct {
		const char *text, *where, *what;
	} cases[] = {
		{ "192.0.2.0/24 A\n192.0.2.0/33 B\n", "list:2: ", "33" },
		{ "192.0.2.1/24 A\n", "list:1: ", "192.0.2.1/24" },
		{ "\n\nexample.org A\n", "list:3: ", "example.org" },
		{ "192.0.2.0/24\n", "list:1: ", "name" },
		{ "192.0.2.0/24   \n", "list:1: ", "name" },
		{ "192.0.2.0/24 A, B\n", "list:1: ", "0x2c" },
		{ "192.0.2.0/24 \"A\"\n", "list:1: ", "0x22" },
		{ "192.0.2.0/24 \xc3\xa4\n", "list:1: ", "0xc3" },
		{ "192.0.2.0/24 A\n#\n192.0.2.0/24 B\n",
		    "list:3: ", "line 1, named \"A\"" },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct known_scanners *k;
		struct errmsg msg = { "" };
		assert_true(parse(&k, cases[i].text, &msg) < 0);
		assert_null(k);
		if (strncmp(msg.text, cases[i].where, strlen(cases[i].where)) !=
			0 ||
		    !strstr(msg.text, cases[i].what))
			fail_msg("%zu: %s", i, msg.text);
	}
	struct known_scanners *k;
	struct errmsg msg;
	char line[400] = "192.0.2.0/24 ";
	memset(line + 13, 'A', 300);
	assert_true(parse(&k, line, &msg) < 0);
	assert_non_null(strstr(msg.text, "list:1: "));
	line[13 + KNOWN_SCANNER_NAME_MAX] = '\0';
	assert_int_equal(parse(&k, line, &msg), 0);
	known_scanners_free(k);
	assert_true(known_scanners_parse(&k, "a\0b", 3, "list", &msg) < 0);
}

static void a_long_list_has_a_bound(void **state)
{
	(void)state;
	struct buf b = { 0 };
	struct known_scanners *k;
	struct errmsg msg;
	for (uint32_t i = 0; i <= KNOWN_SCANNERS_MAX; i++)
		buf_printf(
		    &b, "10.%u.%u.%u/32 N\n", i >> 16, i >> 8 & 255, i & 255);
	const char *text = (const char *)b.data;
	assert_int_equal(
	    known_scanners_parse(&k, text, b.len, "list", &msg), ERR_LIMIT);
	assert_non_null(strstr(msg.text, "list:65537: "));
	size_t last = b.len - strlen("10.1.0.0/32 N\n");
	assert_int_equal(known_scanners_parse(&k, text, last, "list", &msg), 0);
	assert_int_equal(known_scanners_count(k), KNOWN_SCANNERS_MAX);
	assert_string_equal(name_of(k, "10.0.255.255"), "N");
	assert_string_equal(name_of(k, "10.1.0.0"), "");
	known_scanners_free(k);
	buf_fini(&b);
}

static void a_file_is_read_as_its_text(void **state)
{
	(void)state;
	struct known_scanners *k;
	struct errmsg msg;
	char path[] = "/tmp/test-known-scanners-XXXXXX";
	int fd = mkstemp(path);
	assert_true(fd >= 0);
	for (int i = 0; i < 1000; i++)
		assert_true(
		    dprintf(fd, "192.0.2.%d N%d\n", i & 255, i & 255) > 0);
	close(fd);
	assert_int_equal(known_scanners_read(&k, path, &msg), 0);
	assert_int_equal(known_scanners_count(k), 256);
	assert_string_equal(name_of(k, "192.0.2.77"), "N77");
	known_scanners_free(k);
	unlink(path);
	assert_true(known_scanners_read(&k, path, &msg) < 0);
	assert_non_null(strstr(msg.text, path));
	assert_null(k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_longest_prefix_names_the_scanner),
		cmocka_unit_test(a_wrong_line_is_named),
		cmocka_unit_test(a_long_list_has_a_bound),
		cmocka_unit_test(a_file_is_read_as_its_text),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
