/* SPDX-License-Identifier: ISC */
/*
 * Memory that is given out piece by piece and taken back all at once, or back
 * to a mark.  For many small things that end together.
 */
#pragma once

#include <stddef.h>

struct arena_chunk;
struct arena {                    /* zero: empty */
	struct arena_chunk *last; /* owned, with those before it */
	size_t bytes;             /* given out */
};

/* Aligned for anything; never NULL. */
void *arena_alloc(struct arena *arena, size_t size);

struct arena_mark {
	const struct arena_chunk *chunk;
	size_t len, bytes;
};
struct arena_mark arena_mark(const struct arena *arena);
/* Takes back what was given out since. */
void arena_reset(struct arena *arena, struct arena_mark mark);
void arena_fini(struct arena *arena);
