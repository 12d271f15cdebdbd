/* SPDX-License-Identifier: ISC */
/*
 * Messages of rtnetlink(7), as far as routes and devices need them: what the
 * kernel is asked and what its answers say.  Pure; no length in an answer is
 * believed.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "probes/net/net.h"

#define NETLINK_ASK_MAX 256

/* A packet that is to be routed. */
struct netlink_question {
	struct addr dst, src; /* src: family 0 lets the kernel choose */
	uint8_t proto;        /* IPPROTO_*; 0: none that a rule names */
	uint8_t tos;
	uint16_t sport, dport;
	uint32_t flow_label, mark, device; /* 0: none */
	bool by_uid;                       /* of this user; else of who asks */
	uint32_t uid;
};

/* Its way.  Where there is none, err says why and nothing else is set. */
struct netlink_route {
	int err;
	struct addr src, next_hop; /* family 0: not said; on the link */
	uint32_t device, mtu;      /* 0: not said */
	bool local;                /* it ends at this host */
	struct prefix to;          /* of a dump: what is routed so */
	bool balanced;             /* over several next hops */
	bool by_class;             /* to one class of service only */
};

/* A rule that says which table a packet is looked up in. */
struct netlink_rule {
	struct prefix to; /* family 0: to any */
	bool by_flow;     /* it looks at protocol, ports, class or what we do
			     not know */
};

struct netlink_link {
	uint32_t index, mtu;
	char name[NET_DEVICE_LEN];
	uint16_t type; /* ARPHRD_* */
	bool is_up, has_carrier, gone;
	bool has_counts;
	uint64_t lost; /* received frames that it or the kernel could not
			  take, ever */
	bool shaped;   /* its discipline may be set to shape or delay */
	bool unqueued; /* packets do not wait for it: no queueing discipline */
};

/* What the kernel knows of a neighbour on an Ethernet. */
struct netlink_neighbour {
	bool usable; /* mac is right, as far as it knows */
	uint8_t mac[6];
};

enum netlink_kind {
	NETLINK_IS_ROUTE, /* route */
	NETLINK_IS_RULE,  /* rule */
	NETLINK_IS_LINK,  /* link */
	NETLINK_IS_NEIGHBOUR,
	NETLINK_IS_QDISC, /* some device's queueing discipline changed */
	NETLINK_IS_DONE,  /* a dump has ended */
	NETLINK_IS_ERROR, /* err, 0: an acknowledgement */
	NETLINK_IS_OTHER
};

struct netlink_message {
	enum netlink_kind kind;
	uint32_t seq;
	union {
		struct netlink_route route;
		struct netlink_rule rule;
		struct netlink_link link;
		struct netlink_neighbour neighbour;
		int err;
	};
};

/* The next message in `bytes` of `len` from *at, which moves on; false at the
 * end, or where no message can be. */
bool netlink_next(const uint8_t *bytes, size_t len, size_t *at,
    struct netlink_message *message);

/* Requests, into `to`; their length. */
size_t netlink_ask_route(uint8_t to[static NETLINK_ASK_MAX],
    const struct netlink_question *question, uint32_t seq);
size_t netlink_ask_neighbour(uint8_t to[static NETLINK_ASK_MAX],
    uint32_t device, const struct addr *address, uint32_t seq);
/* One device and its counters. */
size_t netlink_ask_link(
    uint8_t to[static NETLINK_ASK_MAX], uint32_t device, uint32_t seq);
enum netlink_list {
	NETLINK_LIST_LINKS,
	NETLINK_LIST_RULES,
	NETLINK_LIST_ROUTES
};
/* family 4 or 6; of links, any. */
size_t netlink_ask_list(uint8_t to[static NETLINK_ASK_MAX],
    enum netlink_list list, int family, uint32_t seq);
