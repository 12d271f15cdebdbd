/* SPDX-License-Identifier: ISC */
/*
 * Items of one size by numbers, which another party keeps for a while: a number
 * whose item is gone finds nothing, also after its place has another item.  The
 * memory of an item is used again for the next one; but for a little it is
 * given back when there are none.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define HANDLES_SLAB 32
struct handles {
	struct handle_slot {
		uint32_t uses, next_free;
	} * slots;       /* owned */
	uint8_t **slabs; /* owned; of HANDLES_SLAB items each */
	unsigned bits;
	size_t size;
	uint32_t first_free, slots_used; /* beyond the latter all are unused */
	size_t count;
};

/* For 2^bits items at once, bits below 32, of `size` octets; what is left of a
 * number counts how often its place was taken, and begins again after
 * 2^(32-bits). */
void handles_init(struct handles *h, unsigned bits, size_t size);
void handles_fini(struct handles *h); /* with all items */
static inline size_t handles_room(const struct handles *h)
{
	return ((size_t)1 << h->bits) - h->count;
}
/* A new item, all zeros, and its number; it begins with a cache line if the
 * size is one of whole lines.  The caller has looked that there is room. */
void *handles_add(struct handles *h, uint32_t *handle);
/* NULL: none has this number any more. */
void *handles_find(const struct handles *h, uint32_t handle);
/* The item ends. */
void handles_remove(struct handles *h, uint32_t handle);
