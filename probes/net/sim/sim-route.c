/* SPDX-License-Identifier: ISC */
/*
 * Which way a packet goes.  Distances from and to the vantage are computed
 * once; a destination's equal-cost paths are found when the first packet asks
 * for it, by walking back from the destination over edges that fit the
 * distances: the work is the size of those paths, not of the internet.  The
 * same is kept for each further vantage point, as far as there is room; what is
 * on neither's paths goes by every node's distance to the destination.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/base/vec.h"
#include "lib/base/xalloc.h"
#include "probes/net/sim/sim-index.h"
#include "probes/net/sim/sim-route.h"

#define FAR UINT32_MAX
#define DISTANCES_MAX                                          \
	((size_t)256 << 20) /* octets; beyond it, from scratch \
			     */

/* Octets of what is kept for further vantage points. */
#define VIEWS_MAX ((size_t)256 << 20)

struct sim_paths {
	uint32_t *dist; /* owned; every node's distance to the place, made
			   when a static route leads off the paths */
	uint32_t count;
	uint64_t hops[]; /* sorted: the node, then the edge to take */
};

/* The paths from a further vantage point. */
struct sim_view {
	struct sim_hops hops;     /* from it, as world->from_vantage */
	struct sim_paths **paths; /* owned; by place, made when needed */
};

double sim_draw(const struct sim_world *w, uint64_t a, uint64_t b)
{
	return (double)(hash_mix(hash_mix(w->seed, a), b) >> 11) * 0x1p-53;
}

/* Distance and node, smallest first. */
struct heap {
	uint64_t *items;
	size_t count;
};

static void heap_push(struct heap *h, uint32_t dist, uint32_t node)
{
	uint64_t item = (uint64_t)dist << 32 | node;
	size_t i = h->count++;
	for (; i > 0 && h->items[(i - 1) / 2] > item; i = (i - 1) / 2)
		h->items[i] = h->items[(i - 1) / 2];
	h->items[i] = item;
}

static uint64_t heap_pop(struct heap *h)
{
	uint64_t top = h->items[0], last = h->items[--h->count];
	size_t i = 0;
	for (size_t child; (child = 2 * i + 1) < h->count; i = child) {
		if (child + 1 < h->count &&
		    h->items[child + 1] < h->items[child])
			child++;
		if (h->items[child] >= last)
			break;
		h->items[i] = h->items[child];
	}
	h->items[i] = last;
	return top;
}

static uint32_t edges_of(
    const struct sim_world *w, uint32_t node, const uint32_t **edges)
{
	*edges = w->adjacency + w->nodes[node].edges_at;
	return w->nodes[node + 1].edges_at - w->nodes[node].edges_at;
}

/* Fills dist with each node's distance from root (backwards: to root).  Hosts
 * forward nothing, so no path goes on from one. */
static void distances(
    const struct sim_world *w, uint32_t root, bool backwards, uint32_t *dist)
{
	struct heap heap = { xreallocarray(NULL, w->edge_count + (size_t)2,
				 sizeof(uint64_t)),
		0 };
	memset(dist, 0xff, (w->node_count + (size_t)1) * sizeof(*dist));
	dist[root] = 0;
	heap_push(&heap, 0, root);
	while (heap.count > 0) {
		uint64_t top = heap_pop(&heap);
		uint32_t node = (uint32_t)top;
		if (dist[node] != top >> 32 ||
		    (w->nodes[node].host && node != root))
			continue;
		const uint32_t *edges;
		uint32_t count = edges_of(w, node, &edges);
		for (uint32_t i = 0; i < count; i++) {
			uint32_t edge = edges[i], to = w->edges[edge].to;
			if (w->edges[edge].how->down)
				continue;
			uint64_t d = (top >> 32) +
			    w->edges[backwards ? edge ^ 1 : edge].how->cost;
			if (d >= dist[to])
				continue;
			dist[to] = (uint32_t)d;
			heap_push(&heap, (uint32_t)d, to);
		}
	}
	free(heap.items);
}

/* Does edge lie on a shortest path from root, of which these are the
 * distances? */
static bool on_shortest(const struct sim_world *w, uint32_t root,
    const uint32_t *dist, uint32_t edge)
{
	const struct sim_edge *e = &w->edges[edge];
	uint64_t from = dist[e->from];
	return from != FAR && !e->how->down &&
	    from + e->how->cost == dist[e->to] &&
	    (!w->nodes[e->from].host || e->from == root);
}

