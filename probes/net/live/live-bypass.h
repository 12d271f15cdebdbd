/* SPDX-License-Identifier: ISC */
/*
 * Packets of a sweep by the shortest way: through a packet socket straight to
 * the device, past queueing disciplines, packet filters and transmit stamps.
 * Only where none of these has a say: no filter or translator looks at what
 * this host sends, and the device's queue neither shapes nor delays.
 * Only to a router whose link-layer address the kernel knows; it is asked again
 * each second, when some packets go the long way so that the kernel keeps the
 * neighbour alive.
 */
#pragma once

#include "probes/net/live/live-hooks.h"
#include "probes/net/live/live-route.h"

struct live_bypass {
	int fd; /* -1: there is none */
	struct live_hooks hooks;
	struct monotime asked_at;
	uint32_t device;
	struct addr next_hop;
	bool known;
	uint8_t mac[6]; /* of next_hop */
};

/* Without the privilege there is none. */
void live_bypass_open(struct live_bypass *bypass);
void live_bypass_close(struct live_bypass *bypass);

/* How many packets from the first on can go to one next hop by it, now. */
size_t live_bypass_run(struct live_bypass *bypass, struct live_routes *routes,
    const struct net_send *packets, size_t count, struct monotime now);
/* Sends such packets; how many left. */
size_t live_bypass_send(
    struct live_bypass *bypass, const struct net_send *packets, size_t count);
