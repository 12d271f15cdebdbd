/* SPDX-License-Identifier: ISC */
/* Packets on their way: what moves them, and where they end. */
#pragma once

#include "probes/net/net.h"
#include "probes/net/sim/sim-queue.h"
#include "probes/net/sim/sim.h"

struct sim_flight {
	int64_t at_ns;
	uint64_t serial;     /* stands for the packet where chance decides */
	uint32_t node, edge; /* arrives where, over which; SIM_NONE: begins */
	bool copy;           /* a link made it of another, and will not again */
	bool home;           /* it is the vantage's, where it arrives */
	uint32_t len;
	struct sim_flight *next_spare;
	uint8_t bytes[];
};

/* What the vantage is told of next: a packet, or what became of one that it
 * sent. */
struct sim_notice {
	struct sim_flight *flight; /* owned; NULL: a transmit stamp, */
	int64_t at_ns;
	uint32_t cookie; /* of this, */
	int err;         /* which was not sent, */
	uint32_t mtu;    /* being longer than this */
};

struct sim {
	struct sim_world *world;
	struct sim_queue moving;  /* flights, owned */
	struct sim_flight *spare; /* owned: of FLIGHT_ROOM octets, for others */
	size_t moving_octets;     /* of theirs */
	struct sim_notice *inbox; /* owned */
	size_t inbox_count, inbox_room;
	int64_t now_ns;
	struct monotime began;
	uint64_t serials;
	struct net_counters counters;
};

/* A packet at a node where it begins; owned by the caller until it moves. */
struct sim_flight *sim_flight_new(struct sim *s, const void *bytes, size_t len,
    uint64_t serial, uint32_t node);
void sim_flight_free(struct sim *s, struct sim_flight *f);
/* Takes over the flight: it arrives at its time. */
void sim_move_later(struct sim *s, struct sim_flight *f);
/* The next flight that arrives somewhere by then, or NULL. */
struct sim_flight *sim_take_next(struct sim *s, int64_t until_ns);
/* Takes over a flight that begins at its time: at once, where nothing depends
 * on the order of packets. */
void sim_begin(struct sim *s, struct sim_flight *f);
/* Takes over a flight that is at its node now. */
void sim_arrive(struct sim *s, struct sim_flight *f);
/* Takes over notice->flight. */
void sim_inbox_add(struct sim *s, const struct sim_notice *notice);
