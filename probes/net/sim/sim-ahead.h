/* SPDX-License-Identifier: ISC */
/* Routers that only forward, passed in one go. */
#pragma once

#include "probes/net/sim/sim-move.h"

/* Notes which routers and links only forward: nothing about them depends on
 * chance, on the time or on other packets.  Of a finished world. */
void sim_note_plain(struct sim_world *world);

/* Nodes, the nearest to the vantage first. */
struct sim_nearest {
	uint32_t *nodes;
	size_t count;
};
/* Finds the jumps towards the vantage (back), or from it, once the hops of that
 * direction are known. */
void sim_gather_jumps(
    struct sim_world *world, bool back, const struct sim_nearest *nearest);

/* Moves a packet, which is at a router, through it and those behind it, as far
 * as they only forward.  packet is what the flight holds, but for the TTL. */
void sim_pass_plain(struct sim_world *world, struct sim_flight *flight,
    const struct packet *packet, uint32_t owner);
