/* SPDX-License-Identifier: ISC */
/* Bytes that grow at the end, and at what price. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "lib/base/buf.h"

static void numbers_are_big_endian(void **state)
{
	static const uint8_t want[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12,
	    13, 14, 15, 'x', '7'};
	struct buf b = {0};
	(void)state;
	buf_u8(&b, 1);
	buf_be16(&b, 0x0203);
	buf_be32(&b, 0x04050607);
	buf_be64(&b, 0x08090a0b0c0d0e0f);
	buf_printf(&b, "x%d", 7);
	assert_int_equal(b.len, sizeof(want));
	assert_memory_equal(b.data, want, sizeof(want));
	buf_fini(&b);
	assert_null(b.data);
}

static void many_small_appends_move_it_seldom(void **state)
{
	enum { BYTES = 1 << 20 };
	struct buf b = {0};
	size_t moves = 0, cap = 0;
	(void)state;
	for (int i = 0; i < BYTES; i++) {
		buf_u8(&b, (uint8_t)i);
		moves += b.cap != cap;
		cap = b.cap;
	}
	assert_int_equal(b.len, BYTES);
	assert_true(moves <= 20);
	assert_int_equal(b.data[BYTES - 1], 0xff);
	buf_fini(&b);
}

static void what_is_read_moves_seldom(void **state)
{
	struct buf b = {0};
	size_t at = 0;
	(void)state;
	buf_bytes(&b, "0123456789", 10);
	buf_read(&b, &at, 4);
	assert_int_equal(at, 4);
	assert_int_equal(b.len, 10);
	buf_read(&b, &at, 2);
	assert_int_equal(at, 0);
	assert_int_equal(b.len, 4);
	assert_memory_equal(b.data, "6789", 4);
	buf_read(&b, &at, 4);
	assert_int_equal(at, 0);
	assert_int_equal(b.len, 0);
	buf_read(&b, &at, 0);
	assert_int_equal(at, 0);
	buf_fini(&b);
}

static void clearing_keeps_the_memory(void **state)
{
	struct buf b = {0};
	(void)state;
	buf_bytes(&b, "some", 4);
	size_t cap = b.cap;
	buf_clear(&b);
	assert_int_equal(b.len, 0);
	assert_int_equal(b.cap, cap);
	buf_bytes(&b, NULL, 0);
	assert_int_equal(b.len, 0);
	buf_fini(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(numbers_are_big_endian),
	    cmocka_unit_test(many_small_appends_move_it_seldom),
	    cmocka_unit_test(what_is_read_moves_seldom),
	    cmocka_unit_test(clearing_keeps_the_memory),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
