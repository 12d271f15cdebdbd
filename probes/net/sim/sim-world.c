/* SPDX-License-Identifier: ISC */
/*
 * The tables of a simulated internet.  Everything is an index into an array
 * that grows, so that 100,000 routers are a few allocations and names and
 * addresses are found by open hashing.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/base/vec.h"
#include "lib/base/xalloc.h"
#include "probes/net/sim/sim-ahead.h"
#include "probes/net/sim/sim-change.h"
#include "probes/net/sim/sim-index.h"
#include "probes/net/sim/sim-route.h"
#include "probes/net/sim/sim-world.h"

struct sim_world *sim_world_new(void)
{
	struct sim_world *w = xcalloc(1, sizeof(*w));
	w->max_nodes = SIM_MAX_NODES;
	w->vantage = SIM_NONE;
	w->seed = 1;
	w->start.ns = INT64_C(1767225600) * NS_PER_S; /* 2026-01-01 */
	return w;
}

void sim_world_free(struct sim_world *w)
{
	if (!w)
		return;
	for (uint32_t i = 0; w->paths && i < w->node_count; i++)
		sim_paths_free(w->paths[i]);
	sim_jumps_free(w);
	for (uint32_t i = 0; i < w->route_count; i++)
		free(w->routes[i].edges);
	for (size_t i = 0; i < w->kept_count; i++)
		free(w->kept[i]);
	free(w->kept);
	free(w->nodes);
	free(w->edges);
	free(w->owners);
	free(w->blocks);
	free(w->routes);
	free(w->names);
	free(w->by_name);
	free(w->by_addr);
	free(w->recent);
	free(w->perhaps);
	free(w->adjacency);
	free(w->dist_from);
	free(w->dist_to);
	sim_views_free(w);
	sim_hops_free(&w->from_vantage);
	sim_hops_free(&w->to_vantage);
	free(w->paths);
	free(w->ids_given);
	free(w->todo);
	free(w->found);
	free(w->plain);
	free(w->ways);
	free(w->cells);
	sim_changes_free(w);
	free(w);
}

void *sim_world_keep(struct sim_world *w, const void *from, size_t size)
{
	VEC_ROOM(w->kept, w->kept_count);
	return w->kept[w->kept_count++] = xmemdup(from, size);
}

static uint32_t name_keep(struct sim_world *w, const char *name)
{
	size_t len = strlen(name) + 1, at = w->names_len;
	size_t cap = 4096;
	while (cap < at)
		cap *= 2;
	if (at == 0 || at + len > cap) {
		while (cap < at + len)
			cap *= 2;
		w->names = xreallocarray(w->names, cap, 1);
	}
	memcpy(w->names + at, name, len);
	w->names_len = at + len;
	return (uint32_t)at;
}

uint32_t sim_node_add(struct sim_world *w, const char *name,
    const struct sim_behaviour *how, bool host)
{
	if (w->node_count >= w->max_nodes || sim_node_find(w, name) != SIM_NONE)
		return SIM_NONE;
	VEC_ROOM(w->nodes, w->node_count);
	uint32_t node = w->node_count++;
	w->nodes[node] = (struct sim_node){
		.how = how,
		.name = name_keep(w, name),
		.addr = { SIM_NONE, SIM_NONE },
		.host = host,
		.ip_id_salt = (uint16_t)hash_mix(w->seed, node),
	};
	sim_name_insert(w, node);
	return node;
}

static void edge_add(
    struct sim_world *w, uint32_t from, uint32_t to, const struct sim_link *how)
{
	VEC_ROOM(w->edges, w->edge_count);
	uint32_t at = w->edge_count++;
	int64_t spread = how->delay_hi_ns - how->delay_lo_ns;
	w->edges[at] = (struct sim_edge){
		.how = how,
		.from = from,
		.to = to,
		.addr = { SIM_NONE, SIM_NONE },
		/* both directions draw the same */
		.delay_ns = how->delay_lo_ns +
		    (int64_t)(sim_draw(w, 0xde1a, at / 2) * (double)spread),
	};
}

