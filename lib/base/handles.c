/* SPDX-License-Identifier: ISC */
/* A number is its slot, below how often the slot was taken. */
#include <stdlib.h>

#include "lib/base/err.h"
#include "lib/base/handles.h"
#include "lib/base/xalloc.h"

static uint32_t slot_of(const struct handles *h, uint32_t handle)
{
	return handle & ((UINT32_C(1) << h->bits) - 1);
}

void handles_init(struct handles *h, unsigned bits)
{
	*h = (struct handles){ .bits = bits };
	h->slots = xcalloc((size_t)1 << bits, sizeof(*h->slots));
}

void handles_fini(struct handles *h)
{
	free(h->slots);
	*h = (struct handles){ 0 };
}

uint32_t handles_add(struct handles *h, void *item)
{
	if (handles_room(h) == 0)
		BUG("%zu handles are all there are", h->count);
	uint32_t slot = h->first_free;
	struct handle_slot *s = &h->slots[slot];
	h->first_free = slot < h->slots_used ? s->next_free : ++h->slots_used;
	s->item = item;
	s->uses++;
	h->count++;
	return s->uses << h->bits | slot;
}

void *handles_find(const struct handles *h, uint32_t handle)
{
	uint32_t slot = slot_of(h, handle);
	const struct handle_slot *s = &h->slots[slot];
	return (s->uses << h->bits | slot) == handle ? s->item : NULL;
}

void handles_remove(struct handles *h, uint32_t handle)
{
	uint32_t slot = slot_of(h, handle);
	h->slots[slot].item = NULL;
	h->slots[slot].next_free = h->first_free;
	h->first_free = slot;
	h->count--;
}
