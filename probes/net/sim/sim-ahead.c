/* SPDX-License-Identifier: ISC */
/*
 * Most routers of a large world do nothing but forward, over links that only
 * take their time.  What they do to a packet follows from the packet alone, so
 * many of them are passed at once: the delays add up, the TTL falls, and the
 * checksum is made again at the end.  What it reads lies close together: a
 * world of 100,000 routers is larger than a processor's cache.
 */
#include <stdlib.h>
#include <string.h>

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

/* Nodes that are reached, the nearest to the vantage first. */
struct nearest {
	uint64_t *nodes; /* owned: the distance, then the node */
	size_t count;
};

static int by_distance(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
	return x < y ? -1 : x > y;
}

static struct nearest nearest_of(
    const struct sim_world *w, const uint32_t *dist)
{
	struct nearest n = {
		xcalloc(w->node_count + (size_t)1, sizeof(*n.nodes)), 0
	};
	for (uint32_t i = 0; i < w->node_count; i++)
		if (dist[i] != UINT32_MAX)
			n.nodes[n.count++] = (uint64_t)dist[i] << 32 | i;
	qsort(n.nodes, n.count, sizeof(*n.nodes), by_distance);
	return n;
}

/* Over one link, and what is known of its other end. */
static struct sim_jump lengthen(
    const struct sim_jump *rest, uint32_t node, uint32_t edge, int64_t delay_ns)
{
	struct sim_jump jump = {
		.delay_ns = delay_ns, .node = node, .edge = edge, .hops = 1
	};
	if (rest->hops > 0) {
		jump.delay_ns += rest->delay_ns;
		jump.node = rest->node;
		jump.hops += rest->hops;
	}
	return jump;
}

