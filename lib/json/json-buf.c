/* SPDX-License-Identifier: ISC */
/* Values as JSON text, without a tree. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/clock.h"
#include "lib/base/err.h"
#include "lib/json/json-buf.h"
#include "lib/json/json-value.h"

#define DAY_S 86400

void jsonbuf_integer(struct buf *to, int64_t n)
{
	char text[24], *p = text + sizeof(text);
	uint64_t rest = n < 0 ? 0 - (uint64_t)n : (uint64_t)n;
	do {
		*--p = (char)('0' + rest % 10);
		rest /= 10;
	} while (rest > 0);
	if (n < 0)
		*--p = '-';
	buf_bytes(to, p, (size_t)(text + sizeof(text) - p));
}

void jsonbuf_count(struct buf *to, int64_t n)
{
	if (n < 0)
		JSONBUF_PLAIN(to, "null");
	else
		jsonbuf_integer(to, n);
}

void jsonbuf_real(struct buf *to, double value)
{
	if (!isfinite(value))
		JSONBUF_PLAIN(to, "null");
	else
		buf_printf(to, "%.17g", value);
}

static char *put_digits(char *to, int64_t n, int digits)
{
	for (int i = digits; i-- > 0; n /= 10)
		to[i] = (char)('0' + n % 10);
	return to + digits;
}

/*
 * The date of a day since 1970 in the Gregorian calendar: years that begin in
 * March have their leap day last, so months and days follow by division (Howard
 * Hinnant, chrono-Compatible Low-Level Date Algorithms, 2021).  Times in
 * nanoseconds lie within 1677 to 2262.
 */
static char *put_date(char *to, int64_t day)
{
	int64_t z = day + 719468, era = z / 146097, doe = z % 146097;
	int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	int64_t mp = (5 * doy + 2) / 153;
	int64_t month = mp < 10 ? mp + 3 : mp - 9;
	to = put_digits(to, yoe + era * 400 + (month <= 2), 4);
	*to++ = '-';
	to = put_digits(to, month, 2);
	*to++ = '-';
	return put_digits(to, doy - (153 * mp + 2) / 5 + 1, 2);
}

void jsonbuf_time(struct buf *to, int64_t ns)
{
	if (ns == 0)
		JSONBUF_PLAIN(to, "null");
	else
		jsonbuf_wall(to, ns);
}

void jsonbuf_wall(struct buf *to, int64_t ns)
{
	char text[40], *p = text;
	int64_t part = ns % NS_PER_S, s = ns / NS_PER_S;
	if (part < 0) {
		part += NS_PER_S;
		s--;
	}
	int64_t day = s / DAY_S, of_day = s % DAY_S;
	if (of_day < 0) {
		of_day += DAY_S;
		day--;
	}
	*p++ = '"';
	p = put_date(p, day);
	*p++ = 'T';
	p = put_digits(p, of_day / 3600, 2);
	*p++ = ':';
	p = put_digits(p, of_day / 60 % 60, 2);
	*p++ = ':';
	p = put_digits(p, of_day % 60, 2);
	*p++ = '.';
	p = put_digits(p, part, 9);
	*p++ = 'Z';
	*p++ = '"';
	buf_bytes(to, text, (size_t)(p - text));
}

void jsonbuf_addr(struct buf *to, const struct addr *addr)
{
	char text[ADDR_TEXT_LEN];
	if (addr->family == 0) {
		JSONBUF_PLAIN(to, "null");
		return;
	}
	buf_u8(to, '"');
	buf_bytes(to, text, strlen(addr_text(addr, text)));
	buf_u8(to, '"');
}

void jsonbuf_hex(struct buf *to, const void *bytes, size_t len)
{
	static const char digits[] = "0123456789abcdef";
	const uint8_t *from = bytes;
	uint8_t *p = buf_extend(to, 2 * len + 2);
	*p++ = '"';
	for (size_t i = 0; i < len; i++) {
		*p++ = (uint8_t)digits[from[i] >> 4];
		*p++ = (uint8_t)digits[from[i] & 15];
	}
	*p = '"';
}

static int append_dump(const char *text, size_t len, void *to)
{
	buf_bytes(to, text, len);
	return 0;
}

void jsonbuf_tree(struct buf *to, const json_t *tree)
{
	if (json_dump_callback(
		tree, append_dump, to, JSON_ENCODE_ANY | JSON_COMPACT) != 0)
		BUG("a tree that is not JSON");
}

void jsonbuf_text(struct buf *to, const char *text)
{
	json_t *json = json_text(text);
	jsonbuf_tree(to, json);
	json_decref(json);
}
