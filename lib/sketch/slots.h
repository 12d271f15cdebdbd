/* SPDX-License-Identifier: ISC */
/* A set of 32-bit hashes with open addresses; 0 is an empty slot. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* True when the value is new.  slot_count: a power of two, and one is free; 0
 * is taken for 1. */
static inline bool slots_put(
    uint32_t *slots, uint32_t slot_count, uint32_t value)
{
	uint32_t stored = value ? value : 1;
	uint32_t at = stored & (slot_count - 1);
	while (slots[at] != 0) {
		if (slots[at] == stored)
			return false;
		at = (at + 1) & (slot_count - 1);
	}
	slots[at] = stored;
	return true;
}
