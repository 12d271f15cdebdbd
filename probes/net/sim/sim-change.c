/* SPDX-License-Identifier: ISC */
/* Links that fail, routes that move, routers that are configured otherwise:
 * each at its time, between the packets before and after it. */
#include <stdlib.h>
#include <string.h>

#include "lib/base/vec.h"
#include "probes/net/sim/sim-change.h"
#include "probes/net/sim/sim-route.h"

#define CHANGES_MAX 10000

bool sim_change_add(struct sim_world *w, const struct sim_change *change)
{
	if (w->change_count == CHANGES_MAX)
		return false;
	VEC_ROOM(w->changes, w->change_count);
	size_t at = w->change_count++;
	for (; at > 0 && w->changes[at - 1].at_ns > change->at_ns; at--)
		w->changes[at] = w->changes[at - 1];
	w->changes[at] = *change;
	return true;
}

const struct sim_behaviour *sim_stated_node(
    const struct sim_world *w, uint32_t node)
{
	for (size_t i = w->change_count; i-- > 0;)
		if (w->changes[i].kind == SIM_CHANGE_NODE &&
		    w->changes[i].node == node)
			return w->changes[i].how;
	return w->nodes[node].how;
}

const struct sim_link *sim_stated_link(const struct sim_world *w, uint32_t edge)
{
	for (size_t i = w->change_count; i-- > 0;)
		if (w->changes[i].kind == SIM_CHANGE_LINK &&
		    (w->changes[i].edge | 1) == (edge | 1))
			return w->changes[i].edge == edge ? w->changes[i].how
							  : w->changes[i].back;
	return w->edges[edge].how;
}

static void move_delay(struct sim_edge *e, const struct sim_link *how)
{
	if (how->delay_lo_ns != e->how->delay_lo_ns ||
	    how->delay_hi_ns != e->how->delay_hi_ns)
		e->delay_ns = how->delay_lo_ns;
	e->how = how;
}

/* The old one stays with the change, which frees it. */
static void change_route(struct sim_world *w, struct sim_change *c)
{
	struct sim_route *route = NULL;
	for (uint32_t i = 0; i < w->route_count && !route; i++)
		if (w->routes[i].node == c->route.node &&
		    w->routes[i].prefix.len == c->route.prefix.len &&
		    addr_equal(
			&w->routes[i].prefix.addr, &c->route.prefix.addr))
			route = &w->routes[i];
	if (c->forget && route) {
		struct sim_route last = w->routes[--w->route_count];
		c->route = *route;
		*route = last;
		if (route == &w->routes[w->route_count])
			w->routes[w->route_count] = (struct sim_route){ 0 };
	} else if (!c->forget && route) {
		struct sim_route old = *route;
		*route = c->route;
		c->route = old;
	} else if (!c->forget) {
		VEC_ROOM(w->routes, w->route_count);
		w->routes[w->route_count++] = c->route;
		c->route = (struct sim_route){ 0 };
	}
}

static void make_change(struct sim_world *w, struct sim_change *c)
{
	switch (c->kind) {
	case SIM_CHANGE_NODE: w->nodes[c->node].how = c->how; break;
	case SIM_CHANGE_LINK:
		move_delay(&w->edges[c->edge], c->how);
		move_delay(&w->edges[c->edge ^ 1], c->back);
		break;
	case SIM_CHANGE_ROUTE:
		w->nodes[c->route.node].routed = true;
		change_route(w, c);
		break;
	case SIM_CHANGE_PATHS: sim_distances(w); break;
	}
}

void sim_changes_until(struct sim_world *w, int64_t ns)
{
	while (w->changes_made < w->change_count &&
	    w->changes[w->changes_made].at_ns <= ns)
		make_change(w, &w->changes[w->changes_made++]);
}

void sim_changes_free(struct sim_world *w)
{
	for (size_t i = 0; i < w->change_count; i++)
		free(w->changes[i].route.edges);
	free(w->changes);
}
