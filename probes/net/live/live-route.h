/* SPDX-License-Identifier: ISC */
/*
 * By which way a packet leaves this host: the kernel is asked over
 * rtnetlink(7) for the very packet (its protocol, ports, class of service and
 * mark), and the answer is kept by flow until the kernel tells that routes,
 * rules, addresses or devices changed, or for some seconds, for there are
 * changes that it does not tell (what redirects and path MTU discovery taught
 * it, a router that went silent).  Sockets are opened once.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/addr.h"
#include "lib/base/clock.h"
#include "lib/base/err.h"
#include "probes/net/live/live-links.h"
#include "probes/net/live/live-tables.h"
#include "probes/net/live/netlink.h"
#include "probes/net/net.h"

struct live_routes {
	int ask_fd;
	int news_fd; /* becomes readable when something changed */
	int table_fd;
	struct live_tables tables[2]; /* IPv4, IPv6 */
	uint32_t tables_of;           /* the generation that they are of */
	struct monotime tables_at;
	bool
	    many_sources6; /* the kernel chooses by destination among several */
	struct net_choice wish; /* of every packet */
	bool by_uid;            /* the sockets that send are uid's, and not of
				   who asks */
	uint32_t uid;
	bool no_protocol; /* live_message_has_protocol is false */
	bool relist;      /* the list of devices must be read again */
	bool used;        /* since devices were looked at */
	struct monotime look_at;
	uint32_t seq;
	uint32_t generation; /* of what is known */
	struct live_links links;
	struct live_route_slot *slots; /* owned */
	uint64_t asked;                /* questions so far */
	char last[2][NET_DEVICE_LEN];  /* that IPv4, IPv6 packets left by */
};

/* Before it is opened; may be closed. */
#define LIVE_ROUTES_CLOSED \
	((struct live_routes){ .ask_fd = -1, .news_fd = -1, .table_fd = -1 })

/* wish is copied. */
int live_routes_open(struct live_routes *routes, const struct net_choice *wish,
    struct errmsg *msg);
/* The same with sockets that speak rtnetlink, which it takes over; a negative
 * one is why there is none. */
int live_routes_init(struct live_routes *routes, int ask_fd, int news_fd,
    const struct net_choice *wish, struct errmsg *msg);
void live_routes_close(struct live_routes *routes);
/* Reads the kernel's news, if there is any. */
void live_routes_update(struct live_routes *routes, struct monotime now);
/* What is known may be wrong: ask again. */
void live_routes_doubt(struct live_routes *routes);

/* As net_ops' route. */
int live_routes_find(struct live_routes *routes, const struct net_flow *flow,
    struct monotime now, struct net_route *route);

/* The link-layer address of a neighbour on an Ethernet, if the kernel knows
 * it. */
bool live_routes_neighbour(struct live_routes *routes, uint32_t device,
    const struct addr *address, uint8_t mac[static 6]);

/* How long a packet to dst may be by this way, asked now; 0: not known. */
uint32_t live_routes_mtu(struct live_routes *routes,
    const struct net_route *route, const struct addr *dst);
