/* SPDX-License-Identifier: ISC */
/* There and back, and what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "lib/base/hex.h"

static void every_octet_comes_back(void **state)
{
	uint8_t bytes[256], back[256];
	char text[HEX_TEXT_LEN(256)], *printed;
	size_t len;
	(void)state;
	for (int i = 0; i < 256; i++)
		bytes[i] = (uint8_t)i;
	assert_ptr_equal(hex_text(bytes, sizeof(bytes), text), text);
	assert_memory_equal(text, "000102", 6);
	assert_string_equal(text + 508, "feff");
	assert_true(hex_parse(back, sizeof(back), text));
	assert_memory_equal(back, bytes, sizeof(bytes));
	assert_true(hex_parse_strict(back, sizeof(back), text));
	FILE *f = open_memstream(&printed, &len);
	hex_print(f, bytes, sizeof(bytes));
	fclose(f);
	assert_string_equal(printed, text);
	free(printed);
}

static void other_texts_are_refused(void **state)
{
	static const char *const bad[] = { "", "0", "012", "01234", "012g",
		"01 2", "0x12", "-123", "01\xb2", "012\n" };
	uint8_t to[2];
	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		assert_false(hex_parse(to, 2, bad[i]));
		assert_false(hex_parse_strict(to, 2, bad[i]));
	}
	assert_false(hex_parse(to, 2, NULL));
	assert_false(hex_parse_strict(to, 2, NULL));
	assert_true(hex_parse(to, 2, "aBCd"));
	assert_memory_equal(to, "\xab\xcd", 2);
	assert_false(hex_parse_strict(to, 2, "aBCd"));
	assert_true(hex_parse(to, 0, ""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_octet_comes_back),
		cmocka_unit_test(other_texts_are_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
