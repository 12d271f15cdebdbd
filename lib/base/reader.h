/* SPDX-License-Identifier: ISC */
/*
 * A cursor over bytes from outside.  It remembers its first
 * failure: after it every read gives zeros and moves nothing, so a decoder
 * makes its reads in a row and asks once.  `truncated` (the bytes end) and
 * `malformed` (the decoder found a contradiction) stay apart.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "lib/base/err.h"

struct reader {
	const uint8_t *pos; /* borrowed */
	const uint8_t *end;
	int err; /* ERR_OK, ERR_TRUNCATED or ERR_MALFORMED; sticky */
};

static inline struct reader reader_init(const void *data, size_t len)
{
	const uint8_t *bytes = data;
	return (struct reader){ bytes, bytes ? bytes + len : bytes, ERR_OK };
}

/* The first failure wins. */
static inline void reader_fail(struct reader *r, int err)
{
	if (r->err == ERR_OK)
		r->err = err;
	r->pos = r->end;
}

static inline size_t reader_left(const struct reader *r)
{
	return (size_t)(r->end - r->pos);
}

/* Borrows the next len bytes and moves past them; NULL when they are not
 * there. */
static inline const uint8_t *reader_bytes(struct reader *r, size_t len)
{
	if (r->err != ERR_OK || reader_left(r) < len) {
		reader_fail(r, ERR_TRUNCATED);
		return NULL;
	}
	const uint8_t *bytes = r->pos;
	r->pos += len;
	return bytes;
}

static inline void reader_skip(struct reader *r, size_t len)
{
	(void)reader_bytes(r, len);
}

/* A reader over the next len bytes alone; it starts failed if they are not
 * there. */
static inline struct reader reader_sub(struct reader *r, size_t len)
{
	const uint8_t *bytes = reader_bytes(r, len);
	struct reader sub = reader_init(bytes, bytes ? len : 0);
	sub.err = r->err;
	return sub;
}

static inline void reader_copy(struct reader *r, void *to, size_t len)
{
	const uint8_t *bytes = reader_bytes(r, len);
	if (bytes)
		memcpy(to, bytes, len);
	else
		memset(to, 0, len);
}

uint8_t reader_u8(struct reader *r);
uint16_t reader_be16(struct reader *r);
uint32_t reader_be32(struct reader *r);
uint64_t reader_be64(struct reader *r);
uint16_t reader_le16(struct reader *r);
uint32_t reader_le32(struct reader *r);
uint64_t reader_le64(struct reader *r);
