/* SPDX-License-Identifier: ISC */
/* Routers that only forward, passed in one go. */
#pragma once

#include "probes/net/sim/sim-move.h"

/* Notes which routers and links only forward (nothing about them depends on
 * chance, on the time or on other packets), and where paths that are made of
 * them have no branch or meet.  Once, after sim_distances. */
void sim_note_plain(struct sim_world *world);

/* Moves a packet, which is at a router, through it and those behind it, as far
 * as they only forward.  packet is what the flight holds, but for the TTL. */
void sim_pass_plain(struct sim_world *world, struct sim_flight *flight,
    const struct packet *packet, uint32_t owner);

/* A packet to owner, or SIM_NONE, will soon be passed: what is known of the
 * owner is on its way to the cache until then. */
void sim_fetch_plain(const struct sim_world *world, uint32_t owner);
/* The same of what packets to these will pass. */
void sim_fetch_ways(
    const struct sim_world *world, const uint32_t *owners, size_t count);
/* A flight will soon be at its node and answered there: the same of the way
 * back; for sim_queue.fetch. */
void sim_fetch_back(const void *world, const struct sim_flight *flight);
