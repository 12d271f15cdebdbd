/* SPDX-License-Identifier: ISC */
/*
 * The payload is needed twice after the frame is gone: for its hash, and for
 * the quote in an ICMP error.  One that does not fit is counted at once.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/base/xalloc.h"
#include "probes/sensor/prefetch.h"

struct batch {
	struct table *table;
	struct table_entry entries[BATCH_PACKETS];
	uint8_t octets[BATCH_OCTETS];
	size_t count, octets_used;
};

struct batch *batch_new(struct table *table)
{
	struct batch *b = xcalloc(1, sizeof(*b));
	b->table = table;
	return b;
}

void batch_free(struct batch *b)
{
	free(b);
}

struct table_entry *batch_next(struct batch *b)
{
	return &b->entries[b->count];
}

static void copy_payload(struct batch *b, struct packet *p)
{
	uint8_t *copy = b->octets + b->octets_used;
	memcpy(copy, p->payload, p->payload_len);
	b->octets_used += p->payload_len;
	p->payload = copy;
	if (p->quote)
		p->quote = copy;
	p->extensions = NULL;
}

void batch_put(struct batch *b)
{
	struct table_entry *e = &b->entries[b->count++];
	table_prepare(b->table, e);
	table_fetch(b->table, e, 0);
	bool fits = e->packet.payload_len <= BATCH_OCTETS - b->octets_used;
	if (fits && e->packet.payload_len > 0)
		copy_payload(b, &e->packet);
	if (!fits || b->count == BATCH_PACKETS)
		batch_settle(b);
}

void batch_settle(struct batch *b)
{
	for (int step = 1; step < TABLE_STEPS; step++)
		for (size_t i = 0; i < b->count; i++)
			table_fetch(b->table, &b->entries[i], step);
	for (size_t i = 0; i < b->count; i++)
		table_add(b->table, &b->entries[i]);
	b->count = 0;
	b->octets_used = 0;
}
