/* SPDX-License-Identifier: ISC */
/* Little numbers in few bytes: seven bits a byte, the lowest first (LEB128). */
#pragma once

#include "lib/base/buf.h"
#include "lib/base/reader.h"

#define VARINT_MAX 10 /* bytes of the longest */

/* There is room for VARINT_MAX; the place after it. */
static inline uint8_t *varint_write(uint8_t *at, uint64_t v)
{
	for (; v >= 0x80; v >>= 7)
		*at++ = (uint8_t)(v | 0x80);
	*at++ = (uint8_t)v;
	return at;
}

static inline void varint_put(struct buf *b, uint64_t v)
{
	uint8_t *at = buf_room(b, VARINT_MAX);
	b->len += (size_t)(varint_write(at, v) - at);
}

static inline uint64_t varint_get(struct reader *r)
{
	uint64_t v = 0;
	if (reader_left(r) > 0 && *r->pos < 0x80)
		return *r->pos++;
	for (unsigned shift = 0; shift < 64; shift += 7) {
		uint8_t byte = reader_u8(r);
		v |= (uint64_t)(byte & 0x7f) << shift;
		if (!(byte & 0x80))
			return v;
	}
	reader_fail(r, ERR_MALFORMED);
	return 0;
}
