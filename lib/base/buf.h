/* SPDX-License-Identifier: ISC */
/* Bytes that grow at the end: the writing half of lib/base/reader.h. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct buf {
	uint8_t *data; /* owned; NULL while empty */
	size_t len;
	size_t cap;
};

void buf_fini(struct buf *b);              /* frees; b is empty after */
void buf_clear(struct buf *b);             /* keeps the memory */
void buf_grow(struct buf *b, size_t more); /* what buf_room takes when
					      there is none */
/* Room for len more bytes, not counted in: who writes there adds to b->len. */
static inline uint8_t *buf_room(struct buf *b, size_t len)
{
	if (!b->data || b->cap - b->len < len)
		buf_grow(b, len);
	return b->data + b->len;
}
/* The same, already counted in. */
static inline uint8_t *buf_extend(struct buf *b, size_t len)
{
	uint8_t *at = buf_room(b, len);
	b->len += len;
	return at;
}
/* `len` more of the bytes from *at are read.  What is left moves to the front
 * once it is the smaller half, so that each byte is moved once at most. */
void buf_read(struct buf *b, size_t *at, size_t len);
static inline void buf_bytes(struct buf *b, const void *data, size_t len)
{
	if (len)
		memcpy(buf_extend(b, len), data, len);
}
void buf_u8(struct buf *b, uint8_t v);
void buf_be16(struct buf *b, uint16_t v);
void buf_be32(struct buf *b, uint32_t v);
void buf_be64(struct buf *b, uint64_t v);
void buf_printf(struct buf *b, const char *format, ...)
    __attribute__((format(printf, 2, 3))); /* no terminator is added */
