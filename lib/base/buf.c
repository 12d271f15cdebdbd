/* SPDX-License-Identifier: ISC */
/* A vector of bytes; doubling keeps appends cheap. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/buf.h"
#include "lib/base/err.h"
#include "lib/base/xalloc.h"

void buf_fini(struct buf *b)
{
	free(b->data);
	*b = (struct buf){ 0 };
}

void buf_clear(struct buf *b)
{
	b->len = 0;
}

void buf_grow(struct buf *b, size_t more)
{
	size_t need;
	if (__builtin_add_overflow(b->len, more, &need))
		BUG("buffer overflow (%zu + %zu)", b->len, more);
	if (b->data && need <= b->cap)
		return;
	size_t cap = b->cap ? b->cap : 64;
	while (cap < need)
		cap = cap > SIZE_MAX / 2 ? need : cap * 2;
	b->data = xreallocarray(b->data, cap, 1);
	b->cap = cap;
}

void buf_read(struct buf *b, size_t *at, size_t len)
{
	*at += len;
	size_t left = b->len - *at;
	if (left > *at || b->len == 0)
		return;
	memmove(b->data, b->data + *at, left);
	b->len = left;
	*at = 0;
}

static void big_endian(struct buf *b, uint64_t v, size_t len)
{
	uint8_t *at = buf_extend(b, len);
	for (size_t i = len; i > 0; i--, v >>= 8)
		at[i - 1] = (uint8_t)v;
}

void buf_u8(struct buf *b, uint8_t v)
{
	big_endian(b, v, 1);
}

void buf_be16(struct buf *b, uint16_t v)
{
	big_endian(b, v, 2);
}

void buf_be32(struct buf *b, uint32_t v)
{
	big_endian(b, v, 4);
}

void buf_be64(struct buf *b, uint64_t v)
{
	big_endian(b, v, 8);
}

void buf_printf(struct buf *b, const char *format, ...)
{
	va_list ap, again;
	va_start(ap, format);
	va_copy(again, ap);
	int n = vsnprintf(NULL, 0, format, ap);
	va_end(ap);
	if (n < 0)
		BUG("bad format '%s'", format);
	vsnprintf(
	    (char *)buf_room(b, (size_t)n + 1), (size_t)n + 1, format, again);
	va_end(again);
	b->len += (size_t)n;
}
