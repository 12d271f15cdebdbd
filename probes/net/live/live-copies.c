/* SPDX-License-Identifier: ISC */
/*
 * A packet is shown as often as it came on the device where it came most
 * often.  What is remembered is bounded: the newest packet of each slot of a
 * hash table, for a second.
 */
#include "probes/net/live/live-copies.h"

#include "lib/base/clock.h"
#include "lib/base/hash.h"

#define TOGETHER_NS NS_PER_S

static uint32_t *count_on(struct live_copies_slot *slot, uint32_t device)
{
	for (size_t i = 0; i < LIVE_COPIES_DEVICES; i++) {
		if (slot->on[i].count == 0)
			slot->on[i].device = device;
		if (slot->on[i].device == device)
			return &slot->on[i].count;
	}
	return NULL;
}

bool live_copies_is_copy(struct live_copies *copies, const uint8_t *bytes,
    size_t len, uint32_t device, int64_t ns)
{
	uint64_t hash = hash_fnv(
	    hash_fnv(HASH_FNV_START, &copies->key, sizeof(copies->key)), bytes,
	    len);
	struct live_copies_slot *slot =
	    &copies->slots[hash % LIVE_COPIES_SLOTS];
	int64_t age = ns - slot->ns;
	if (slot->hash != hash || age > TOGETHER_NS || age < -TOGETHER_NS)
		*slot = (struct live_copies_slot){ .hash = hash, .ns = ns };
	uint32_t *count = count_on(slot, device);
	if (!count || ++*count <= slot->shown)
		return true;
	slot->shown = *count;
	return false;
}
