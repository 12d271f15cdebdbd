/* SPDX-License-Identifier: ISC */
/*
 * The simulated internet, inside: nodes, directed edges, and what they do.
 * sim-file.c reads a description into a world, sim-generate.c makes large
 * parts of one, sim-world.c keeps its tables, sim-index.c finds
 * names and addresses in them, sim-route.c chooses next hops,
 * sim-reply.c, sim-tcp.c and sim-service.c write what nodes answer, sim-move.c
 * moves packets (sim-ahead.c
 * through what only forwards), sim-queue.c orders them, sim.c keeps virtual
 * time.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/hash.h"
#include "lib/base/addr.h"
#include "lib/base/clock.h"
#include "lib/base/err.h"
#include "lib/packet/packet.h"

#define SIM_NONE UINT32_MAX
#define SIM_MAX_NODES 1000000
#define SIM_MAX_VANTAGES 32 /* alive at once */
#define SIM_MAX_LABELS 4
#define SIM_MAX_PORTS 16

enum sim_hash {
	SIM_HASH_FIVE_TUPLE, /* addresses, protocol, TCP and UDP ports */
	SIM_HASH_FIRST_FOUR, /* addresses, protocol, 4 octets after IP */
	SIM_HASH_ADDRESSES,
	SIM_HASH_PACKET /* each packet on its own */
};

enum sim_ip_id {
	SIM_IP_ID_SHARED,      /* one counter for the node */
	SIM_IP_ID_ADDRESS,     /* one for each source address */
	SIM_IP_ID_INTERFACE,   /* one for each link */
	SIM_IP_ID_DESTINATION, /* one for each address it sends to */
	SIM_IP_ID_RANDOM,
	SIM_IP_ID_ZERO
};

/* What shares one bucket of ICMP errors. */
enum sim_limit_scope {
	SIM_LIMIT_NODE,
	SIM_LIMIT_INTERFACE,
	SIM_LIMIT_DESTINATION,
	SIM_LIMIT_LINUX /* destination, and one global bucket */
};

/* What stands in the length octet of RFC 4884. */
enum sim_extension_length {
	SIM_LENGTH_RIGHT,
	SIM_LENGTH_NONE,
	SIM_LENGTH_17,
	SIM_LENGTH_OCTETS
};
enum sim_extension_checksum { SIM_SUM_RIGHT, SIM_SUM_ZERO, SIM_SUM_WRONG };

enum sim_service { SIM_STAMP, SIM_DNS, SIM_NTP, SIM_HTTP, SIM_SERVICES };

/* How a node treats packets; shared by the nodes that one statement makes. */
struct sim_behaviour {
	enum sim_hash hash;
	enum sim_ip_id ip_id;
	bool hash_flow_label, hash_tos;
	bool silent;                  /* no ICMP error, ever */
	bool no_echo, no_udp, no_tcp; /* packets to its own address */
	bool hidden;                  /* forwards without touching the TTL */
	bool interface_info;          /* RFC 5837 object in errors */
	enum sim_extension_length extension_length;
	enum sim_extension_checksum extension_checksum;
	bool down; /* a host that its last router cannot reach */
	uint8_t deny_protos, drop_protos; /* SIM_PROTO_* it does not forward */
	uint8_t reject_protos;  /* the same, with an error of choice: */
	uint8_t reject_code[2]; /* of "unreachable", v4, v6 */
	bool reject_reset;      /* TCP: a reset instead */
	bool reject_as_target;  /* the target seems to say it */
	bool inject_reset; /* passes TCP on and sends a reset as its target */
	bool redirect, quench; /* passes packets on with this advice */
	struct addr redirect_to[2];
	uint8_t tos_clear, tos_set; /* bits of what it passes on */
	struct addr answer_from[2]; /* v4, v6: source of its answers */
	uint16_t answer_port;       /* of its services' datagrams; 0: asked */
	uint32_t copies;            /* of each answer, beyond the first */
	int64_t late_ns; /* takes this much longer, for a share of answers */
	double late_share;
	bool forge;  /* a stranger answers first, without knowing the probe */
	uint8_t ttl; /* of what it sends; 0: 255 router, 64 host */
	uint16_t quote_bytes; /* of the packet in an error; 0: all that fits */
	double ip_id_rate_lo, ip_id_rate_hi; /* steps a second that other
						traffic makes; each counter
						draws its own */
	bool ip_id_swapped;
	enum sim_limit_scope limit_scope;
	bool limit_echo;   /* echo replies count as errors do */
	double limit_rate; /* ICMP errors a second; 0: unlimited */
	double limit_burst;
	int64_t limit_v6_ns; /* IPv6: one in this time; 0: as IPv4 */
	int64_t slow_ns;     /* time it takes to make an error */
	uint32_t
	    labels[SIM_MAX_LABELS]; /* MPLS stack that packets arrive with */
	uint8_t label_count, port_count;
	uint16_t ports[SIM_MAX_PORTS]; /* open TCP ports */
	struct addr reply_from[2];     /* v4, v6: source of its errors */
	struct addr nat[2];  /* what it makes of sources, with ports */
	bool nat_raw_quotes; /* errors quote what was outside */
	struct addr snat[2]; /* what a vantage makes of its own */
	int64_t stateful_ns; /* forwards conversations that are no older */
	int64_t
	    clock_offset_ns;   /* its clock minus the true one, at the start */
	double clock_skew_ppm; /* and how much faster it runs */
	uint16_t services[SIM_SERVICES]; /* ports; 0: not there */
};
enum { SIM_PROTO_ICMP = 1, SIM_PROTO_UDP = 2, SIM_PROTO_TCP = 4 };

