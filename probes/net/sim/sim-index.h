/* SPDX-License-Identifier: ISC */
/* Nodes by name, addresses by owner. */
#pragma once

#include "probes/net/sim/sim.h"

void sim_name_insert(struct sim_world *world, uint32_t node);
uint32_t sim_node_find(const struct sim_world *world, const char *name);
const char *sim_node_name(const struct sim_world *world, uint32_t node);
/* Index of the address, or SIM_NONE when another node has it. */
uint32_t sim_addr_add(
    struct sim_world *world, const struct addr *addr, uint32_t node);
uint32_t sim_addr_index(const struct sim_world *world, const struct addr *a);
/* Whose address is it; SIM_NONE: no node's. */
uint32_t sim_addr_owner(const struct sim_world *world, const struct addr *a);