static void gather_jumps(
    struct sim_world *w, bool back, const struct nearest *nearest)
{
	const struct sim_hops *h = back ? &w->to_vantage : &w->from_vantage;
	struct sim_jump **to = back ? &w->back : &w->up;
	*to = xcalloc_lines(w->node_count + (size_t)1, sizeof(**to));
	for (size_t i = 0; i < nearest->count; i++) {
		uint32_t node = (uint32_t)nearest->nodes[i];
		if (h->forks[node].count != 1)
			continue;
		uint64_t hop = h->forks[node].few[0];
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

/* What the paths to both go by, if it is known: the one that is farther away
 * goes back until they meet (Cooper, Harvey and Kennedy, A simple, fast
 * dominance algorithm, 2001; one pass is enough, as paths have no cycles). */
static uint32_t meet(
    const struct sim_jump *up, const uint32_t *rank, uint32_t a, uint32_t b)
{
	while (a != b && a != SIM_NONE && b != SIM_NONE)
		if (rank[a] > rank[b])
			a = up[a].before;
		else
			b = up[b].before;
	return a == b ? a : SIM_NONE;
}

static void gather_meetings(struct sim_world *w, const struct nearest *nearest)
{
	const struct sim_hops *h = &w->from_vantage;
	uint32_t *rank = xcalloc(w->node_count + (size_t)1, sizeof(*rank));
	for (uint32_t i = 0; i < w->node_count; i++)
		w->up[i].before = SIM_NONE;
	for (uint32_t i = 0; i < nearest->count; i++)
		rank[(uint32_t)nearest->nodes[i]] = i;
	for (size_t i = 0; i < nearest->count; i++) {
		uint32_t node = (uint32_t)nearest->nodes[i];
		const struct sim_fork *fork = &h->forks[node];
		const uint64_t *hops = sim_hops_of(h, fork);
		uint32_t *by = &w->up[node].before;
		for (uint32_t j = 0; j < fork->count; j++) {
			uint32_t from = (uint32_t)(hops[j] >> 32);
			/* Links that cost nothing may lead round. */
			if (rank[from] >= rank[node])
				from = SIM_NONE;
			*by = j == 0 ? from : meet(w->up, rank, *by, from);
			if (*by == SIM_NONE)
				break;
		}
	}
	free(rank);
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
	if (w->in_order)
		return;
	struct nearest from = nearest_of(w, w->dist_from);
	gather_jumps(w, false, &from);
	gather_meetings(w, &from);
	free(from.nodes);
	struct nearest to = nearest_of(w, w->dist_to);
	gather_jumps(w, true, &to);
	free(to.nodes);
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
struct sim_walk {
	int64_t delay_ns;
	uint32_t node, edge, hops;
};

static bool walk_edge(
    const struct sim_world *w, struct sim_walk *k, uint32_t edge)
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
    struct sim_walk *k, const struct sim_jump *jump, uint32_t end, uint32_t ttl)
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
static bool walk_back(struct sim_world *w, struct sim_walk *k,
    const struct packet *packet, uint64_t serial, uint32_t ttl)
{
	const struct sim_jump *jump = &w->back[k->node];
	return walk_jump(k, jump, jump->node, ttl) ||
	    walk_edge(
		w, k, sim_plain_edge(w, k->node, packet, w->vantage, serial));
}

/* One link, or several to the next place where paths meet: a jump to there, or
 * the paths between it and what they all go by.  Such places have few paths,
 * which all nodes behind them share. */
static bool walk_stage(struct sim_world *w, struct sim_walk *k,
    const struct packet *packet, uint32_t end, uint64_t serial, uint32_t ttl)
{
	if (w->up[end].hops > 0)
		return walk_jump(k, &w->up[end], end, ttl);
	while (k->node != end)
		if (!w->plain[k->node] || ttl <= k->hops + 1 ||
		    !walk_edge(w, k,
			sim_meeting_edge(w, k->node, packet, end, serial)))
			return false;
	return true;
}

/* Away from the vantage to owner, by the places that all paths there go by. */
static void walk_stages(struct sim_world *w, struct sim_walk *k,
    const struct packet *packet, uint32_t owner, uint64_t serial, uint32_t ttl)
{
	enum { STAGES = 64 };
	uint32_t ends[STAGES], count = 0, at = owner;
	while (at != k->node && at != SIM_NONE && count < STAGES) {
		ends[count++] = at;
		const struct sim_jump *up = &w->up[at];
		at = up->hops > 0 ? up->node : up->before;
	}
	bool on = at == k->node;
	while (on && count > 0)
		on = walk_stage(w, k, packet, ends[--count], serial, ttl);
}

void sim_pass_plain(struct sim_world *w, struct sim_flight *f,
    const struct packet *packet, uint32_t owner)
{
	/* Where a packet begins it keeps its TTL. */
	uint32_t begins = f->edge == SIM_NONE;
	uint32_t ttl = f->bytes[f->bytes[0] >> 4 == 6 ? 7 : 8] + begins;
	struct sim_walk k = { 0, f->node, f->edge, 0 };
	if (owner == SIM_NONE)
		return;
	if (owner != w->vantage)
		walk_stages(w, &k, packet, owner, f->serial, ttl);
	while (k.node != owner && w->plain[k.node] && ttl > k.hops + 1) {
		bool went = owner == w->vantage
		    ? walk_back(w, &k, packet, f->serial, ttl)
		    : walk_edge(w, &k,
			  sim_plain_edge(w, k.node, packet, owner, f->serial));
		if (!went)
			break;
	}
	f->at_ns += k.delay_ns;
	f->node = k.node;
	f->edge = k.edge;
	if (k.hops > begins)
		lower_ttl(f, (uint8_t)(k.hops - begins));
}

void sim_fetch_plain(const struct sim_world *w, uint32_t owner)
{
	if (owner == SIM_NONE || w->in_order)
		return;
	__builtin_prefetch(&w->up[owner]);
	__builtin_prefetch(&w->from_vantage.forks[owner]);
	__builtin_prefetch(&w->plain[owner]);
	__builtin_prefetch(&w->nodes[owner]);
}

/* Each step needs what the one before it read: those of many packets at a time
 * are waited for together. */
void sim_fetch_ways(
    const struct sim_world *w, const uint32_t *owners, size_t count)
{
	enum { MOST = 64, STEPS = 6 };
	uint32_t at[MOST];
	if (w->in_order)
		return;
	if (count > MOST)
		count = MOST;
	memcpy(at, owners, count * sizeof(*at));
	for (int step = 0; step < STEPS; step++)
		for (size_t i = 0; i < count; i++) {
			if (at[i] == SIM_NONE)
				continue;
			const struct sim_jump *up = &w->up[at[i]];
			if (up->hops == 0 && up->meeting)
				__builtin_prefetch(up->meeting);
			at[i] = up->hops > 0 ? up->node : up->before;
			if (at[i] == SIM_NONE)
				continue;
			__builtin_prefetch(&w->up[at[i]]);
			__builtin_prefetch(&w->from_vantage.forks[at[i]]);
		}
}

void sim_fetch_back(const void *world, const struct sim_flight *f)
{
	const struct sim_world *w = world;
	if (f->home || w->in_order) {
		__builtin_prefetch(f->bytes + 16);
		return;
	}
	__builtin_prefetch(&w->nodes[f->node]);
	__builtin_prefetch(&w->back[f->node]);
	__builtin_prefetch(&w->to_vantage.forks[f->node]);
	__builtin_prefetch(&w->plain[f->node]);
	__builtin_prefetch(&w->ids_given[f->node], 1);
}
