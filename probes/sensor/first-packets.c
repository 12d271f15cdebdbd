/* SPDX-License-Identifier: ISC */
/* A packet is kept in the first of four places that is free; what was given is
 * known by first-sight.c's sets, which forget the oldest. */
#include "probes/sensor/first-packets.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/hash.h"
#include "lib/base/xalloc.h"
#include "probes/sensor/first-sight.h"
#include "probes/sensor/table-private.h"

#define PLACES 4

struct first_packets {
	uint64_t key;
	uint32_t kept, given, others;
	struct first_sight *known; /* of (source, rule) */
	struct first_packet places[FIRST_PACKETS_KEPT];
};

struct first_packets *first_packets_new(uint64_t key)
{
	struct first_packets *p = xcalloc(1, sizeof(*p));
	p->key = key;
	p->known = first_sight_new(UINT32_MAX);
	return p;
}

void first_packets_free(struct first_packets *p)
{
	if (!p)
		return;
	first_sight_free(p->known);
	free(p);
}

static uint64_t hash_source(
    const struct first_packets *p, const struct addr *src)
{
	struct addr unit = *src;
	if (unit.family == 6)
		memset(unit.bytes + 8, 0, 8);
	return addr_hash(&unit, p->key);
}

/* Where it is, or could be; NULL: four others are there. */
static struct first_packet *find_place(
    struct first_packets *p, const struct addr *src, enum signature worm)
{
	uint64_t hash = hash_mix(hash_source(p, src), (uint64_t)worm);
	for (size_t i = 0; i < PLACES; i++) {
		struct first_packet *at =
		    &p->places[(hash + i) % FIRST_PACKETS_KEPT];
		if (at->len == 0 ||
		    (at->worm == worm && table_same_unit(&at->src, src)))
			return at;
	}
	return NULL;
}

void first_packets_offer(struct first_packets *p, const struct packet *packet,
    enum signature worm, struct walltime at)
{
	struct first_packet *to = find_place(p, &packet->src, worm);
	if (!to || to->len > 0 || !packet->ip || packet->ip_caplen == 0)
		return;
	size_t len = packet->ip_caplen;
	if (packet->ip_len > 0 && len > packet->ip_len)
		len = packet->ip_len; /* what follows is the link's */
	to->len =
	    (uint16_t)(len < FIRST_PACKET_OCTETS ? len : FIRST_PACKET_OCTETS);
	memcpy(to->octets, packet->ip, to->len);
	to->src = packet->src;
	to->worm = worm;
	to->at = at;
	to->wire_len = packet->ip_len;
	p->kept++;
}

static bool is_accusing(enum verdict verdict)
{
	return verdict == VERDICT_WORM || verdict == VERDICT_SCAN ||
	    verdict == VERDICT_FLOOD;
}

const struct first_packet *first_packets_take(
    struct first_packets *p, const struct finding *f)
{
	bool other = !is_accusing(f->verdict);
	if (f->sources > 0 || f->evicted || !f->rule || f->src.family == 0 ||
	    p->given == FIRST_PACKETS_MOST ||
	    (other && p->others == FIRST_PACKETS_OTHERS))
		return NULL;
	/* A tool's signature is known of the source, not of a packet. */
	const struct first_packet *at = find_place(p, &f->src, f->signature);
	if (!at || at->len == 0)
		at = find_place(p, &f->src, SIGNATURE_NONE);
	if (!at || at->len == 0)
		return NULL;
	uint64_t key = hash_fnv_text(hash_source(p, &f->src), f->rule);
	if (first_sight_ask(p->known, key, 0) != FIRST_SIGHT_REPORT)
		return NULL;
	p->given++;
	p->others += other;
	return at;
}

void first_packets_clear(struct first_packets *p)
{
	if (p->kept > 0)
		for (size_t i = 0; i < FIRST_PACKETS_KEPT; i++)
			p->places[i].len = 0;
	p->kept = p->given = p->others = 0;
}
