/* SPDX-License-Identifier: ISC */
/*
 * How many different values, in little memory: six in place, then a block
 * that is exact up to 192 values and a HyperLogLog of 1024 registers after
 * that (standard error 3.25 %).  Blocks come from a bounded pool that takes
 * memory as it needs it; when it is empty a counter stops at what it knows
 * and says that it is a lower bound.  Values are 32-bit hashes.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DISTINCT_INLINE 6
#define DISTINCT_EXACT 192

enum distinct_quality {
	DISTINCT_IS_EXACT,
	DISTINCT_IS_ESTIMATE,
	DISTINCT_IS_AT_LEAST
};

struct distinct {
	uint32_t count; /* of values in place, or DISTINCT_IN_BLOCK */
	uint32_t values[DISTINCT_INLINE]; /* [0]: the block's number */
};
#define DISTINCT_IN_BLOCK UINT32_MAX
#define DISTINCT_FULL (UINT32_MAX - 1) /* six, and no block to be had */

struct distinct_pool;
struct distinct_pool *distinct_pool_new(uint32_t max_blocks);
void distinct_pool_free(struct distinct_pool *pool);
/* Brings into the cache what adding the value will need. */
void distinct_fetch(
    const struct distinct_pool *pool, const struct distinct *d, uint32_t value);

void distinct_add(
    struct distinct_pool *pool, struct distinct *d, uint32_t value);
/* Back to nothing; gives its block back. */
void distinct_clear(struct distinct_pool *pool, struct distinct *d);
static inline bool distinct_is_one(const struct distinct *d)
{
	return d->count == 1;
}
uint32_t distinct_count(const struct distinct_pool *pool,
    const struct distinct *d, enum distinct_quality *quality);
/* The size of the union of several. */
uint32_t distinct_union(const struct distinct_pool *pool,
    const struct distinct *const *sets, size_t set_count,
    enum distinct_quality *quality);
