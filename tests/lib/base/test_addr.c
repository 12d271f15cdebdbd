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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_octet_of_ipv4_is_printed),
		cmocka_unit_test(ipv6_is_printed),
		cmocka_unit_test(none_is_a_dash),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
