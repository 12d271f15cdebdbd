/* SPDX-License-Identifier: ISC */
/* What the tables are looked up by. */
#include <string.h>

#include "lib/base/hash.h"
#include "probes/sensor/table-private.h"

/* Of an IPv6 address the first 64 bits, in which one host may take any
 * address. */
static struct addr unit_of(const struct addr *a)
{
	struct addr unit = *a;
	if (a->family == 6)
		memset(unit.bytes + 8, 0, 8);
	return unit;
}

bool table_same_unit(const struct addr *a, const struct addr *b)
{
	return a->family == b->family &&
	    memcmp(a->bytes, b->bytes, a->family == 6 ? 8 : 4) == 0;
}

uint32_t table_hash_unit(const struct table *t, const struct addr *a)
{
	struct addr unit = unit_of(a);
	return (uint32_t)addr_hash(&unit, t->config.key);
}

/* Of a contact: one end's unit, the other's address, the protocol and that
 * one's port. */
static uint64_t hash_contact(const struct table *t, uint32_t unit,
    const struct addr *other, uint8_t proto, uint16_t port)
{
	uint64_t key =
	    hash_mix(t->config.key ^ unit, (uint64_t)proto << 16 | port);
	return hash_finish(addr_hash(other, key));
}

void table_prepare(const struct table *t, struct table_entry *e)
{
	const struct packet *p = &e->packet;
	const struct message *m = &e->reading.message;
	e->source = table_hash_unit(t, &p->src);
	e->target = (uint32_t)addr_hash(&p->dst, t->config.key);
	e->asked = hash_contact(t, e->source, &p->dst, p->proto, m->dport);
	e->answered = hash_contact(
	    t, table_hash_unit(t, &p->dst), &p->src, p->proto, m->sport);
}