/* What a direction of a link does to packets. */
struct sim_link {
	int64_t delay_lo_ns, delay_hi_ns; /* each edge draws one from this */
	int64_t jitter_ns;      /* each packet draws 0..jitter on top */
	double loss, duplicate; /* probabilities */
	double rate_bps;        /* 0: no serialisation */
	uint64_t queue_bytes;   /* before a packet is dropped */
	uint32_t cost;
	uint32_t mtu_bytes; /* 0: none */
	bool black_hole;    /* nothing says that a packet is too long */
	bool down;
	double load; /* share of the rate that others take */
};

struct sim_node {
	const struct sim_behaviour *how;
	uint32_t name;     /* offset in world->names */
	uint32_t addr[2];  /* index of the first v4, v6 address or SIM_NONE */
	uint32_t edges_at; /* in world->adjacency */
	uint16_t ip_id_salt;
	bool host, routed;      /* forwards nothing; has static routes */
	uint8_t network_len[2]; /* a vantage's prefix lengths, v4, v6 */
};

/* One direction of a link; its reverse is the edge with the last bit other. */
struct sim_edge {
	const struct sim_link *how;
	uint32_t from, to;
	uint32_t addr[2]; /* of the `from` side, or SIM_NONE */
	int64_t delay_ns;
	int64_t busy_until_ns; /* its queue is empty then */
};

struct sim_owner {
	struct addr addr;
	uint32_t node;
};
/* Of the table of addresses; most that are not in it are known by their tag,
 * without a look at the owners. */
struct sim_addr_cell {
	uint32_t at, tag; /* SIM_NONE: empty */
};
struct sim_block {
	struct prefix prefix;
	uint32_t node;
};

/* A static route; via is a list of edges, or none: unreachable or dropped. */
struct sim_route {
	uint32_t node;
	struct prefix prefix;
	uint32_t *edges; /* owned */
	uint32_t edge_count;
	bool drop;
};

/* What is kept for a key that is a hash of node, purpose and more. */
struct sim_cell {
	uint64_t key; /* 0: empty */
	int64_t ns;
	double amount;
};

/* What becomes otherwise at a stated time (sim-change.h). */
struct sim_change;

/* The next hops at each node that lies on a shortest path to one place. */
struct sim_paths;
/* Those from a vantage that is not the first. */
struct sim_view;

/* For each node some edges, each behind the node at its other end, so that
 * neither needs to be looked up.  Most nodes have few, which lie where their
 * number is. */
