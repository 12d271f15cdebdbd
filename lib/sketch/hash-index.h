/* SPDX-License-Identifier: ISC */
/*
 * Which entries of an array have this hash: open addressing beside an array
 * that the owner keeps.
 *
 *	struct index_walk walk = index_walk(&index, hash);
 *	size_t i;
 *	while (index_next(&walk, &i))
 *		if (items[i] is it)
 *			return i;
 *	index_put(&index, hash, new_i);
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct index_slot {
	uint64_t hash;
	size_t entry; /* + 1; 0: empty */
};
struct index {
	struct index_slot *slots; /* owned */
	size_t cap, count;
};
struct index_walk {
	const struct index *index;
	uint64_t hash;
	size_t at;
};

void index_fini(struct index *index);
void index_clear(struct index *index);
void index_put(struct index *index, uint64_t hash, size_t entry);
struct index_walk index_walk(const struct index *index, uint64_t hash);
bool index_next(struct index_walk *walk, size_t *entry);

/* A hash of a key that is plain bytes (padding zeroed).  Keyed for the
 * process: what is hashed comes from outside. */
uint64_t index_hash(const void *key, size_t len);
