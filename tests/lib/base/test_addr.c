/* SPDX-License-Identifier: ISC */
/* Addresses as text, against the C library. */
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "lib/base/addr.h"

static void expect_as_printed(const struct addr *a)
{
	char got[ADDR_TEXT_LEN], want[ADDR_TEXT_LEN];
	struct addr back;
	assert_ptr_equal(addr_text(a, got), got);
	inet_ntop(
	    a->family == 4 ? AF_INET : AF_INET6, a->bytes, want, sizeof(want));
	assert_string_equal(got, want);
	assert_int_equal(addr_parse(&back, got), 0);
	assert_true(addr_equal(a, &back));
}

static void every_octet_of_ipv4_is_printed(void **state)
{
	(void)state;
	for (unsigned n = 0; n < 256; n++)
		for (size_t i = 0; i < 4; i++) {
			struct addr a = { .family = 4,
				.bytes = { 10, 0, 99, 255 } };
			a.bytes[i] = (uint8_t)n;
			expect_as_printed(&a);
		}
}

static void ipv6_is_printed(void **state)
{
	(void)state;
	struct addr a = { .family = 6 };
	expect_as_printed(&a);
	for (size_t i = 0; i < 16; i++) {
		a.bytes[15 - i] = (uint8_t)(i * 17);
		expect_as_printed(&a);
	}
}

static void none_is_a_dash(void **state)
{
	(void)state;
	struct addr a = { 0 };
	char text[ADDR_TEXT_LEN];
	assert_string_equal(addr_text(&a, text), "-");
	assert_int_equal(addr_parse(&a, "10.0.0.256"), ERR_MALFORMED);
	assert_int_equal(addr_parse(&a, "-"), ERR_MALFORMED);
}

static void a_zone_is_read_behind_a_link_local_address_only(void **state)
{
	(void)state;
	struct addr a;
	char zone[ADDR_ZONE_LEN], text[ADDR_TEXT_LEN];
	assert_int_equal(addr_parse_zone(&a, zone, "fe80::1%eth0.100"), 0);
	assert_string_equal(addr_text(&a, text), "fe80::1");
	assert_string_equal(zone, "eth0.100");
	assert_int_equal(addr_parse_zone(&a, zone, "192.0.2.1"), 0);
	assert_string_equal(zone, "");
	static const char *const wrong[] = { "fe80::1%", "%eth0",
		"192.0.2.1%eth0", "2001:db8::1%eth0",
		"fe80::1%a-name-of-sixteen", "fe80::x%eth0", "", "%" };
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_int_equal(
		    addr_parse_zone(&a, zone, wrong[i]), ERR_MALFORMED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_octet_of_ipv4_is_printed),
		cmocka_unit_test(ipv6_is_printed),
		cmocka_unit_test(none_is_a_dash),
		cmocka_unit_test(
		    a_zone_is_read_behind_a_link_local_address_only),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