/* Does edge bring a packet to the vantage nearer to it? */
static bool on_way_back(const struct sim_world *w, uint32_t edge)
{
	const struct sim_edge *e = &w->edges[edge];
	return w->dist_to[e->to] != FAR && !e->how->down &&
	    (!w->nodes[e->to].host || e->to == w->vantage) &&
	    (uint64_t)w->dist_to[e->to] + e->how->cost == w->dist_to[e->from];
}

/* Into each node on shortest paths from a vantage, or out of each to the first;
 * what paths are made of, for every packet and place. */
static void gather_hops(const struct sim_world *w, struct sim_hops *h,
    uint32_t root, const uint32_t *dist, bool back)
{
	size_t count = 0;
	sim_hops_free(h);
	h->forks = xcalloc_lines(w->node_count + (size_t)1, sizeof(*h->forks));
	for (uint32_t node = 0; node < w->node_count; node++) {
		const uint32_t *edges;
		uint32_t all = edges_of(w, node, &edges);
		struct sim_fork *fork = &h->forks[node];
		fork->at = (uint32_t)count;
		for (uint32_t i = 0; i < all; i++) {
			uint32_t edge = back ? edges[i] : edges[i] ^ 1;
			if (back ? !on_way_back(w, edge)
				 : !on_shortest(w, root, dist, edge))
				continue;
			const struct sim_edge *e = &w->edges[edge];
			VEC_ROOM(h->more, count);
			h->more[count++] =
			    (uint64_t)(back ? e->to : e->from) << 32 | edge;
		}
		fork->count = (uint32_t)count - fork->at;
		if (fork->count == 0 || fork->count > SIM_HOPS_FEW)
			continue;
		count = fork->at;
		memcpy(
		    fork->few, h->more + count, fork->count * sizeof(*h->more));
	}
}

void sim_hops_free(struct sim_hops *h)
{
	free(h->forks);
	free(h->more);
	*h = (struct sim_hops){ 0 };
}

void sim_jumps_free(struct sim_world *w)
{
	for (uint32_t i = 0; w->up && i < w->node_count; i++)
		sim_paths_free(w->up[i].meeting);
	free(w->up);
	free(w->back);
	w->up = w->back = NULL;
}

void sim_views_free(struct sim_world *w)
{
	for (uint32_t i = 0; i < SIM_MAX_VANTAGES; i++) {
		struct sim_view *v = w->views[i];
		if (!v)
			continue;
		for (uint32_t j = 0; j < w->node_count; j++)
			sim_paths_free(v->paths[j]);
		sim_hops_free(&v->hops);
		free(v->paths);
		free(v);
		w->views[i] = NULL;
	}
	w->views_bytes = 0;
}

/* Is there room for so much more? */
static bool views_room(struct sim_world *w, size_t size)
{
	if (w->views_bytes + size > VIEWS_MAX)
		return false;
	w->views_bytes += size;
	return true;
}

/* NULL: there is no room for it. */
static struct sim_view *view_of(struct sim_world *w, uint32_t number)
{
	size_t nodes = w->node_count + (size_t)1;
	size_t size = nodes * (sizeof(struct sim_paths *) + sizeof(uint32_t)) +
	    (size_t)w->edge_count * sizeof(uint64_t);
	if (w->views[number] || !views_room(w, size))
		return w->views[number];
	struct sim_view *v = w->views[number] = xcalloc(1, sizeof(*v));
	uint32_t *dist = xcalloc(nodes, sizeof(*dist));
	distances(w, w->vantages[number], false, dist);
	gather_hops(w, &v->hops, w->vantages[number], dist, false);
	free(dist);
	v->paths = xcalloc(nodes, sizeof(struct sim_paths *));
	return v;
}

void sim_distances(struct sim_world *w)
{
	size_t count = w->node_count + (size_t)1;
	if (!w->found) {
		w->dist_from = xcalloc(count, sizeof(*w->dist_from));
		w->dist_to = xcalloc(count, sizeof(*w->dist_to));
		w->todo = xcalloc(count, sizeof(*w->todo));
		w->found =
		    xcalloc(w->edge_count + (size_t)1, sizeof(*w->found));
	}
	for (uint32_t i = 0; i < w->node_count; i++) {
		sim_paths_free(w->paths[i]);
		w->paths[i] = NULL;
	}
	sim_jumps_free(w);
	w->distances_bytes = 0;
	sim_views_free(w);
	distances(w, w->vantage, false, w->dist_from);
	gather_hops(w, &w->from_vantage, w->vantage, w->dist_from, false);
	distances(w, w->vantage, true, w->dist_to);
	gather_hops(w, &w->to_vantage, w->vantage, w->dist_to, true);
}

