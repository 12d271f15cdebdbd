/* SPDX-License-Identifier: ISC */
/*
 * JSON written straight into bytes, for answers of tens of thousands of
 * objects; small ones are built with jansson (json-value.h), which these agree
 * with.  The caller writes what stands between the values.
 */
#pragma once

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/addr.h"
#include "lib/base/buf.h"

/* A piece of JSON that is written down in the program. */
#define JSONBUF_PLAIN(to, text) buf_bytes((to), (text), sizeof(text) - 1)

void jsonbuf_integer(struct buf *to, int64_t n);
void jsonbuf_count(struct buf *to, int64_t n);   /* negative: null */
void jsonbuf_real(struct buf *to, double value); /* not finite: null */
void jsonbuf_wall(struct buf *to, int64_t ns);   /* RFC 3339 */
void jsonbuf_time(struct buf *to, int64_t ns);   /* the same; 0: null */
void jsonbuf_addr(struct buf *to, const struct addr *addr); /* none: null */
void jsonbuf_hex(struct buf *to, const void *bytes, size_t len);
/* In quotes.  NULL and "" are null; of text that is not UTF-8 each byte outside
 * ASCII becomes '?'. */
void jsonbuf_text(struct buf *to, const char *text);
/* A small part that is a tree; borrowed. */
void jsonbuf_tree(struct buf *to, const json_t *tree);
