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
	bool home;           /* it is a vantage's, where it arrives */
	bool answers;        /* it was sent in answer to another */
	uint16_t hops;       /* nodes that sent it on */
	uint32_t len;
	struct sim_flight *next_spare;
	uint8_t bytes[];
};

/* What a vantage is told of next: a packet, or what became of one that it
 * sent. */
struct sim_notice {
	struct sim_flight *flight; /* owned; NULL: a transmit stamp, */
	int64_t at_ns;
	uint32_t cookie; /* of this, */
	int err;         /* which was not sent, */
	uint32_t mtu;    /* being longer than this */
};

/* A vantage whose guardian is there: what net_ops calls a context.  What
 * several send at one instant leaves when all wait, those of the first station
 * first, so that nothing depends on which of them is faster. */
struct sim_station {
	struct sim *sim;
	uint32_t number, node;
	struct sim_notice *inbox; /* owned */
	size_t inbox_count, inbox_room;
	struct sim_flight **leaving; /* owned */
	size_t leaving_count, leaving_room;
	bool waits;       /* for time to pass, */
	int64_t until_ns; /* until then at most */
	uint64_t serials;
	uint32_t *own; /* owned: its IPv4 addresses, among the owners */
	uint32_t own_count;
	uint32_t uplinks; /* its links */
	bool guarded;     /* which may refuse packets */
	struct net_counters counters;
};

struct sim {
	struct sim_world *world;
	struct sim_queue moving;  /* flights, owned */
	struct sim_flight *spare; /* owned: of FLIGHT_ROOM octets, for others */
	size_t moving_octets;     /* of theirs */
	struct sim_station *stations[SIM_MAX_VANTAGES]; /* NULL: it is gone */
	uint32_t station_count, stations_open;
	int64_t now_ns;
	struct monotime began;
	uint64_t dropped;
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
void sim_inbox_add(
    struct sim_station *station, const struct sim_notice *notice);
