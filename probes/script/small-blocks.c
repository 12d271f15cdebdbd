/* SPDX-License-Identifier: ISC */
/*
 * malloc keeps a header for each block, and joins and divides blocks, which was
 * a tenth of what measuring thousands of hosts took; blocks of one size need
 * neither.  Pages that were never used cost nothing.
 */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "probes/script/small-blocks.h"

#define REGION_BYTES ((size_t)64 << 20)

/* In the region: by where it is; what is not is malloc's. */
static bool is_inside(const struct small_blocks *b, const void *block)
{
	return (const uint8_t *)block >= b->region &&
	    (const uint8_t *)block < b->end;
}

static size_t class_of(size_t size)
{
	return (size + SMALL_BLOCK_STEP - 1) / SMALL_BLOCK_STEP;
}

static void open_region(struct small_blocks *b)
{
	void *at = mmap(NULL, REGION_BYTES, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (at == MAP_FAILED)
		return;
	b->region = b->unused = at;
	b->end = b->region + REGION_BYTES;
}

static void *take_block(struct small_blocks *b, size_t size)
{
	if (size > SMALL_BLOCK_MOST)
		return malloc(size);
	if (!b->region)
		open_region(b);
	size_t class = class_of(size), bytes = class * SMALL_BLOCK_STEP;
	void *block = b->free[class];
	if (block) {
		memcpy(&b->free[class], block, sizeof(void *));
		return block;
	}
	if ((size_t)(b->end - b->unused) < bytes)
		return malloc(size);
	block = b->unused;
	b->unused += bytes;
	return block;
}

static void give_back(struct small_blocks *b, void *block, size_t size)
{
	if (!is_inside(b, block)) {
		free(block);
		return;
	}
	size_t class = class_of(size);
	memcpy(block, &b->free[class], sizeof(void *));
	b->free[class] = block;
}

void *small_block_resize(
    struct small_blocks *b, void *block, size_t old_size, size_t size)
{
	if (size == 0) {
		if (block)
			give_back(b, block, old_size);
		return NULL;
	}
	if (!block)
		return take_block(b, size);
	bool inside = is_inside(b, block);
	if (inside && class_of(size) == class_of(old_size))
		return block;
	if (!inside && size > SMALL_BLOCK_MOST)
		return realloc(block, size);
	void *other = take_block(b, size);
	if (!other)
		return NULL;
	memcpy(other, block, old_size < size ? old_size : size);
	give_back(b, block, old_size);
	return other;
}

void small_blocks_fini(struct small_blocks *b)
{
	if (b->region)
		munmap(b->region, REGION_BYTES);
	*b = (struct small_blocks){ 0 };
}
