/* SPDX-License-Identifier: ISC */
/*
 * How many different values, in the least memory: three in place, then lists
 * of 16 and 64, then 1 KiB that is exact up to 192 and a HyperLogLog of 1024
 * registers after that (standard error 3.25 %).  What is not in place comes
 * from an arena of a stated size; when that is used up, a set stops at what it
 * knows and says that it is a lower bound.  Values are 32-bit hashes.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "lib/sketch/census.h"

#define TARGETS_INLINE 3
#define TARGETS_EXACT 192

struct target_set {
	uint32_t count; /* of values in place, or what target-set.c defines */
	uint32_t values[TARGETS_INLINE];
};

struct target_arena;
struct target_arena *target_arena_new(size_t max_bytes);
void target_arena_free(struct target_arena *arena);
/* Octets that sets have taken. */
size_t target_arena_used(const struct target_arena *arena);

/* Brings into the cache what adding the value will need. */
void target_set_fetch(const struct target_arena *arena,
    const struct target_set *set, uint32_t value);
void target_set_add_new(
    struct target_arena *arena, struct target_set *set, uint32_t value);
static inline void target_set_add(
    struct target_arena *arena, struct target_set *set, uint32_t value)
{
	/* Most sources have one target. */
	if (set->count != 1 || set->values[0] != value)
		target_set_add_new(arena, set, value);
}
/* Back to nothing; gives back what it has taken. */
void target_set_clear(struct target_arena *arena, struct target_set *set);

/* The size of the union of several, at most TARGET_UNION_MAX. */
#define TARGET_UNION_MAX 64
uint32_t target_set_union(const struct target_arena *arena,
    const struct target_set *const *sets, size_t set_count,
    enum distinct_quality *quality);
/* Adds what several know; of one that is a lower bound, what it knows. */
void target_set_census(const struct target_arena *arena,
    const struct target_set *const *sets, size_t set_count,
    struct census *census);
