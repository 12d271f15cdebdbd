/* SPDX-License-Identifier: ISC */
/*
 * Memory for very many small blocks whose sizes their owner remembers, as Lua
 * does: a list of free blocks for each size, in one region.  What the region
 * has not comes from malloc.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define SMALL_BLOCK_STEP 16
#define SMALL_BLOCK_MOST 512

struct small_blocks {                   /* zero: nothing was asked for yet */
	uint8_t *region, *unused, *end; /* owned */
	void *free[SMALL_BLOCK_MOST / SMALL_BLOCK_STEP + 1]; /* by size */
};

/* The block, of old_size octets, with another size; as realloc and free: NULL
 * and 0 for a new one, size 0 frees and gives NULL.  NULL where there is no
 * memory; then the block is as it was. */
void *small_block_resize(
    struct small_blocks *blocks, void *block, size_t old_size, size_t size);
/* All that is in the region ends. */
void small_blocks_fini(struct small_blocks *blocks);