uint32_t sim_link_add(struct sim_world *w, uint32_t a, uint32_t b,
    const struct sim_link *there, const struct sim_link *back)
{
	uint32_t at = w->edge_count;
	edge_add(w, a, b, there);
	edge_add(w, b, a, back);
	return at;
}

uint32_t sim_edge_between(const struct sim_world *w, uint32_t from, uint32_t to)
{
	for (uint32_t i = w->edge_count; i-- > 0;)
		if (w->edges[i].from == from && w->edges[i].to == to)
			return i;
	return SIM_NONE;
}

/* Groups the edges by the node they leave; the last node ends at edge_count,
 * for which one more node is kept. */
static void adjacency_make(struct sim_world *w)
{
	w->nodes = xreallocarray(
	    w->nodes, w->node_count + (size_t)1, sizeof(*w->nodes));
	memset(&w->nodes[w->node_count], 0, sizeof(*w->nodes));
	w->adjacency =
	    xcalloc(w->edge_count + (size_t)1, sizeof(*w->adjacency));
	uint32_t *fill = xcalloc(w->node_count + (size_t)1, sizeof(*fill));
	for (uint32_t i = 0; i < w->edge_count; i++)
		fill[w->edges[i].from]++;
	uint32_t at = 0;
	for (uint32_t i = 0; i <= w->node_count; i++) {
		w->nodes[i].edges_at = at;
		at += fill[i];
		fill[i] = w->nodes[i].edges_at;
	}
	for (uint32_t i = 0; i < w->edge_count; i++)
		w->adjacency[fill[w->edges[i].from]++] = i;
	free(fill);
}

/* What of the world keeps packets from running ahead of others, or leads
 * them elsewhere than the vantage's shortest paths. */
static void note_order(struct sim_world *w)
{
	w->any_way = w->route_count > 0 || w->change_count > 0;
	w->in_order = w->change_count > 0;
	for (uint32_t i = 0; i < w->edge_count; i++) {
		const struct sim_edge *e = &w->edges[i];
		w->in_order |= e->how->rate_bps > 0 || e->how->mtu_bytes > 0;
		w->any_way |= e->how->down;
	}
	for (uint32_t i = 0; i < w->node_count; i++) {
		const struct sim_behaviour *how = w->nodes[i].how;
		bool nat = how->nat[0].family || how->nat[1].family;
		w->any_way |= nat;
		w->in_order |= nat || how->stateful_ns > 0;
	}
}

static int find_vantage(
    const struct sim_world *w, const char *name, struct errmsg *msg)
{
	uint32_t node = sim_node_find(w, name);
	if (node != SIM_NONE)
		return (int)node;
	return err_set(msg, ERR_CONFIG, "no node is called '%.60s'", name);
}

int sim_world_finish(
    struct sim_world *w, const char *vantage, struct errmsg *msg)
{
	int node = vantage ? find_vantage(w, vantage, msg) : 0;
	if (node < 0)
		return node;
	if (vantage)
		w->vantage = (uint32_t)node;
	if (w->vantage == SIM_NONE)
		return err_set(msg, ERR_CONFIG,
		    "no vantage: expected a line 'vantage NAME ADDRESS...'");
	w->vantages[w->vantage_count++] = w->vantage;
	note_order(w);
	adjacency_make(w);
	w->paths =
	    xcalloc(w->node_count + (size_t)1, sizeof(struct sim_paths *));
	w->ids_given =
	    xcalloc(w->node_count + (size_t)1, sizeof(*w->ids_given));
	sim_distances(w);
	sim_note_plain(w);
	return 0;
}

int sim_world_join(struct sim_world *w, const char *vantage, struct errmsg *msg)
{
	int node = find_vantage(w, vantage, msg);
	if (node < 0)
		return node;
	if (sim_is_vantage(w, (uint32_t)node))
		return err_set(msg, ERR_CONFIG,
		    "'%.60s' is one of the vantage points already", vantage);
	if (w->vantage_count == SIM_MAX_VANTAGES)
		return err_set(msg, ERR_LIMIT,
		    "expected at most %d vantage points at once",
		    SIM_MAX_VANTAGES);
	w->vantages[w->vantage_count++] = (uint32_t)node;
	w->in_order = w->any_way = true;
	return node;
}
