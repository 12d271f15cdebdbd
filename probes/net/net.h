/* SPDX-License-Identifier: ISC */
/*
 * The network under the guardian: a seam with two providers, the live one
 * (probes/net/live/live.c: raw and packet sockets, libpcap, kernel timestamps)
 * and the simulated one (probes/net/sim/sim.c: a described internet in virtual
 * time). The guardian is the only caller.
 */
#pragma once

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/addr.h"
#include "lib/base/clock.h"
#include "lib/base/err.h"

/* Numbers equal Sonde__Clock's (lib/record/record.proto). */
enum net_clock {
	NET_CLOCK_UNKNOWN,
	NET_CLOCK_USER,
	NET_CLOCK_KERNEL_SOFTWARE,
	NET_CLOCK_HARDWARE,
	NET_CLOCK_SIMULATED
};

struct net_stamp {
	struct walltime wall;
	enum net_clock clock;
};

/* From a probe to its answer.  Both stamps are of the wall clock, which may be
 * set in between; `most` is the time by the caller's monotonic clock, which is
 * late and so bounds what can be true: a time that cannot be is `most`. */
int64_t net_rtt(
    const struct net_stamp *tx, const struct net_stamp *rx, int64_t most);

#define NET_DEVICE_LEN ADDR_ZONE_LEN /* of a device's name, as IFNAMSIZ */

/* What decides which way a packet leaves: what rules of routing and balancers
 * of this host look at. */
struct net_flow {
	struct addr dst;
	uint8_t proto; /* PACKET_ICMP (echo, of both families), _UDP, _TCP */
	uint8_t tos;
	uint16_t sport, dport; /* UDP, TCP */
	uint32_t flow_label;
	/* The device that it is to leave by; of a link-local dst: that it is
	 * behind; or empty. */
	char zone[NET_DEVICE_LEN];
	struct addr src; /* that it is to carry; family 0: the network's */
	uint32_t mark;   /* for rules of routing; 0: the network's */
};

/* What one run wants of its packets, before what the network was opened with;
 * or what the network was.  All zero: nothing. */
struct net_choice {
	char device[NET_DEVICE_LEN]; /* leave by it; empty: by any */
	struct addr source[2];       /* IPv4, IPv6; family 0: the route's */
	uint32_t mark;               /* SO_MARK, for rules; 0: none */
	bool no_zones; /* a probe's own zone has no say: device alone has */
};

struct probe;
struct net_flow net_flow_of(
    const struct probe *probe, const struct net_choice *choice);

/* The way that a network chose. */
struct net_route {
	struct addr src;      /* that the packet is to carry */
	struct addr next_hop; /* family 0: dst is on the link, or not known */
	char device[NET_DEVICE_LEN]; /* empty: not known */
	uint32_t mtu;                /* of the way; 0: not known */
	/* The provider's own: a device's number, the packets' mark, whether
	 * they must be handed to next_hop by name, and how they are stamped. */
	uint32_t device_index, mark;
	bool by_next_hop;
	bool unqueued; /* no packet waits for the device */
	bool shaped;   /* its queue does more than keep an order */
};

struct net_send {
	const uint8_t *bytes; /* an IP packet, borrowed for the call */
	size_t len;
	uint32_t cookie; /* comes back with the transmit timestamp */
	const struct net_route *route; /* borrowed for the call */
	bool swept; /* one of very many, which needs no stamp of the network */
	bool hold;  /* its TCP port is not to be answered for by the kernel */
};

/* What came back, in order of time. */
struct net_event {
	enum { NET_RECEIVED, NET_SENT, NET_SEND_FAILED } kind;
	struct net_stamp stamp;
	uint32_t cookie;      /* NET_SENT, NET_SEND_FAILED */
	int err;              /* NET_SEND_FAILED: negative errno */
	uint32_t mtu;         /* NET_SEND_FAILED, -EMSGSIZE: the most; 0: not
				 known */
	const uint8_t *bytes; /* NET_RECEIVED: an IP packet, borrowed */
	size_t caplen, wirelen;
};
#define NET_PACKET_MOST 1500 /* octets */
typedef void net_event_fn(void *arg, const struct net_event *event);

struct net_counters {
	uint64_t sent, send_failed, received, dropped;
};

/* Where a simulated network's monotonic time begins.  No machine has been up
 * for 36 years, so a time shows which clock it is from. */
#define NET_VIRTUAL_NS (INT64_C(1) << 60)
static inline bool net_time_is_virtual(struct monotime t)
{
	return t.ns >= NET_VIRTUAL_NS;
}

struct net_ops {
	const char *name; /* "live", "sim" */
	const char *help; /* one line */

