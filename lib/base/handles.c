/* SPDX-License-Identifier: ISC */
/* A number is its slot, below how often the slot was taken. */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/base/handles.h"
#include "lib/base/xalloc.h"

#define TAKEN UINT32_MAX /* next_free of a slot that has an item */

/* Who uses an item too late is found out, though its memory is kept. */
#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(at, size) ((void)(at))
#define ASAN_UNPOISON_MEMORY_REGION(at, size) ((void)(at))
#endif

static uint32_t slot_of(const struct handles *h, uint32_t handle)
{
	return handle & ((UINT32_C(1) << h->bits) - 1);
}

static size_t slab_count(const struct handles *h)
{
	return ((size_t)1 << h->bits) / HANDLES_SLAB + 1;
}

static void *item_of(const struct handles *h, uint32_t slot)
{
	return h->slabs[slot / HANDLES_SLAB] + slot % HANDLES_SLAB * h->size;
}

static void drop_slabs(struct handles *h, uint32_t from)
{
	for (uint32_t i = from; i < slab_count(h) && h->slabs[i]; i++) {
		ASAN_UNPOISON_MEMORY_REGION(
		    h->slabs[i], HANDLES_SLAB * h->size);
		free(h->slabs[i]);
		h->slabs[i] = NULL;
	}
	h->first_free = h->slots_used = 0;
}

void handles_init(struct handles *h, unsigned bits, size_t size)
{
	*h = (struct handles){ .bits = bits, .size = size };
	h->slots = xcalloc((size_t)1 << bits, sizeof(*h->slots));
	h->slabs = xcalloc(slab_count(h), sizeof(uint8_t *));
}

void handles_fini(struct handles *h)
{
	drop_slabs(h, 0);
	free(h->slabs);
	free(h->slots);
	*h = (struct handles){ 0 };
}

void *handles_add(struct handles *h, uint32_t *handle)
{
	if (handles_room(h) == 0)
		BUG("%zu handles are all there are", h->count);
	uint32_t slot = h->first_free;
	struct handle_slot *s = &h->slots[slot];
	uint8_t **slab = &h->slabs[slot / HANDLES_SLAB];
	h->first_free = slot < h->slots_used ? s->next_free : ++h->slots_used;
	if (!*slab) {
		*slab = xcalloc_lines(HANDLES_SLAB, h->size);
		ASAN_POISON_MEMORY_REGION(*slab, HANDLES_SLAB * h->size);
	}
	s->next_free = TAKEN;
	s->uses++;
	h->count++;
	*handle = s->uses << h->bits | slot;
	ASAN_UNPOISON_MEMORY_REGION(item_of(h, slot), h->size);
	return memset(item_of(h, slot), 0, h->size);
}

void *handles_find(const struct handles *h, uint32_t handle)
{
	uint32_t slot = slot_of(h, handle);
	const struct handle_slot *s = &h->slots[slot];
	bool same = (s->uses << h->bits | slot) == handle;
	return same && s->next_free == TAKEN ? item_of(h, slot) : NULL;
}

void handles_remove(struct handles *h, uint32_t handle)
{
	uint32_t slot = slot_of(h, handle);
	ASAN_POISON_MEMORY_REGION(item_of(h, slot), h->size);
	h->slots[slot].next_free = h->first_free;
	h->first_free = slot;
	if (--h->count == 0)
		drop_slabs(h, 1);
}
