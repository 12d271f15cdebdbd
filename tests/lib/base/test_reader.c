/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "lib/base/reader.h"

static void numbers_are_read_in_their_byte_order(void **state)
{
	(void)state;
	static const uint8_t bytes[] = {
		0x01,
		0x02,
		0x03,
		0x04,
		0x05,
		0x06,
		0x07,
		0x04,
		0x05,
		0x06,
		0x07,
	};
	struct reader r = reader_init(bytes, sizeof(bytes));
	assert_int_equal(reader_u8(&r), 0x01);
	assert_int_equal(reader_be16(&r), 0x0203);
	assert_int_equal(reader_be32(&r), 0x04050607);
	assert_int_equal(reader_le32(&r), 0x07060504);
	assert_int_equal(r.err, ERR_OK);
	assert_int_equal(reader_left(&r), 0);
}

static void a_read_past_the_end_is_truncated_and_sticks(void **state)
{
	(void)state;
	static const uint8_t bytes[] = { 0xff, 0xff, 0xff };
	struct reader r = reader_init(bytes, sizeof(bytes));
	assert_int_equal(reader_be32(&r), 0);
	assert_int_equal(r.err, ERR_TRUNCATED);
	assert_int_equal(reader_u8(&r), 0);
	assert_null(reader_bytes(&r, 0));
}

static void the_first_failure_wins(void **state)
{
	(void)state;
	static const uint8_t bytes[] = { 1, 2, 3 };
	struct reader r = reader_init(bytes, sizeof(bytes));
	reader_fail(&r, ERR_MALFORMED);
	reader_skip(&r, 100);
	assert_int_equal(r.err, ERR_MALFORMED);
}

static void a_sub_reader_ends_at_its_length(void **state)
{
	(void)state;
	static const uint8_t bytes[] = { 1, 2, 3, 4 };
	struct reader r = reader_init(bytes, sizeof(bytes));
	struct reader sub = reader_sub(&r, 2);
	assert_int_equal(reader_be16(&sub), 0x0102);
	assert_int_equal(reader_u8(&sub), 0);
	assert_int_equal(sub.err, ERR_TRUNCATED);
	assert_int_equal(reader_u8(&r), 3);
	assert_int_equal(r.err, ERR_OK);
	sub = reader_sub(&r, 2);
	assert_int_equal(sub.err, ERR_TRUNCATED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_are_read_in_their_byte_order),
		cmocka_unit_test(a_read_past_the_end_is_truncated_and_sticks),
		cmocka_unit_test(the_first_failure_wins),
		cmocka_unit_test(a_sub_reader_ends_at_its_length),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