	/* Is this what open would read?  Touches nothing.  NULL: open says. */
	int (*check)(const char *spec, struct errmsg *msg);
	/* spec: what follows "NAME:" in --net, or NULL.  Everything that needs
	 * privilege or a file happens here; afterwards neither is needed. */
	int (*open)(void **ctx, const char *spec, struct errmsg *msg);
	void (*close)(void *ctx);
	/* Opens another vantage point in the world that `first` is open in.
	 * Each is a context of its own, with a guardian of its own, all in one
	 * process; advance does nothing until it was called for each.  NULL:
	 * there is one vantage point, here. */
	int (*join)(
	    void **ctx, void *first, const char *vantage, struct errmsg *msg);

	/* The way that packets of a flow leave now.  Negative errno when there
	 * is none; route->device then names the device that is why, or is
	 * empty. */
	int (*route)(
	    void *ctx, const struct net_flow *flow, struct net_route *route);
	/* Is this one of this host's own addresses, or the directed broadcast
	 * of one of its networks?  For the policy. */
	bool (*is_own)(void *ctx, const struct addr *a);
	bool (*is_broadcast)(void *ctx, const struct addr *a);

	struct monotime (*now)(void *ctx);
	struct walltime (*wall)(void *ctx);

	/* Sends now, in order, as one batch where the system can; returns how
	 * many left (the rest get NET_SEND_FAILED from the next poll). */
	size_t (*send)(void *ctx, const struct net_send *packets, size_t count);

	/* No probe is planned or in the air any more: what comes now is late.
	 * NULL: does not matter. */
	void (*quiet)(void *ctx);

	/* Gives every event that is there, without waiting. */
	void (*poll)(void *ctx, net_event_fn *fn, void *arg);

	/* live: descriptors to wait for (returns how many, at most size);
	 * sim: none, and advance moves virtual time to the next event or to
	 * `until`, whichever is first; where many come at one instant, to a
	 * part of them.  advance is NULL in a live network. */
	size_t (*fds)(void *ctx, int *fds, size_t size);
	void (*advance)(void *ctx, struct monotime until);

	void (*counters)(void *ctx, struct net_counters *counters);

	/* What was opened, in words for --verbose: sockets, rings, nodes. */
	void (*describe)(void *ctx, char *to, size_t size);

	/* The address of a name in this network, family 4, 6 or 0 for either;
	 * NULL: the system's resolver knows. */
	int (*resolve)(
	    void *ctx, const char *name, int family, struct addr *addr);
};

static inline bool net_is_virtual(const struct net_ops *ops)
{
	return ops->advance != NULL;
}

/* Secret; in virtual time the same every time. */
uint64_t net_secret(const struct net_ops *ops);

/* ops->fds as ppoll(2) wants them; how many. */
#define NET_FDS 16
size_t net_polls(
    const struct net_ops *ops, void *ctx, struct pollfd polls[static NET_FDS]);

/* How many octets of what was received are kept. */
static inline size_t net_event_octets(const struct net_event *event)
{
	return event->caplen < NET_PACKET_MOST ? event->caplen
					       : NET_PACKET_MOST;
}

/* Is any of these one of this host's own addresses, or a broadcast? */
bool net_has_own(const struct net_ops *ops, void *ctx,
    const struct addr *addresses, size_t count);
bool net_has_broadcast(const struct net_ops *ops, void *ctx,
    const struct addr *addresses, size_t count);

/* Packets that leave together. */
#define NET_BATCH 64
struct net_batch {
	size_t count;
	struct net_send packets[NET_BATCH];
	struct net_route routes[NET_BATCH];
	uint8_t bytes[NET_BATCH][NET_PACKET_MOST];
};
/* One more, of the octets at bytes[count]; the route is copied. */
void net_batch_add(struct net_batch *batch, size_t len, uint32_t cookie,
    const struct net_route *route, bool swept, bool hold);
/* Empties it; how many left. */
size_t net_batch_send(
    struct net_batch *batch, const struct net_ops *ops, void *ctx);

/* ops->route.  shared: for one flow of very many: addresses of one network
 * behind a router have one way, which is asked for once; those on the link are
 * asked for one by one. */
int net_find_route(const struct net_ops *ops, void *ctx,
    const struct net_flow *flow, bool shared, struct net_route *route);

extern const struct net_ops net_live, net_echo, net_sim;

#define NET_RUN_MARKS_MAX 4 /* of net_wish */

/* What the operator wants of every packet, as written; NULL or none: any. */
struct net_wish {
	const char *interface, *mark;
	const char *const *sources;
	size_t source_count;
	/* Further marks, which a run may choose. */
	const char *const *run_marks;
	size_t run_mark_count;
};
/* The spec with these wishes as words of it, checked; NULL when there is
 * neither.  ERR_USAGE for what is wrong, or for a network that has no devices.
 * The caller frees. */
int net_spec_join(char **joined, const struct net_ops *net, const char *spec,
    const struct net_wish *wish, struct errmsg *msg);

/* Finds the provider for "--net NAME[:SPEC]"; spec points into text. */
const struct net_ops *net_find(
    const char *text, const char **spec, struct errmsg *msg);
