/* SPDX-License-Identifier: ISC */
/*
 * Flows are kept as hashes in a table with one place for each: a later flow
 * pushes an earlier one out, and the worst that happens is that one answer is
 * read as backscatter.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/base/hash.h"
#include "lib/base/xalloc.h"
#include "probes/sensor/local-hosts.h"

struct flow {
	uint64_t hash;
	int64_t last_ns;
};

struct local_hosts {
	struct prefix *prefixes;
	size_t count;
	uint64_t key;
	struct flow *flows; /* made when a local host first sends */
};

struct local_hosts *local_hosts_new(
    const struct prefix *prefixes, size_t count, uint64_t key)
{
	struct local_hosts *h = xcalloc(1, sizeof(*h));
	h->count = count;
	h->key = key;
	h->prefixes = xcalloc(count ? count : 1, sizeof(*prefixes));
	if (count)
		memcpy(h->prefixes, prefixes, count * sizeof(*prefixes));
	return h;
}

void local_hosts_free(struct local_hosts *h)
{
	if (!h)
		return;
	free(h->prefixes);
	free(h->flows);
	free(h);
}

bool local_hosts_has(const struct local_hosts *h, const struct addr *a)
{
	for (size_t i = 0; i < h->count; i++)
		if (prefix_has(&h->prefixes[i], a))
			return true;
	return false;
}

struct flow_ends {
	const struct addr *local, *other;
	uint16_t local_port, other_port;
	uint8_t proto;
};

static uint64_t flow_hash(
    const struct local_hosts *h, const struct flow_ends *e)
{
	uint64_t ports = (uint64_t)e->local_port << 32 |
	    (uint64_t)e->other_port << 8 | e->proto;
	return addr_hash(e->local, h->key ^ ports) ^
	    addr_hash(e->other, ~h->key) * HASH_GOLDEN;
}

/* Echo messages have one number for both ends; the rest of ICMP has none. */
static struct flow_ends ends_of(const struct packet *p, bool from_home)
{
	bool icmp = p->proto == PACKET_ICMP || p->proto == PACKET_ICMP6;
	uint16_t src_port = icmp ? p->icmp_id : p->sport;
	uint16_t dst_port = icmp ? p->icmp_id : p->dport;
	if (from_home)
		return (struct flow_ends){ &p->src, &p->dst, src_port, dst_port,
			p->proto };
	return (
	    struct flow_ends){ &p->dst, &p->src, dst_port, src_port, p->proto };
}

void local_hosts_sent(
    struct local_hosts *h, const struct packet *p, struct walltime at)
{
	if (packet_is_icmp_error(p) ||
	    (p->proto == PACKET_TCP && p->tcp_flags & PACKET_TCP_RST))
		return;
	if (!h->flows)
		h->flows = xcalloc(LOCAL_FLOWS, sizeof(*h->flows));
	struct flow_ends ends = ends_of(p, true);
	uint64_t hash = flow_hash(h, &ends);
	h->flows[hash % LOCAL_FLOWS] = (struct flow){ hash, at.ns };
}

static bool knows(
    const struct local_hosts *h, const struct flow_ends *e, struct walltime at)
{
	uint64_t hash = flow_hash(h, e);
	const struct flow *f = &h->flows[hash % LOCAL_FLOWS];
	int64_t age_ns = walltime_diff(at, (struct walltime){ f->last_ns });
	return f->hash == hash && age_ns <= LOCAL_FLOW_NS;
}

bool local_hosts_expects(
    const struct local_hosts *h, const struct packet *p, struct walltime at)
{
	struct packet quoted;
	if (!h->flows || !local_hosts_has(h, &p->dst))
		return false;
	struct flow_ends ends = ends_of(p, false);
	if (packet_is_icmp_error(p)) {
		if (packet_decode_quote(&quoted, p) != 0)
			return false;
		ends = ends_of(&quoted, true);
	}
	return knows(h, &ends, at);
}
