/* SPDX-License-Identifier: ISC */
/* Little numbers in few bytes: seven bits a byte, the lowest first (LEB128). */
#pragma once

#include "lib/buf.h"
#include "lib/reader.h"

static inline void varint_put(struct buf *b, uint64_t v)
{
	for (; v >= 0x80; v >>= 7)
		buf_u8(b, (uint8_t)(v | 0x80));
	buf_u8(b, (uint8_t)v);
}

static inline uint64_t varint_get(struct reader *r)
{
	uint64_t v = 0;
	for (unsigned shift = 0; shift < 64; shift += 7) {
		uint8_t byte = reader_u8(r);
		v |= (uint64_t)(byte & 0x7f) << shift;
		if (!(byte & 0x80))
			return v;
	}
	reader_fail(r, ERR_MALFORMED);
	return 0;
}
