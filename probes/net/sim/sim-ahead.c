/* SPDX-License-Identifier: ISC */
/*
 * Most routers of a large world do nothing but forward, over links that only
 * take their time.  What they do to a packet follows from the packet alone, so
 * many of them are passed at once: the delays add up, the TTL falls, and the
 * checksum is made again at the end.  What it reads lies close together: a
 * world of 100,000 routers is larger than a processor's cache.
 */
#include <stdlib.h>

#include "lib/base/xalloc.h"
#include "probes/net/sim/sim-ahead.h"
#include "probes/net/sim/sim-reply.h"
#include "probes/net/sim/sim-route.h"

static bool is_plain_link(const struct sim_link *how)
{
	return how->jitter_ns == 0 && how->loss == 0 && how->duplicate == 0 &&
	    how->rate_bps == 0 && how->mtu_bytes == 0 && !how->down;
}

static bool is_plain_router(const struct sim_node *node)
{
	const struct sim_behaviour *how = node->how;
	return !node->host && !node->routed && !how->hidden &&
	    !how->deny_protos && !how->drop_protos && !how->reject_protos &&
	    !how->inject_reset && !how->redirect && !how->quench &&
	    !how->tos_clear && !how->tos_set && !how->nat[0].family &&
	    !how->nat[1].family && how->stateful_ns <= 0;
}

void sim_note_plain(struct sim_world *w)
{
	w->plain = xcalloc(w->node_count + (size_t)1, sizeof(*w->plain));
	w->ways = xcalloc(w->edge_count + (size_t)1, sizeof(*w->ways));
	for (uint32_t i = 0; i < w->node_count; i++)
		w->plain[i] = is_plain_router(&w->nodes[i]);
	for (uint32_t i = 0; i < w->edge_count; i++) {
		const struct sim_edge *e = &w->edges[i];
		bool plain =
		    is_plain_link(e->how) && !w->nodes[e->to].how->down;
		w->ways[i] =
		    (struct sim_way){ plain ? e->delay_ns : -1, e->to };
	}
}

/* Over one link, and what is known of its other end. */
static struct sim_jump lengthen(
    const struct sim_jump *rest, uint32_t node, uint32_t edge, int64_t delay_ns)
{
	if (rest->hops == 0)
		return (struct sim_jump){ delay_ns, node, edge, 1 };
	return (struct sim_jump){ rest->delay_ns + delay_ns, rest->node, edge,
		rest->hops + 1 };
}

void sim_gather_jumps(
    struct sim_world *w, bool back, const struct sim_nearest *nearest)
{
	const struct sim_hops *h = back ? &w->to_vantage : &w->from_vantage;
	struct sim_jump **to = back ? &w->back : &w->up;
	if (w->in_order)
		return;
	free(*to);
	*to = xcalloc(w->node_count + (size_t)1, sizeof(**to));
	for (size_t i = 0; i < nearest->count; i++) {
		uint32_t node = nearest->nodes[i];
		if (h->at[node + 1] - h->at[node] != 1)
			continue;
		uint64_t hop = h->hops[h->at[node]];
		uint32_t other = (uint32_t)(hop >> 32), edge = (uint32_t)hop;
		if (!w->plain[back ? node : other] ||
		    w->ways[edge].delay_ns < 0)
			continue;
		const struct sim_jump *rest = &(*to)[other];
		struct sim_jump jump =
		    lengthen(rest, other, edge, w->ways[edge].delay_ns);
		if (back && rest->hops > 0)
			jump.edge = rest->edge;
		(*to)[node] = jump;
	}
}

static void lower_ttl(struct sim_flight *f, uint8_t by)
{
	if (f->bytes[0] >> 4 == 6) {
		f->bytes[7] = (uint8_t)(f->bytes[7] - by);
		return;
	}
	f->bytes[8] = (uint8_t)(f->bytes[8] - by);
	sim_ip_checksum(f->bytes);
}

/* Where the packet is, and what it has passed. */
struct walk {
	int64_t delay_ns;
	uint32_t node, edge, hops;
};

static bool walk_edge(const struct sim_world *w, struct walk *k, uint32_t edge)
{
	if (edge == SIM_NONE || w->ways[edge].delay_ns < 0)
		return false;
	k->delay_ns += w->ways[edge].delay_ns;
	k->edge = edge;
	k->node = w->ways[edge].to;
	k->hops++;
	return true;
}

static bool walk_jump(
    struct walk *k, const struct sim_jump *jump, uint32_t end, uint32_t ttl)
{
	if (jump->hops == 0 || ttl <= k->hops + jump->hops)
		return false;
	k->delay_ns += jump->delay_ns;
	k->edge = jump->edge;
	k->node = end;
	k->hops += jump->hops;
	return true;
}

/* One step, or several, towards the vantage. */
static bool walk_back(struct sim_world *w, struct walk *k,
    const struct packet *packet, uint64_t serial, uint32_t ttl)
{
	const struct sim_jump *jump = &w->back[k->node];
	return walk_jump(k, jump, jump->node, ttl) ||
	    walk_edge(
		w, k, sim_plain_edge(w, k->node, packet, w->vantage, serial));
}

/* The same away from it.  All paths to owner go by where the jump to it begins,
 * so those to there are looked at first: many nodes share them. */
static bool walk_away(struct sim_world *w, struct walk *k,
    const struct packet *packet, uint32_t owner, uint64_t serial, uint32_t ttl)
{
	const struct sim_jump *jump = &w->up[owner];
	if (jump->hops > 0 && k->node == jump->node &&
	    walk_jump(k, jump, owner, ttl))
		return true;
	uint32_t edge = SIM_NONE;
	if (jump->hops > 0 && k->node != jump->node)
		edge = sim_plain_edge(w, k->node, packet, jump->node, serial);
	if (edge == SIM_NONE)
		edge = sim_plain_edge(w, k->node, packet, owner, serial);
	return walk_edge(w, k, edge);
}

void sim_pass_plain(struct sim_world *w, struct sim_flight *f,
    const struct packet *packet, uint32_t owner)
{
	/* Where a packet begins it keeps its TTL. */
	uint32_t begins = f->edge == SIM_NONE;
	uint32_t ttl = f->bytes[f->bytes[0] >> 4 == 6 ? 7 : 8] + begins;
	struct walk k = { 0, f->node, f->edge, 0 };
	while (k.node != owner && owner != SIM_NONE && w->plain[k.node] &&
	    ttl > k.hops + 1) {
		bool went = owner == w->vantage
		    ? walk_back(w, &k, packet, f->serial, ttl)
		    : walk_away(w, &k, packet, owner, f->serial, ttl);
		if (!went)
			break;
	}
	f->at_ns += k.delay_ns;
	f->node = k.node;
	f->edge = k.edge;
	if (k.hops > begins)
		lower_ttl(f, (uint8_t)(k.hops - begins));
}
