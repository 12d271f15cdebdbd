/* SPDX-License-Identifier: ISC */
/*
 * The internet of the seeded data: four providers of five routers, five
 * agents; one link congested for the last two hours, one lossy, a router
 * that answers little, one that never does, one with MPLS.
 */
#pragma once

#include <stdint.h>

#include "tests/web/synth.h"

enum { NET_AGENTS = 5, NET_ROUTERS = 20 };

/* A generator of our own: the same seed gives the same data everywhere. */
struct dice {
	uint64_t state;
};
double dice_unit(struct dice *dice); /* 0 <= x < 1 */
double dice_exponential(struct dice *dice, double mean);
uint32_t dice_poisson(struct dice *dice, double mean);

struct net_when {
	int64_t wall_ns;
	int64_t before_end_s; /* how long before the end of the data */
};

const char *net_agent_name(unsigned agent);
void net_agent_addr(unsigned agent, uint8_t to[static 4]);

/* Adds one trace or ping from one agent to another. */
void net_trace(struct synth *by, unsigned from, unsigned to,
    const Sonde__Record *frame, const struct net_when *when, struct dice *dice);
void net_ping(struct synth *by, unsigned from, unsigned to,
    const Sonde__Record *frame, const struct net_when *when, struct dice *dice);
