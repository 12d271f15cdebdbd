/* SPDX-License-Identifier: ISC */
/* Not for secrets that others may time: keys are read and written only where
 * they are stored. */
#include <stdint.h>
#include <string.h>

#include "lib/base/hex.h"

static const char digits[] = "0123456789abcdef";

char *hex_text(const void *bytes, size_t len, char *to)
{
	const uint8_t *from = bytes;
	for (size_t i = 0; i < len; i++) {
		to[2 * i] = digits[from[i] >> 4];
		to[2 * i + 1] = digits[from[i] & 15];
	}
	to[2 * len] = '\0';
	return to;
}

void hex_print(FILE *to, const void *bytes, size_t len)
{
	const uint8_t *from = bytes;
	for (size_t i = 0; i < len; i++) {
		putc(digits[from[i] >> 4], to);
		putc(digits[from[i] & 15], to);
	}
}

static int digit_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

bool hex_parse(void *to, size_t len, const char *text)
{
	uint8_t *bytes = to;
	if (!text)
		return false;
	for (size_t i = 0; i < len; i++) {
		int high = digit_value(text[2 * i]);
		int low = high < 0 ? -1 : digit_value(text[2 * i + 1]);
		if (low < 0)
			return false;
		bytes[i] = (uint8_t)(high << 4 | low);
	}
	return text[2 * len] == '\0';
}

bool hex_parse_strict(void *to, size_t len, const char *text)
{
	return text && strspn(text, digits) == 2 * len &&
	    hex_parse(to, len, text);
}
