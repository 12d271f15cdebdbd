/* SPDX-License-Identifier: ISC */
/* Open addressing with linear probing, at most half full. */
#include <pthread.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "lib/sketch/hash-index.h"
#include "lib/base/xalloc.h"

void index_fini(struct index *index)
{
	free(index->slots);
	*index = (struct index){ 0 };
}

void index_clear(struct index *index)
{
	if (index->slots)
		memset(index->slots, 0, index->cap * sizeof(*index->slots));
	index->count = 0;
}

static void place_slot(struct index *index, struct index_slot slot)
{
	size_t at = slot.hash & (index->cap - 1);
	while (index->slots[at].entry)
		at = (at + 1) & (index->cap - 1);
	index->slots[at] = slot;
}

void index_put(struct index *index, uint64_t hash, size_t entry)
{
	if (2 * (index->count + 1) > index->cap) {
		struct index old = *index;
		index->cap = old.cap ? old.cap * 2 : 64;
		index->slots = xcalloc(index->cap, sizeof(*index->slots));
		for (size_t i = 0; i < old.cap; i++)
			if (old.slots[i].entry)
				place_slot(index, old.slots[i]);
		free(old.slots);
	}
	place_slot(index, (struct index_slot){ hash, entry + 1 });
	index->count++;
}

struct index_walk index_walk(const struct index *index, uint64_t hash)
{
	return (struct index_walk){ index, hash,
		index->cap ? hash & (index->cap - 1) : 0 };
}

bool index_next(struct index_walk *walk, size_t *entry)
{
	const struct index *index = walk->index;
	while (index->cap && index->slots[walk->at].entry) {
		const struct index_slot *slot = &index->slots[walk->at];
		walk->at = (walk->at + 1) & (index->cap - 1);
		if (slot->hash == walk->hash) {
			*entry = slot->entry - 1;
			return true;
		}
	}
	return false;
}

static unsigned char hash_key[crypto_shorthash_KEYBYTES];

static void make_hash_key(void)
{
	crypto_shorthash_keygen(hash_key);
}

uint64_t index_hash(const void *key, size_t len)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	uint64_t hash;
	pthread_once(&once, make_hash_key);
	crypto_shorthash((unsigned char *)&hash, key, len, hash_key);
	return hash;
}
