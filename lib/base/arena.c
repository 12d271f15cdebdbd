/* SPDX-License-Identifier: ISC */
/* A list of chunks, filled one after the other. */
#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>

#include "lib/base/arena.h"
#include "lib/base/err.h"
#include "lib/base/xalloc.h"

#define CHUNK_BYTES (64u << 10)

struct arena_chunk {
	struct arena_chunk *before;
	size_t len, cap;
	alignas(max_align_t) unsigned char data[];
};

static void add_chunk(struct arena *arena, size_t size)
{
	size_t cap = size > CHUNK_BYTES ? size : CHUNK_BYTES;
	struct arena_chunk *chunk = xmalloc(sizeof(*chunk) + cap);
	chunk->before = arena->last;
	chunk->len = 0;
	chunk->cap = cap;
	arena->last = chunk;
}

void *arena_alloc(struct arena *arena, size_t size)
{
	const size_t align = alignof(max_align_t) - 1;
	if (size > SIZE_MAX / 2)
		BUG("arena: %zu bytes", size);
	size = (size + align) & ~align;
	if (!arena->last || arena->last->cap - arena->last->len < size)
		add_chunk(arena, size);
	void *at = arena->last->data + arena->last->len;
	arena->last->len += size;
	arena->bytes += size;
	return at;
}

struct arena_mark arena_mark(const struct arena *arena)
{
	return (struct arena_mark){ arena->last,
		arena->last ? arena->last->len : 0, arena->bytes };
}

/* The chunk that is on top stays when nothing is below it. */
void arena_reset(struct arena *arena, struct arena_mark mark)
{
	while (arena->last != mark.chunk && arena->last->before) {
		struct arena_chunk *gone = arena->last;
		arena->last = gone->before;
		free(gone);
	}
	if (arena->last)
		arena->last->len = mark.len;
	arena->bytes = mark.bytes;
}

void arena_fini(struct arena *arena)
{
	while (arena->last) {
		struct arena_chunk *gone = arena->last;
		arena->last = gone->before;
		free(gone);
	}
	arena->bytes = 0;
}
