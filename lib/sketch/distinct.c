/* SPDX-License-Identifier: ISC */
/*
 * A block is 1 KiB and is used twice: first as a hash set of 256 slots, then,
 * when that is three quarters full, as the registers of a HyperLogLog into
 * which the set is poured.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "lib/base/err.h"
#include "lib/base/xalloc.h"
#include "lib/sketch/distinct.h"
#include "lib/sketch/registers.h"
#include "lib/sketch/slots.h"

#define SLOTS 256
#define REGISTERS 1024
#define REGISTER_BITS 10
#define UNION_SLOTS 8192 /* thirty sets of 192 fill less than 3/4 */
#define NO_BLOCK UINT32_MAX
#define HUGE_LEAST_BYTES (4u << 20)

struct sketch_block {
	uint32_t used; /* slots; REGISTERS once it is a HyperLogLog */
	uint32_t next_free;
	union {
		uint32_t slots[SLOTS]; /* 0: empty */
		uint8_t registers[REGISTERS];
	};
};

struct distinct_pool {
	struct sketch_block *blocks;
	uint32_t made, max, free;
};

struct distinct_pool *distinct_pool_new(uint32_t max_blocks)
{
	struct distinct_pool *pool = xcalloc(1, sizeof(*pool));
	size_t len = max_blocks * sizeof(struct sketch_block);
	pool->max = max_blocks;
	pool->free = NO_BLOCK;
	pool->blocks = mmap(NULL, len, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (pool->blocks == MAP_FAILED)
		BUG("no room for %zu bytes of counters", len);
	if (len >= HUGE_LEAST_BYTES)
		madvise(pool->blocks, len, MADV_HUGEPAGE);
	return pool;
}

void distinct_pool_free(struct distinct_pool *pool)
{
	if (!pool)
		return;
	munmap(pool->blocks, pool->max * sizeof(struct sketch_block));
	free(pool);
}

static uint32_t take_block(struct distinct_pool *pool)
{
	uint32_t n = pool->free;
	if (n != NO_BLOCK)
		pool->free = pool->blocks[n].next_free;
	else if (pool->made < pool->max)
		n = pool->made++;
	else
		return NO_BLOCK;
	memset(&pool->blocks[n], 0, sizeof(pool->blocks[n]));
	return n;
}

static void pour(uint8_t *registers, const uint32_t *slots, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (slots[i] != 0)
			registers_put(registers, REGISTER_BITS, slots[i]);
}

static void block_add(struct sketch_block *b, uint32_t value)
{
	if (b->used == REGISTERS) {
		registers_put(b->registers, REGISTER_BITS, value ? value : 1);
		return;
	}
	if (slots_put(b->slots, SLOTS, value))
		b->used++;
	if (b->used <= DISTINCT_EXACT)
		return;
	uint32_t slots[SLOTS];
	memcpy(slots, b->slots, sizeof(slots));
	memset(b->registers, 0, sizeof(b->registers));
	pour(b->registers, slots, SLOTS);
	b->used = REGISTERS;
}

void distinct_fetch(
    const struct distinct_pool *pool, const struct distinct *d, uint32_t value)
{
	if (d->count != DISTINCT_IN_BLOCK)
		return;
	const struct sketch_block *b = &pool->blocks[d->values[0]];
	__builtin_prefetch(b);
	__builtin_prefetch(&b->slots[value & (SLOTS - 1)]);
	__builtin_prefetch(&b->registers[value >> (32 - REGISTER_BITS)]);
}

void distinct_add(
    struct distinct_pool *pool, struct distinct *d, uint32_t value)
{
	if (d->count == DISTINCT_IN_BLOCK) {
		block_add(&pool->blocks[d->values[0]], value);
		return;
	}
	uint32_t count =
	    d->count < DISTINCT_INLINE ? d->count : DISTINCT_INLINE;
	for (uint32_t i = 0; i < count; i++)
		if (d->values[i] == value)
			return;
	if (count < DISTINCT_INLINE) {
		d->values[d->count++] = value;
		return;
	}
	uint32_t n = take_block(pool);
	if (n == NO_BLOCK) {
		d->count = DISTINCT_FULL;
		return;
	}
	for (uint32_t i = 0; i < DISTINCT_INLINE; i++)
		block_add(&pool->blocks[n], d->values[i]);
	block_add(&pool->blocks[n], value);
	d->count = DISTINCT_IN_BLOCK;
	d->values[0] = n;
}

void distinct_clear(struct distinct_pool *pool, struct distinct *d)
{
	if (d->count == DISTINCT_IN_BLOCK) {
		pool->blocks[d->values[0]].next_free = pool->free;
		pool->free = d->values[0];
	}
	d->count = 0;
}

static uint32_t estimate(const uint8_t *registers)
{
	return (uint32_t)(registers_estimate(registers, REGISTERS) + 0.5);
}

uint32_t distinct_count(const struct distinct_pool *pool,
    const struct distinct *d, enum distinct_quality *quality)
{
	*quality = DISTINCT_IS_EXACT;
	if (d->count <= DISTINCT_INLINE)
		return d->count;
	if (d->count == DISTINCT_FULL) {
		*quality = DISTINCT_IS_AT_LEAST;
		return DISTINCT_INLINE + 1;
	}
	const struct sketch_block *b = &pool->blocks[d->values[0]];
	if (b->used < REGISTERS)
		return b->used;
	*quality = DISTINCT_IS_ESTIMATE;
	return estimate(b->registers);
}

struct sum {
	uint32_t slots[UNION_SLOTS];
	uint8_t registers[REGISTERS];
	uint32_t exact;
	bool estimated, at_least;
};

static void sum_add(
    struct sum *sum, const struct distinct_pool *pool, const struct distinct *d)
{
	if (d->count == DISTINCT_IN_BLOCK) {
		const struct sketch_block *b = &pool->blocks[d->values[0]];
		if (b->used == REGISTERS) {
			registers_join(sum->registers, b->registers, REGISTERS);
			sum->estimated = true;
			return;
		}
		for (size_t i = 0; i < SLOTS; i++)
			if (b->slots[i] != 0)
				sum->exact += slots_put(
				    sum->slots, UNION_SLOTS, b->slots[i]);
		return;
	}
	if (d->count == DISTINCT_FULL)
		sum->at_least = true;
	for (uint32_t i = 0; i < d->count && i < DISTINCT_INLINE; i++)
		sum->exact += slots_put(sum->slots, UNION_SLOTS, d->values[i]);
}

uint32_t distinct_union(const struct distinct_pool *pool,
    const struct distinct *const *sets, size_t set_count,
    enum distinct_quality *quality)
{
	if (set_count == 1)
		return distinct_count(pool, sets[0], quality);
	if (set_count * SLOTS > UNION_SLOTS)
		BUG("distinct: a union of %zu sets", set_count);
	struct sum *sum = xcalloc(1, sizeof(*sum));
	for (size_t i = 0; i < set_count; i++)
		sum_add(sum, pool, sets[i]);
	uint32_t count = sum->exact;
	*quality = DISTINCT_IS_EXACT;
	if (sum->estimated) {
		pour(sum->registers, sum->slots, UNION_SLOTS);
		count = estimate(sum->registers);
		*quality = DISTINCT_IS_ESTIMATE;
	}
	if (sum->at_least) {
		count += sum->estimated ? 0 : 1;
		*quality = DISTINCT_IS_AT_LEAST;
	}
	free(sum);
	return count;
}
