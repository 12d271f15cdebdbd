/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "lib/option/way.h"

static void a_device_has_a_name_that_linux_takes(void **state)
{
	static const char *const wrong[] = { "", "a/b", "a b", "a,b", "a:b",
		".", "..", "a\n", "sixteen-octets-1" };
	char device[ADDR_ZONE_LEN];
	struct errmsg msg;
	(void)state;
	assert_int_equal(way_read_device(device, "eth0.7@x-_", &msg), 0);
	assert_string_equal(device, "eth0.7@x-_");
	assert_int_equal(way_read_device(device, "fifteen-octets1", &msg), 0);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		assert_int_equal(
		    way_read_device(device, wrong[i], &msg), ERR_USAGE);
		assert_non_null(strstr(msg.text, "expected the name of a"));
	}
	assert_string_equal(device, "fifteen-octets1");
}

static void a_source_is_one_of_its_family(void **state)
{
	struct addr sources[2] = { 0 };
	struct errmsg msg;
	(void)state;
	assert_int_equal(way_read_source(sources, "192.0.2.1", &msg), 0);
	assert_int_equal(
	    way_read_source(sources, "192.0.2.2", &msg), ERR_USAGE);
	assert_non_null(strstr(msg.text, "got a second, '192.0.2.2'"));
	assert_int_equal(way_read_source(sources, "2001:db8::1", &msg), 0);
	assert_int_equal(way_read_source(sources, "here", &msg), ERR_USAGE);
	assert_int_equal(way_read_source(sources, "", &msg), ERR_USAGE);
	assert_int_equal(sources[0].bytes[3], 1);
	assert_int_equal(sources[1].bytes[15], 1);
}

static void a_mark_is_a_number_of_32_bits(void **state)
{
	static const struct {
		const char *text;
		uint32_t mark;
	} right[] = { { "0", 0 }, { "7", 7 }, { "0x7", 7 }, { "010", 10 },
		{ "4294967295", UINT32_MAX }, { "0xFFffffff", UINT32_MAX } };
	static const char *const wrong[] = { "", "0x", "-1", "0x-1", " 1",
		"0x 1", "1 ", "+1", "blue", "4294967296", "0x100000000",
		"00000000001", "1.0" };
	struct errmsg msg;
	(void)state;
	for (size_t i = 0; i < sizeof(right) / sizeof(*right); i++) {
		uint32_t mark = 99;
		assert_int_equal(way_read_mark(&mark, right[i].text, &msg), 0);
		assert_int_equal(mark, right[i].mark);
	}
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		uint32_t mark = 99;
		if (way_read_mark(&mark, wrong[i], &msg) != ERR_USAGE)
			fail_msg("'%s' is taken", wrong[i]);
		assert_int_equal(mark, 99);
	}
}

static void a_campaign_leaves_to_other_hosts(void **state)
{
	struct errmsg msg;
	(void)state;
	assert_int_equal(way_check_device("eth0", &msg), 0);
	assert_int_equal(way_check_device("", &msg), 0);
	assert_int_equal(way_check_device("lo", &msg), ERR_USAGE);
	assert_int_equal(way_check_mark(1, &msg), 0);
	assert_int_equal(way_check_mark(0, &msg), ERR_USAGE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_device_has_a_name_that_linux_takes),
		cmocka_unit_test(a_source_is_one_of_its_family),
		cmocka_unit_test(a_mark_is_a_number_of_32_bits),
		cmocka_unit_test(a_campaign_leaves_to_other_hosts),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
