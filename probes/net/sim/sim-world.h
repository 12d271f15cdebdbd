/* SPDX-License-Identifier: ISC */
/* A simulated internet in the making. */
#pragma once

#include "probes/net/sim/sim.h"

struct sim_world *sim_world_new(void);
void sim_world_free(struct sim_world *world);
void *sim_world_keep(struct sim_world *world, const void *from, size_t size);
/* SIM_NONE when the name is taken or the world is full. */
uint32_t sim_node_add(struct sim_world *world, const char *name,
    const struct sim_behaviour *how, bool host);
/* The first of two edges, one each way. */
uint32_t sim_link_add(struct sim_world *world, uint32_t a, uint32_t b,
    const struct sim_link *there, const struct sim_link *back);
uint32_t sim_edge_between(
    const struct sim_world *world, uint32_t from, uint32_t to);
/* After the last edge: adjacency and the distances from the vantage, the first
 * that is stated when it is NULL. */
int sim_world_finish(
    struct sim_world *world, const char *vantage, struct errmsg *msg);
/* One more vantage of a finished world; its node is returned, or an error as
 * above or for one that is there already.  From now on each packet goes from
 * node to node in the order of time. */
int sim_world_join(
    struct sim_world *world, const char *vantage, struct errmsg *msg);
