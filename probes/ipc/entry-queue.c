/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "probes/ipc/entry-queue.h"

void *entry_queue_add(struct entry_queue *queue)
{
	/* Padding goes to the other end too. */
	return memset(buf_extend(&queue->entries, queue->entry_size), 0,
	    queue->entry_size);
}

void entry_queue_octets(
    struct entry_queue *queue, const void *octets, size_t len)
{
	uint32_t stated = (uint32_t)len;
	uint8_t *last =
	    queue->entries.data + queue->entries.len - queue->entry_size;
	memcpy(last + queue->len_at, &stated, sizeof(stated));
	buf_bytes(&queue->octets, octets, len);
}

size_t entry_queue_take(struct entry_queue *queue, uint8_t *to, size_t size,
    size_t most, size_t *count)
{
	size_t octets = 0, len = 0;
	const uint8_t *entries = queue->entries.data + queue->entries_read;
	size_t have = entry_queue_count(queue);
	for (*count = 0; *count < have && *count < most; ++*count) {
		uint32_t own;
		memcpy(&own,
		    entries + *count * queue->entry_size + queue->len_at,
		    sizeof(own));
		if (len + queue->entry_size + own > size)
			break;
		len += queue->entry_size + own;
		octets += own;
	}
	if (len > octets)
		memcpy(to, entries, len - octets);
	if (octets)
		memcpy(to + len - octets,
		    queue->octets.data + queue->octets_read, octets);
	buf_read(&queue->entries, &queue->entries_read, len - octets);
	buf_read(&queue->octets, &queue->octets_read, octets);
	return len;
}

void entry_queue_fini(struct entry_queue *queue)
{
	buf_fini(&queue->entries);
	buf_fini(&queue->octets);
}
