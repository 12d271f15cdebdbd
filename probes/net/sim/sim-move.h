/* SPDX-License-Identifier: ISC */
/* Packets on their way: what moves them, and where they end. */
#pragma once

#include "lib/base/timer.h"
#include "probes/net/net.h"
#include "probes/net/sim/sim.h"

struct sim_flight {
	struct timer timer; /* first */
	int64_t at_ns;
	uint64_t serial;     /* stands for the packet where chance decides */
	uint32_t node, edge; /* arrives where, over which; SIM_NONE: begins */
	uint32_t cookie;
	bool sent;    /* in the inbox: a transmit stamp, not a packet */
	bool copy;    /* a link made it of another, and will not again */
	int err;      /* of the stamp: it was not sent, */
	uint32_t mtu; /* being longer than this */
	size_t len;
	uint8_t bytes[];
};

struct sim {
	struct sim_world *world;
	struct timers moving;      /* flights, owned */
	struct sim_flight **inbox; /* owned */
	size_t inbox_count, inbox_cap;
	int64_t now_ns;
	struct monotime began;
	uint64_t serials;
	struct net_counters counters;
};

/* A packet at a node where it begins; owned by the caller until it moves. */
struct sim_flight *sim_flight_new(
    const void *bytes, size_t len, uint64_t serial, uint32_t node);
/* Takes over the flight: it arrives at its time. */
void sim_move_later(struct sim *s, struct sim_flight *f);
/* The next flight that arrives somewhere by then, or NULL. */
struct sim_flight *sim_take_next(struct sim *s, int64_t until_ns);
/* Takes over a flight that is at its node now. */
void sim_arrive(struct sim *s, struct sim_flight *f);
/* Takes over what the vantage is told of next. */
void sim_inbox_add(struct sim *s, struct sim_flight *f);
