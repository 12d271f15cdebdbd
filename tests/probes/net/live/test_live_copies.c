/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "lib/base/clock.h"
#include "probes/net/live/live-copies.h"

static struct live_copies copies;

static int setup(void **state)
{
	(void)state;
	memset(&copies, 0, sizeof(copies));
	copies.key = 99;
	return 0;
}

static bool is_copy(const char *packet, uint32_t device, int64_t ns)
{
	return live_copies_is_copy(
	    &copies, (const uint8_t *)packet, strlen(packet), device, ns);
}

static void a_packet_on_stacked_devices_is_one(void **state)
{
	(void)state;
	assert_false(is_copy("reply", 2, 100));
	assert_true(is_copy("reply", 5, 110));
	assert_true(is_copy("reply", 6, 115));
	assert_false(is_copy("another", 2, 120));
	assert_true(is_copy("another", 5, 130));
}

static void a_duplicate_is_seen_twice_on_each(void **state)
{
	(void)state;
	assert_false(is_copy("reply", 2, 100));
	assert_true(is_copy("reply", 5, 101));
	assert_false(is_copy("reply", 2, 102));
	assert_true(is_copy("reply", 5, 103));
	/* In another order too. */
	assert_false(is_copy("two", 2, 200));
	assert_false(is_copy("two", 2, 201));
	assert_true(is_copy("two", 5, 202));
	assert_true(is_copy("two", 5, 203));
	assert_false(is_copy("two", 5, 204));
}

static void the_same_much_later_is_another_packet(void **state)
{
	(void)state;
	assert_false(is_copy("reply", 2, 100));
	assert_false(is_copy("reply", 5, 100 + 2 * NS_PER_S));
	/* A clock that was set back is no reason to lose a packet. */
	assert_false(is_copy("reply", 6, 100 - 5 * NS_PER_S));
}

static void more_devices_than_are_counted_show_no_more(void **state)
{
	(void)state;
	unsigned shown = 0;
	for (uint32_t device = 1; device < 100; device++)
		shown += !is_copy("reply", device, device);
	assert_int_equal(shown, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(
		    a_packet_on_stacked_devices_is_one, setup),
		cmocka_unit_test_setup(
		    a_duplicate_is_seen_twice_on_each, setup),
		cmocka_unit_test_setup(
		    the_same_much_later_is_another_packet, setup),
		cmocka_unit_test_setup(
		    more_devices_than_are_counted_show_no_more, setup),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