enum { SIM_HOPS_FEW = 2 };
struct sim_fork {
	uint64_t few[SIM_HOPS_FEW]; /* the other node, then the edge */
	uint32_t at;                /* where they begin, if they are more */
	uint32_t count;
	uint32_t mark; /* world->mark of the last walk that came here */
	uint32_t unused;
};
struct sim_hops {
	struct sim_fork *forks; /* owned; by node */
	uint64_t *more;         /* owned; of those with more than a few */
};
static inline const uint64_t *sim_hops_of(
    const struct sim_hops *hops, const struct sim_fork *fork)
{
	return fork->count > SIM_HOPS_FEW ? hops->more + fork->at : fork->few;
}

/* What a direction of a link is to packets that it only delays. */
struct sim_way {
	int64_t delay_ns; /* negative: it does more */
	uint32_t to;
};

/* Links and the routers between them that a packet has no choice but to pass,
 * and that only forward. */
struct sim_jump {
	int64_t delay_ns;
	uint32_t node; /* the far end's */
	uint32_t edge; /* the last one */
	uint32_t hops; /* 0: there is none */
	/* Of a jump to a node: the nearest node that all paths to it go by, of
	 * those where several meet; SIM_NONE: not known. */
	uint32_t before;
	/* The paths between the two; owned, made when needed. */
	struct sim_paths *meeting;
};

struct sim_world {
	struct sim_node *nodes;
	struct sim_edge *edges;
	struct sim_owner *owners; /* addresses */
	struct sim_block *blocks; /* prefixes that one host answers for */
	struct sim_route *routes;
	uint32_t node_count, edge_count, owner_count, block_count, route_count;
	uint32_t max_nodes;
	char *names;
	size_t names_len;
	uint32_t *by_name; /* open hash tables, SIM_NONE empty */
	struct sim_addr_cell *by_addr;
	size_t by_name_size, by_addr_size;
	uint64_t *perhaps; /* owned: bits of addresses that may be in
			      by_addr, perhaps_size of them */
	size_t perhaps_size;
	struct sim_recent *recent; /* owned: addresses looked up of late */
	void **kept;               /* behaviours and links */
	size_t kept_count;
	uint32_t *adjacency;           /* edges, grouped by node */
	uint32_t *dist_from, *dist_to; /* vantage to node, node to vantage */
	struct sim_hops from_vantage, to_vantage;
	struct sim_paths **paths; /* by destination node, made when needed */
	uint32_t mark;            /* of the nodes that the last walk saw */
	uint32_t *todo;           /* owned: the walk's nodes to go on from, */
	uint64_t *found;          /* owned: what it found */
	struct sim_cell *cells;   /* open hash table */
	size_t cells_size, cell_count;
	uint32_t vantage; /* the first of: */
	uint32_t vantages[SIM_MAX_VANTAGES], vantage_count;
	/* What becomes of a packet between two hosts depends on the packets
	 * before it, or on the time (a queue); if not, packets run ahead. */
	bool in_order;
	bool *plain;          /* owned: routers that only forward */
	struct sim_way *ways; /* owned, of each edge */
	/* Owned; none in a world in which packets do not run ahead.  up: to
	 * each node from the one that is farthest before it on all paths; back:
	 * from each node towards the vantage. */
	struct sim_jump *up, *back;
	uint16_t *ids_given; /* owned: IPv4 identifications, of each node */
	/* Owned: of the vantages but the first, made when needed; and their
	 * octets. */
	struct sim_view *views[SIM_MAX_VANTAGES];
	size_t views_bytes;
	/* Packets are also on ways that are not the vantage's shortest. */
	bool any_way;
	size_t distances_bytes;     /* that sim_paths have */
	struct sim_change *changes; /* owned, by time */
	size_t change_count, changes_made;
	uint64_t seed;
	struct walltime start;
	bool start_now;
};

/* Do probes leave from this node? */
static inline bool sim_is_vantage(const struct sim_world *w, uint32_t node)
{
	for (uint32_t i = 0; i < w->vantage_count; i++)
		if (w->vantages[i] == node)
			return true;
	return false;
}

/* A context of net_sim from a description, which is changed; name is for
 * messages, vantage as in "FILE@VANTAGE" or NULL. */
int sim_open_text(void **ctx, char *text, const char *name, const char *vantage,
    uint32_t max_nodes, struct errmsg *msg);
