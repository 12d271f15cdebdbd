/* SPDX-License-Identifier: ISC */
/*
 * A ring.  Each packet that comes takes one step; the one STRIDE before it the
 * next step, and so on; the one that has taken all is counted.
 *
 * The payload is needed twice after the frame is gone: for its hash, and for
 * the quote in an ICMP error.  What is longer than an entry has room for is
 * counted at once.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/base/xalloc.h"
#include "probes/sensor/prefetch.h"

#define STRIDE 12
#define RING 64     /* more than are on their way */
#define OCTETS 2112 /* no power of two: payloads would share few cache sets */
_Static_assert(STRIDE *TABLE_STEPS < RING, "the ring is large enough");

struct prefetch {
	struct table *table;
	uint64_t outcomes[TABLE_OUTCOMES];
	struct table_entry entries[RING];
	size_t put, counted; /* entries, ever */
	uint8_t octets[RING][OCTETS];
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
	return &b->entries[b->put % RING];
}

static void copy_payload(struct prefetch *b, struct packet *p)
{
	uint8_t *copy = b->octets[b->put % RING];
	memcpy(copy, p->payload, p->payload_len);
	p->payload = copy;
	if (p->quote)
		p->quote = copy;
}

static struct table_entry *entry_at(struct prefetch *b, size_t at)
{
	return &b->entries[at % RING];
}

static void count_next(struct prefetch *b)
{
	b->outcomes[table_add(b->table, entry_at(b, b->counted++))]++;
}

/* While the ring fills, not every step has a packet. */
static void fetch_some(struct prefetch *b, size_t waiting)
{
	for (size_t step = 0; step < TABLE_STEPS; step++)
		if (waiting > step * STRIDE)
			table_fetch(b->table,
			    entry_at(b, b->put - 1 - step * STRIDE), (int)step);
}

void prefetch_put(struct prefetch *b)
{
	struct table_entry *e = entry_at(b, b->put);
	table_prepare(b->table, e);
	e->packet.tcp_options = e->packet.extensions = NULL; /* not copied */
	e->packet.ip = NULL;
	bool fits = e->packet.payload_len <= OCTETS;
	if (fits && e->packet.payload_len > 0)
		copy_payload(b, &e->packet);
	size_t at = b->put++, waiting = b->put - b->counted;
	if (waiting > STRIDE * TABLE_STEPS) {
		table_fetch_all(b->table,
		    (struct table_entry *const[]){ e, entry_at(b, at - STRIDE),
			entry_at(b, at - 2 * STRIDE),
			entry_at(b, at - 3 * STRIDE) });
		count_next(b);
	} else {
		fetch_some(b, waiting);
	}
	if (!fits)
		prefetch_settle(b);
}

/* Those that have not taken all steps take the others now. */
void prefetch_settle(struct prefetch *b)
{
	for (size_t step = 1; step < TABLE_STEPS; step++)
		for (size_t at = b->counted; at != b->put; at++)
			if (b->put - at <= step * STRIDE)
				table_fetch(
				    b->table, entry_at(b, at), (int)step);
	while (b->counted != b->put)
		count_next(b);
}

uint64_t prefetch_count(const struct prefetch *b, enum table_outcome outcome)
{
	return b->outcomes[outcome];
}
