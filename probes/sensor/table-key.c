/* SPDX-License-Identifier: ISC */
/*
 * What the tables are looked up by: each packet needs the hashes of two
 * sources, two addresses and two contacts, so they are made of each other, one
 * multiplication a step.  hash_fold with a secret key is no cryptography, but
 * who does not see the hashes cannot prepare collisions.
 */
#include <string.h>

#include "lib/base/hash.h"
#include "lib/packet/octets.h"
#include "probes/sensor/table-private.h"

#define UNIT_KEY UINT64_C(0xbf58476d1ce4e5b9)
#define ADDRESS_KEY UINT64_C(0x94d049bb133111eb)
#define CONTACT_KEY UINT64_C(0xd6e8feb86659fd93)

static uint64_t load_half(const uint8_t *octets)
{
	uint64_t half;
	memcpy(&half, octets, sizeof(half));
	return half;
}

/* No secret: what two sensors or two runs counted is joined at the collector
 * (lib/sketch/census.h).  Who picks addresses that agree in 24 bits hides one
 * in so many of his targets and nothing else: the sets are small and bounded.
 */
#define TARGET_KEY UINT64_C(0x50de7a26e7c3a159)

/* Of an IPv6 address the first 64 bits, in which one host may take any
 * address. */
static uint64_t hash_unit(const struct table *t, const struct addr *a)
{
	uint64_t key = t->config.key;
	uint64_t bits =
	    a->family == 6 ? load_half(a->bytes) : load_be32(a->bytes);
	return hash_fold(bits ^ key, key ^ UNIT_KEY ^ a->family);
}

static uint64_t hash_address(
    const struct table *t, const struct addr *a, uint64_t unit)
{
	if (a->family != 6)
		return unit;
	return hash_fold(
	    load_half(a->bytes + 8) ^ unit, t->config.key ^ ADDRESS_KEY);
}

uint32_t table_hash_target(const struct addr *a)
{
	if (a->family != 6)
		return (uint32_t)hash_fold(
		    load_be32(a->bytes) ^ TARGET_KEY, ADDRESS_KEY);
	return (uint32_t)hash_fold(
	    hash_fold(load_half(a->bytes) ^ TARGET_KEY, UNIT_KEY) ^
		load_half(a->bytes + 8),
	    ADDRESS_KEY);
}

/* Of a contact: one end's unit, the other's address, the protocol and that
 * one's port. */
static uint64_t hash_contact(const struct table *t, uint64_t unit,
    uint64_t other, uint8_t proto, uint16_t port)
{
	uint64_t service = ((uint64_t)proto << 16 | port) * HASH_GOLDEN;
	return hash_fold(unit ^ t->config.key ^ CONTACT_KEY,
	    (other << 32 | other >> 32) ^ service);
}

uint32_t table_hash_unit(const struct table *t, const struct addr *a)
{
	return (uint32_t)hash_unit(t, a);
}

uint32_t table_hash_address(const struct table *t, const struct addr *a)
{
	return (uint32_t)hash_address(t, a, hash_unit(t, a));
}

void table_prepare(const struct table *t, struct table_entry *e)
{
	const struct packet *p = &e->packet;
	const struct message *m = &e->reading.message;
	uint64_t src_unit = hash_unit(t, &p->src);
	uint64_t dst_unit = hash_unit(t, &p->dst);
	uint64_t src = hash_address(t, &p->src, src_unit);
	uint64_t dst = hash_address(t, &p->dst, dst_unit);
	e->source = (uint32_t)src_unit;
	e->target = table_hash_target(&p->dst);
	e->asked = hash_contact(t, src_unit, dst, p->proto, m->dport);
	e->answered = hash_contact(t, dst_unit, src, p->proto, m->sport);
}

#define COPY_NS 1000000 /* two captures of one packet are as near */

bool table_is_copy(struct last_packet *last, const struct table_entry *e)
{
	const struct packet *p = &e->packet;
	uint32_t ports = (uint32_t)p->sport << 16 | p->dport;
	uint32_t hash =
	    (uint32_t)hash_mix((uint64_t)e->source << 32 | e->target,
		(uint64_t)(e->reading.message.id ^ ports) << 16 | p->ip_id);
	int64_t passed_ns = e->at.ns - last->at_ns;
	if (hash == last->hash && passed_ns >= -COPY_NS && passed_ns <= COPY_NS)
		return true;
	last->hash = hash;
	last->at_ns = e->at.ns;
	return false;
}
