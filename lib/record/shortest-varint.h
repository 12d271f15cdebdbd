/* SPDX-License-Identifier: ISC */
/*
 * The varints that record_pack writes: the shortest form of each number.  Who
 * reads only these can write the same octets again.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* More than one octet.  Only by shortest_varint. */
static inline bool shortest_varint_long(
    const uint8_t **at, const uint8_t *end, uint64_t *v)
{
	uint64_t x = 0;
	const uint8_t *p = *at;
	for (unsigned shift = 0; p < end && shift < 64; shift += 7) {
		uint8_t b = *p++;
		if (shift == 63 && b > 1)
			return false;
		x |= (uint64_t)(b & 0x7f) << shift;
		if (!(b & 0x80)) {
			*at = p;
			*v = x;
			return b != 0;
		}
	}
	return false;
}

/* Moves *at past it; false: it is longer than it must be, or the bytes end. */
static inline bool shortest_varint(
    const uint8_t **at, const uint8_t *end, uint64_t *v)
{
	if (*at < end && **at < 0x80) {
		*v = *(*at)++;
		return true;
	}
	return shortest_varint_long(at, end, v);
}
