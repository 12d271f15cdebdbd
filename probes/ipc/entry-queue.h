/* SPDX-License-Identifier: ISC */
/*
 * What one end is to hear, until the other takes it as the body of a message:
 * entries of one size in order, then the octets of those that carry some.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/buf.h"

struct entry_queue {       /* zero but for the sizes: empty */
	size_t entry_size; /* octets of an entry */
	size_t len_at;     /* where in it the length of its octets stands,
			      a uint32_t */
	struct buf entries, octets;
	size_t entries_read, octets_read; /* bytes at the front of each */
};

/* One more entry of zeros; borrowed until the next. */
void *entry_queue_add(struct entry_queue *queue);
/* The octets of the entry that was added last, whose length is set. */
void entry_queue_octets(
    struct entry_queue *queue, const void *octets, size_t len);
/* Takes as many entries, `most` at the most, as fit into `size` octets with
 * theirs; *count of them.  Returns the length of all. */
size_t entry_queue_take(struct entry_queue *queue, uint8_t *to, size_t size,
    size_t most, size_t *count);
void entry_queue_fini(struct entry_queue *queue);

static inline size_t entry_queue_count(const struct entry_queue *queue)
{
	return (queue->entries.len - queue->entries_read) / queue->entry_size;
}
static inline size_t entry_queue_octets_len(const struct entry_queue *queue)
{
	return queue->octets.len - queue->octets_read;
}
