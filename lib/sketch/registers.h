/* SPDX-License-Identifier: ISC */
/*
 * The registers of a HyperLogLog: each holds the largest rank of the values
 * that chose it.  The upper bits of a value choose one of 2^bits registers, and
 * its rank is the place of the first 1 behind those, from 1.  Values are 32-bit
 * hashes, spread evenly over all bits.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

static inline void registers_put(
    uint8_t *registers, unsigned bits, uint32_t value)
{
	uint32_t rest = value << bits | UINT32_C(1) << (bits - 1);
	uint8_t *at = &registers[value >> (32 - bits)];
	uint8_t rank = (uint8_t)(__builtin_clz(rest) + 1);
	if (*at < rank)
		*at = rank;
}

/* What either knows. */
static inline void registers_join(
    uint8_t *to, const uint8_t *from, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (to[i] < from[i])
			to[i] = from[i];
}

/* How many different values were put; count: 128 registers or more. */
double registers_estimate(const uint8_t *registers, size_t count);