/* Both kinds of 64-bit items sort by their upper half first. */
static int by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
	return x < y ? -1 : x > y;
}

/* Most paths are short: no call for each comparison. */
static void sort_hops(uint64_t *hops, uint32_t count)
{
	enum { FEW = 48 };
	if (count > FEW) {
		qsort(hops, count, sizeof(*hops), by_value);
		return;
	}
	for (uint32_t i = 1; i < count; i++) {
		uint64_t hop = hops[i];
		uint32_t at = i;
		for (; at > 0 && hops[at - 1] > hop; at--)
			hops[at] = hops[at - 1];
		hops[at] = hop;
	}
}

/* The paths to place from the vantage whose hops these are, or only from a node
 * that all go by. */
static struct sim_paths *paths_make(struct sim_world *w,
    const struct sim_hops *h, uint32_t place, uint32_t from_node)
{
	size_t waiting = 0;
	uint32_t count = 0, mark = ++w->mark;
	h->forks[from_node].mark = mark;
	h->forks[place].mark = mark;
	w->todo[waiting++] = place;
	while (waiting > 0) {
		const struct sim_fork *fork = &h->forks[w->todo[--waiting]];
		const uint64_t *hops = sim_hops_of(h, fork);
		for (uint32_t i = 0; i < fork->count; i++) {
			uint32_t from = (uint32_t)(hops[i] >> 32);
			struct sim_fork *next = &h->forks[from];
			w->found[count++] = hops[i];
			if (next->mark == mark)
				continue;
			next->mark = mark;
			w->todo[waiting++] = from;
			/* For the nodes before, and the walk that follows. */
			for (int j = 0; j < SIM_HOPS_FEW; j++)
				__builtin_prefetch(
				    &h->forks[next->few[j] >> 32]);
			if (w->ways)
				__builtin_prefetch(&w->ways[(uint32_t)hops[i]]);
		}
	}
	struct sim_paths *p = xmalloc(sizeof(*p) + count * sizeof(*p->hops));
	p->count = count;
	p->dist = NULL;
	if (count > 0)
		memcpy(p->hops, w->found, count * sizeof(*p->hops));
	sort_hops(p->hops, count);
	return p;
}

void sim_paths_free(struct sim_paths *p)
{
	if (!p)
		return;
	free(p->dist);
	free(p);
}

/* However wide a balancer is: counted first, then gone through again to the one
 * that is wanted. */
struct choices {
	uint32_t count, wanted, edge;
};

static void choose_from(struct choices *c, uint32_t edge)
{
	if (c->count++ == c->wanted)
		c->edge = edge;
}

/* Edges of node that bring a packet nearer to the place, by a table of
 * distances to it. */
static void choices_by_distance(const struct sim_world *w, uint32_t node,
    uint32_t place, const uint32_t *dist, struct choices *c)
{
	const uint32_t *edges;
	uint32_t count = edges_of(w, node, &edges);
	for (uint32_t i = 0; i < count && dist[node] != FAR; i++) {
		const struct sim_edge *e = &w->edges[edges[i]];
		if (dist[e->to] != FAR && !e->how->down &&
		    (!w->nodes[e->to].host || e->to == place) &&
		    (uint64_t)dist[e->to] + e->how->cost == dist[node])
			choose_from(c, edges[i]);
	}
}

static struct sim_paths *paths_to(struct sim_world *w, uint32_t place)
{
	if (!w->paths[place])
		w->paths[place] =
		    paths_make(w, &w->from_vantage, place, w->vantage);
	return w->paths[place];
}

/* The same from a further vantage; NULL: there is no room for them. */
static struct sim_paths *paths_from(
    struct sim_world *w, uint32_t number, uint32_t place)
{
	struct sim_view *v = view_of(w, number);
	if (!v || v->paths[place] || w->views_bytes >= VIEWS_MAX)
		return v ? v->paths[place] : NULL;
	struct sim_paths *p =
	    paths_make(w, &v->hops, place, w->vantages[number]);
	w->views_bytes += sizeof(*p) + p->count * sizeof(*p->hops);
	return v->paths[place] = p;
}

