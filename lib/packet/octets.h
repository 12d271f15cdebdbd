/* SPDX-License-Identifier: ISC */
/*
 * What the decoders read packets with: a span knows how many octets were
 * captured and how many were on the wire, so that "the capture ended" and
 * "the packet contradicts itself" come out of the same check.  A header is
 * taken whole, checked once, and then read by the loads below at fixed
 * offsets inside it.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "lib/base/err.h"

/* Zeroes a struct of a few cache lines by a call: what the compiler makes of a
 * constant size there (rep stos) takes several times as long, and this is done
 * for every packet. */
static inline void octets_clear(void *p, size_t len)
{
	__asm__("" : "+r"(len));
	memset(p, 0, len);
}

/* pos stands between the lengths, for compilers that load two neighbours at
 * once: right after both were stored, the processor waits. */
struct span {
	size_t captured; /* octets at pos that we hold */
	const uint8_t *pos;
	size_t wire; /* octets from pos on that were sent; >= captured */
};

static inline uint16_t load_be16(const uint8_t *p)
{
	uint16_t v;
	memcpy(&v, p, sizeof(v));
	return __builtin_bswap16(v);
}

static inline uint32_t load_be32(const uint8_t *p)
{
	uint32_t v;
	memcpy(&v, p, sizeof(v));
	return __builtin_bswap32(v);
}

/* The low 16 bits. */
static inline void store_be16(uint8_t *p, uint32_t low)
{
	uint16_t v = __builtin_bswap16((uint16_t)low);
	memcpy(p, &v, sizeof(v));
}

static inline void store_be32(uint8_t *p, uint32_t v)
{
	v = __builtin_bswap32(v);
	memcpy(p, &v, sizeof(v));
}

/* A capture file may claim more captured than sent: what we hold counts. */
static inline struct span span_init(
    const void *bytes, size_t captured, size_t wire)
{
	return (struct span){ .pos = bytes,
		.captured = captured,
		.wire = wire < captured ? captured : wire };
}

/* Why len octets cannot be taken from here. */
static inline int span_error(const struct span *s, size_t len)
{
	return len <= s->wire ? ERR_TRUNCATED : ERR_MALFORMED;
}

/* Moves past len octets; the caller has seen that they are captured. */
static inline void span_skip(struct span *s, size_t len)
{
	s->pos += len;
	s->captured -= len;
	s->wire -= len;
}

/* The packet says that it is len octets from here; what is beyond is not part
 * of it.  When fewer were sent, a tool has cut it: that is truncated too. */
static inline void span_limit(struct span *s, size_t len)
{
	if (s->captured > len)
		s->captured = len;
	s->wire = len;
}
