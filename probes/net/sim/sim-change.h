/* SPDX-License-Identifier: ISC */
/* What becomes otherwise at a stated time. */
#pragma once

#include "probes/net/sim/sim.h"

struct sim_change {
	int64_t at_ns; /* of virtual time since the start */
	enum {
		SIM_CHANGE_LINK,
		SIM_CHANGE_NODE,
		SIM_CHANGE_ROUTE,
		SIM_CHANGE_PATHS /* routers have agreed on paths */
	} kind;
	uint32_t node, edge;
	const void *how, *back; /* kept by the world */
	struct sim_route route; /* its edges are the change's */
	bool forget;            /* the route is taken away */
};

/* In the order of their times, and of the file where those are equal.  Takes
 * over route.edges; false: there are too many. */
bool sim_change_add(struct sim_world *world, const struct sim_change *change);
/* The last behaviour of a node, or of an edge, that was stated so far. */
const struct sim_behaviour *sim_stated_node(
    const struct sim_world *world, uint32_t node);
const struct sim_link *sim_stated_link(
    const struct sim_world *world, uint32_t edge);
/* Makes what is due by then (since the start). */
void sim_changes_until(struct sim_world *world, int64_t ns);
void sim_changes_free(struct sim_world *world);
