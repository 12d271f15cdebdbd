/* SPDX-License-Identifier: ISC */
/*
 * Arrays that grow at the end.  The capacity follows from the count (a power
 * of two, 4 at least), so an array is a pointer and a count, and one append in
 * many moves it.  Only for arrays that got all their room here; a count that
 * falls gives room back at the next append that meets a power of two.
 */
#pragma once

#include "lib/base/xalloc.h"

static inline void *vec_room(void *items, size_t count, size_t size)
{
	if (count != 0 && (count < 4 || (count & (count - 1)) != 0))
		return items;
	return xreallocarray(items, count < 4 ? 4 : count * 2, size);
}

/* Room for one more behind the `count` that there are. */
#define VEC_ROOM(items, count) \
	((items) = vec_room((items), (count), sizeof(*(items))))
