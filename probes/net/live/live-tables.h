/* SPDX-License-Identifier: ISC */
/*
 * Which packets go the same way: those to one prefix of the kernel's tables,
 * unless rules look at more of a packet than its destination, or routes are
 * balanced.  So a sweep asks the kernel once a prefix and not once a target.
 * Pure; what is in it comes from dumps (live-route.c).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "probes/net/live/netlink.h"
#include "probes/net/net.h"

#define LIVE_TABLES_MAX 4096 /* prefixes; of more nothing is known */

struct live_tables {
	struct live_tables_entry {
		struct prefix prefix;
		bool balanced;
	} * entries; /* longest first, then by address; owned */
	size_t count;
	bool overflow;
	bool flow_matters; /* rules look at protocol, ports or class */
};

void live_tables_clear(struct live_tables *tables);
/* A message of a dump of routes or of rules, of one family. */
void live_tables_add(
    struct live_tables *tables, const struct netlink_message *message);
/* All was added. */
void live_tables_finish(struct live_tables *tables);
/* Makes of the flow the one that stands for all that go its way; how many bits
 * of dst they share is returned.  `least` bits are kept whatever the tables
 * say. */
unsigned live_tables_reduce(
    const struct live_tables *tables, struct net_flow *flow, unsigned least);
