/* SPDX-License-Identifier: ISC */
/*
 * The payload is needed twice after the frame is gone: for its hash, and for
 * the quote in an ICMP error.  One that does not fit is counted at once.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/base/xalloc.h"
#include "probes/sensor/prefetch.h"

struct prefetch {
	struct table *table;
	uint64_t outcomes[TABLE_OUTCOMES];
	struct table_entry entries[PREFETCH_PACKETS];
	uint8_t octets[PREFETCH_OCTETS];
	size_t count, octets_used;
};

struct prefetch *prefetch_new(struct table *table)
{
	struct prefetch *b = xcalloc(1, sizeof(*b));
	b->table = table;
	return b;
}

void prefetch_free(struct prefetch *b)
{
	free(b);
}

struct table_entry *prefetch_next(struct prefetch *b)
{
	return &b->entries[b->count];
}

static void copy_payload(struct prefetch *b, struct packet *p)
{
	uint8_t *copy = b->octets + b->octets_used;
	memcpy(copy, p->payload, p->payload_len);
	b->octets_used += p->payload_len;
	p->payload = copy;
	if (p->quote)
		p->quote = copy;
}

void prefetch_put(struct prefetch *b)
{
	struct table_entry *e = &b->entries[b->count++];
	table_prepare(b->table, e);
	table_fetch(b->table, e, 0);
	e->packet.tcp_options = e->packet.extensions = NULL; /* not copied */
	bool fits = e->packet.payload_len <= PREFETCH_OCTETS - b->octets_used;
	if (fits && e->packet.payload_len > 0)
		copy_payload(b, &e->packet);
	if (!fits || b->count == PREFETCH_PACKETS)
		prefetch_settle(b);
}

void prefetch_settle(struct prefetch *b)
{
	for (int step = 1; step < TABLE_STEPS; step++)
		for (size_t i = 0; i < b->count; i++)
			table_fetch(b->table, &b->entries[i], step);
	for (size_t i = 0; i < b->count; i++)
		b->outcomes[table_add(b->table, &b->entries[i])]++;
	b->count = 0;
	b->octets_used = 0;
}

uint64_t prefetch_count(const struct prefetch *b, enum table_outcome outcome)
{
	return b->outcomes[outcome];
}
