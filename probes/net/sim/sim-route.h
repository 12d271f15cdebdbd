/* SPDX-License-Identifier: ISC */
/* Which way a packet goes, and what chance does to it. */
#pragma once

#include "probes/net/sim/sim.h"

void sim_distances(struct sim_world *world);
void sim_paths_free(struct sim_paths *paths);
void sim_hops_free(struct sim_hops *hops);
void sim_jumps_free(struct sim_world *world);
void sim_views_free(struct sim_world *world);
/* The edge by which packet, for an address of owner's, leaves node; serial
 * stands for the packet itself.  SIM_NONE: no route, and *drop: silently. */
uint32_t sim_next_edge(struct sim_world *world, uint32_t node,
    const struct packet *packet, uint32_t owner, uint64_t serial, bool *drop);
/* The same of a router that has no static route; SIM_NONE: none of the shortest
 * paths between the vantage and owner leads on from there. */
uint32_t sim_plain_edge(struct sim_world *world, uint32_t node,
    const struct packet *packet, uint32_t owner, uint64_t serial);
/* Is it less far from node to place than to the other? */
bool sim_is_nearer(
    struct sim_world *world, uint32_t node, uint32_t place, uint32_t other);
/* The same to a node where paths meet, from those between its jump's before
 * and it. */
uint32_t sim_meeting_edge(struct sim_world *world, uint32_t node,
    const struct packet *packet, uint32_t meeting, uint64_t serial);
/* A number in [0, 1) from a seed and a place. */
double sim_draw(const struct sim_world *world, uint64_t a, uint64_t b);
