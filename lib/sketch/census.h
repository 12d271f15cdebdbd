/* SPDX-License-Identifier: ISC */
/*
 * A set of 32-bit hashes in at most 65 octets that travels: what one interval
 * counted is joined with another's without counting twice.  Exact up to 20
 * values, of which the upper 24 bits are kept (a set of 20 has two that agree
 * in those once in 88,000); then a HyperLogLog of 128 registers (standard error
 * 9.2 %).
 *
 *   n (0..20) | n values of 3 octets, big-endian, ascending
 *   128 + base | 64 octets: 128 registers less base, the even one above; the
 *   least is 0, and what is above 15 counts as 15
 *
 * Nothing at all is the empty set.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/sketch/distinct.h"

#define CENSUS_MOST_BYTES 65
#define CENSUS_EXACT 20

/* Zeros: the empty set. */
struct census {
	uint8_t bytes[CENSUS_MOST_BYTES];
};

/* Values are taken as spread evenly over all bits. */
void census_add(struct census *census, uint32_t value);
/* Adds all that a HyperLogLog holds that has 2^bits registers, at least 128,
 * chosen by a value's upper bits; each the place of the first 1 behind those,
 * from 1; 0: none. */
void census_add_registers(
    struct census *census, const uint8_t *registers, unsigned bits);
void census_join(struct census *census, const struct census *other);
uint32_t census_count(
    const struct census *census, enum distinct_quality *quality);

/* How many of its octets matter; 0: it is empty. */
size_t census_len(const struct census *census);
/* False, and empty, when these octets are no census. */
bool census_read(struct census *census, const uint8_t *bytes, size_t len);
