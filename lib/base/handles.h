/* SPDX-License-Identifier: ISC */
/*
 * Numbers for pointers, which another party keeps for a while: a number whose
 * item is gone finds nothing, also after its place has another item.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct handles {
	struct handle_slot {
		void *item;
		uint32_t uses, next_free;
	} * slots; /* owned */
	unsigned bits;
	uint32_t first_free, slots_used; /* beyond the latter all are unused */
	size_t count;
};

/* For 2^bits items at once, bits below 32; what is left of a number counts
 * how often its place was taken, and begins again after 2^(32-bits). */
void handles_init(struct handles *h, unsigned bits);
void handles_fini(struct handles *h); /* the items are the caller's */
static inline size_t handles_room(const struct handles *h)
{
	return ((size_t)1 << h->bits) - h->count;
}
/* The caller has looked that there is room. */
uint32_t handles_add(struct handles *h, void *item);
/* NULL: none has this number any more. */
void *handles_find(const struct handles *h, uint32_t handle);
void handles_remove(struct handles *h, uint32_t handle);