/* Where the node's hops begin, if it has any. */
static uint32_t paths_find(const struct sim_paths *p, uint32_t node)
{
	uint32_t low = 0, high = p->count;
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		if (p->hops[middle] >> 32 < node)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void forget_distances(struct sim_world *w)
{
	for (uint32_t i = 0; i < w->node_count; i++) {
		if (!w->paths[i])
			continue;
		free(w->paths[i]->dist);
		w->paths[i]->dist = NULL;
	}
	w->distances_bytes = 0;
}

/* Of every node to a place. */
static const uint32_t *distances_to(struct sim_world *w, uint32_t place)
{
	struct sim_paths *p = paths_to(w, place);
	size_t size = (w->node_count + (size_t)1) * sizeof(*p->dist);
	if (p->dist)
		return p->dist;
	if (w->distances_bytes + size > DISTANCES_MAX)
		forget_distances(w);
	w->distances_bytes += size;
	p->dist = xmalloc(size);
	distances(w, place, true, p->dist);
	return p->dist;
}

bool sim_is_nearer(
    struct sim_world *w, uint32_t node, uint32_t place, uint32_t other)
{
	uint32_t far = distances_to(w, other)[node];
	return distances_to(w, place)[node] < far;
}

static void choices_on(
    const struct sim_paths *p, uint32_t node, struct choices *c)
{
	for (uint32_t i = paths_find(p, node);
	     i < p->count && p->hops[i] >> 32 == node; i++)
		choose_from(c, (uint32_t)p->hops[i]);
}

/* view: the number of the vantage that the packet is from, or 0. */
static void choices_to(struct sim_world *w, uint32_t node, uint32_t place,
    uint32_t view, struct choices *c)
{
	if (place == w->vantage) {
		const struct sim_fork *fork = &w->to_vantage.forks[node];
		const uint64_t *hops = sim_hops_of(&w->to_vantage, fork);
		for (uint32_t i = 0; i < fork->count; i++)
			choose_from(c, (uint32_t)hops[i]);
		return;
	}
	const struct sim_paths *p =
	    view > 0 ? paths_from(w, view, place) : paths_to(w, place);
	if (p)
		choices_on(p, node, c);
	if (c->count > 0 || !w->any_way)
		return;
	choices_by_distance(w, node, place, distances_to(w, place), c);
}

static const struct sim_route *route_find(
    const struct sim_world *w, uint32_t node, const struct addr *dst)
{
	const struct sim_route *best = NULL;
	for (uint32_t i = 0; i < w->route_count; i++) {
		const struct sim_route *r = &w->routes[i];
		if (r->node == node && prefix_has(&r->prefix, dst) &&
		    (!best || r->prefix.len > best->prefix.len))
			best = r;
	}
	return best;
}

static uint64_t addr_words(uint64_t h, const struct addr *a)
{
	uint64_t words[2];
	memcpy(words, a->bytes, sizeof(words));
	return hash_mix(hash_mix(h, words[0]), words[1]);
}

/* The four octets after the IP header, as they were on the wire. */
static uint64_t first_four(const struct packet *p)
{
	if (p->proto == PACKET_TCP || p->proto == PACKET_UDP)
		return (uint64_t)p->sport << 16 | p->dport;
	return (uint64_t)p->icmp_type << 24 | (uint64_t)p->icmp_code << 16 |
	    p->l4_checksum;
}

static uint64_t flow_hash(const struct sim_world *w, uint32_t node,
    const struct packet *p, uint64_t serial)
{
	const struct sim_behaviour *how = w->nodes[node].how;
	uint64_t h = hash_mix(w->seed ^ 0xec30, node);
	if (how->hash == SIM_HASH_PACKET)
		return hash_mix(h, serial);
	h = addr_words(addr_words(h, &p->src), &p->dst);
	bool ports = p->proto == PACKET_TCP || p->proto == PACKET_UDP;
	if (how->hash != SIM_HASH_ADDRESSES)
		h = hash_mix(h, p->proto);
	if (how->hash == SIM_HASH_FIRST_FOUR ||
	    (how->hash == SIM_HASH_FIVE_TUPLE && ports))
		h = hash_mix(h, first_four(p));
	if (how->hash_flow_label)
		h = hash_mix(h, p->flow_label);
	if (how->hash_tos)
		h = hash_mix(h, p->tos);
	return h;
}

static struct choices choices_of(struct sim_world *w, uint32_t node,
    const struct sim_route *route, uint32_t place, uint32_t view,
    uint32_t wanted)
{
	struct choices c = { .wanted = wanted, .edge = SIM_NONE };
	const uint32_t *edges;
	if (route)
		for (uint32_t i = 0; i < route->edge_count; i++) {
			if (!w->edges[route->edges[i]].how->down)
				choose_from(&c, route->edges[i]);
		}
	else if (place != SIM_NONE)
		choices_to(w, node, place, view, &c);
	/* A host sends what it does not know to its first neighbour. */
	if (c.count == 0 && !route && w->nodes[node].host) {
		uint32_t count = edges_of(w, node, &edges);
		for (uint32_t i = 0; i < count && c.count == 0; i++)
			if (!w->edges[edges[i]].how->down)
				choose_from(&c, edges[i]);
	}
	return c;
}

/* A host's packet from the address of one of its links leaves by that link. */
static uint32_t edge_of_source(
    const struct sim_world *w, uint32_t node, const struct addr *src)
{
	const uint32_t *edges;
	uint32_t count = edges_of(w, node, &edges);
	for (uint32_t i = 0; i < count && count > 1; i++) {
		const struct sim_edge *e = &w->edges[edges[i]];
		uint32_t at = e->addr[src->family == 6];
		if (at != SIM_NONE && !e->how->down &&
		    addr_equal(&w->owners[at].addr, src))
			return edges[i];
	}
	return SIM_NONE;
}

/* The number of the vantage that sends the packet; of others 0. */
static uint32_t view_number(
    const struct sim_world *w, uint32_t node, const struct packet *packet)
{
	if (w->vantage_count < 2)
		return 0;
	uint32_t sender =
	    sim_is_vantage(w, node) ? node : sim_addr_owner(w, &packet->src);
	uint32_t i = w->vantage_count - 1;
	while (i > 0 && w->vantages[i] != sender)
		i--;
	return i;
}

uint32_t sim_next_edge(struct sim_world *w, uint32_t node,
    const struct packet *packet, uint32_t owner, uint64_t serial, bool *drop)
{
	const uint32_t *edges;
	*drop = false;
	if (w->nodes[node].host && !w->nodes[node].routed &&
	    edges_of(w, node, &edges) == 1)
		return w->edges[edges[0]].how->down ? SIM_NONE : edges[0];
	const struct sim_route *route =
	    w->nodes[node].routed ? route_find(w, node, &packet->dst) : NULL;
	uint32_t place = route ? SIM_NONE : owner;
	*drop = route && route->drop;
	if (sim_is_vantage(w, node)) {
		uint32_t edge = edge_of_source(w, node, &packet->src);
		if (edge != SIM_NONE)
			return edge;
	}
	uint32_t view = view_number(w, node, packet);
	struct choices c = choices_of(w, node, route, place, view, 0);
	if (c.count < 2)
		return c.edge;
	uint64_t hash = flow_hash(w, node, packet, serial);
	return choices_of(w, node, route, place, view, hash % c.count).edge;
}

static uint32_t choose_plain(const struct sim_world *w, uint32_t node,
    const struct packet *packet, uint64_t serial, const uint64_t *hops,
    uint32_t count)
{
	if (count < 2)
		return count == 0 ? SIM_NONE : (uint32_t)hops[0];
	uint64_t hash = flow_hash(w, node, packet, serial);
	return (uint32_t)hops[hash % count];
}

static uint32_t choose_on(const struct sim_world *w, const struct sim_paths *p,
    uint32_t node, const struct packet *packet, uint64_t serial)
{
	uint32_t at = paths_find(p, node), end = at;
	while (end < p->count && p->hops[end] >> 32 == node)
		end++;
	return choose_plain(w, node, packet, serial, p->hops + at, end - at);
}

uint32_t sim_plain_edge(struct sim_world *w, uint32_t node,
    const struct packet *packet, uint32_t owner, uint64_t serial)
{
	if (owner != w->vantage)
		return choose_on(w, paths_to(w, owner), node, packet, serial);
	const struct sim_fork *fork = &w->to_vantage.forks[node];
	return choose_plain(w, node, packet, serial,
	    sim_hops_of(&w->to_vantage, fork), fork->count);
}

uint32_t sim_meeting_edge(struct sim_world *w, uint32_t node,
    const struct packet *packet, uint32_t meeting, uint64_t serial)
{
	struct sim_jump *up = &w->up[meeting];
	if (!up->meeting)
		up->meeting =
		    paths_make(w, &w->from_vantage, meeting, up->before);
	return choose_on(w, up->meeting, node, packet, serial);
}
