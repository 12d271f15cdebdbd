/* SPDX-License-Identifier: ISC */
/* What a simulated internet remembers of what happened in it: buckets,
 * counters, conversations. */
#pragma once

#include "probes/net/sim/sim-reply.h"

enum sim_purpose {
	SIM_CELL_LIMIT = 1,
	SIM_CELL_LIMIT_GLOBAL,
	SIM_CELL_IP_ID,
	SIM_CELL_CONVERSATION,
	SIM_CELL_NAT,
	SIM_CELL_SERVICE,
	SIM_CELL_TCP
};

/* The cell of a key, never NULL and valid until the next call; *fresh when it
 * was made now, with zeros.  Bounded: a world that would need more forgets
 * them all. */
struct sim_cell *sim_cell_get(struct sim_world *world, enum sim_purpose purpose,
    uint32_t node, uint64_t key, bool *fresh);

/* What the node's clock says at a time of the true one. */
struct walltime sim_clock(
    const struct sim_world *world, uint32_t node, int64_t now_ns);

/* May the node send one more ICMP error (or echo reply) about this packet? */
bool sim_limit_take(const struct sim_arrival *arrival, bool echo);

/* The IPv4 identification of the next packet from src. */
uint16_t sim_ip_id_next(
    const struct sim_arrival *arrival, const struct addr *src);
