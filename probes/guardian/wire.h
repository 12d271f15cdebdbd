/* SPDX-License-Identifier: ISC */
/*
 * What a script worker and the guardian exchange, over one
 * SOCK_SEQPACKET pair per run.  Every message is one datagram: a struct
 * wire_head, then `count` entries of the type's fixed size, then, for those
 * that carry octets, the octets in entry order.  Both ends are the same
 * binary, so structs travel as they are; the guardian copies a message before
 * it looks at it and treats every field as hostile.
 *
 * The worker sends WAIT when it has nothing to do until a reply or `until`, and
 * the guardian answers each WAIT with one message: EVENT, or WOKEN when
 * `until` came first.  Events are kept until the worker asks, so no message of
 * one crosses the other's, and in a simulated network, where virtual time moves
 * only while every worker waits, a run is the same every time.  Likewise each
 * SOURCE gets its one SOURCE_IS, at once.
 *
 * Times lie at most a day ahead; a longer WAIT is woken then.  A message that
 * breaks these rules ends the run: the guardian closes it.
 */
#pragma once

#include <stdint.h>

#include "lib/base/addr.h"
#include "lib/base/clock.h"
#include "lib/record/outcome.h"
#include "probes/net/net.h"
#include "probes/packet/probe.h"
#include "probes/packet/sweep.h"

#define WIRE_MAX_BYTES 65536 /* one datagram */
#define WIRE_MAX_COUNT 64    /* entries in one, */
#define WIRE_MAX_EVENTS 256  /* but for EVENT: each wakes a process */

/* A probe is outstanding from SEND until the worker has received its last
 * event: DENIED, FAILED, EXPIRED or a REPLY that says so (every probe gets
 * exactly one of these).
 * A worker that goes over one of these bounds ends its run. */
#define WIRE_MAX_OUTSTANDING 32768
#define WIRE_MAX_OUTSTANDING_BYTES (8u << 20) /* of payload */

enum wire_type {
	WIRE_SEND,   /* worker: struct wire_probe + payload octets */
	WIRE_WAIT,   /* worker: one struct wire_wait */
	WIRE_SOURCE, /* worker: one struct addr, which source for this dst? */
	WIRE_EVENT,  /* guardian: struct wire_event + packet octets */
	WIRE_WOKEN,  /* guardian: head only; `until` came.  Answers WAIT unless
			events did */
	WIRE_SOURCE_IS /* guardian: one struct addr, family 0: no route */
};

struct wire_head {
	uint32_t type; /* enum wire_type */
	uint32_t count;
	struct monotime now; /* guardian: its clock, virtual in simulation */
	struct walltime wall;
};

struct wire_wait {
	struct monotime until;
};

struct wire_probe {
	uint64_t cookie;       /* the worker's; comes back with every event */
	struct monotime at;    /* send no earlier; 0: now */
	struct monotime until; /* stop listening for replies then; a probe that
				  a rate limit holds back is listened to for
				  as long as it asked: until moves with it */
	int64_t late_ns;       /* and so long after that for late ones */
	uint32_t listen_all;   /* 0: a conclusive reply ends it */
	/* count > 0: the probe is the template of a sweep, of which a session
	 * has one at a time.  Its events are a REPLY for each answer better
	 * than those before it to the same address, and EXPIRED, with struct
	 * sweep_counts as octets. */
	struct sweep_range range;
	struct probe probe; /* payload pointer ignored; octets follow */
};

enum wire_event_kind {
	WIRE_SENT,    /* stamp: transmit time; before any REPLY */
	WIRE_DENIED,  /* verdict: why; nothing was sent */
	WIRE_FAILED,  /* err: negative errno from the network */
	WIRE_REPLY,   /* stamp: receive time; tx, rtt_ns and outcome too */
	WIRE_TIMEOUT, /* until came without a conclusive reply, and late_ns
			 begins */
	WIRE_EXPIRED  /* nothing more can come; with the number of replies */
};

struct wire_event {
	uint64_t cookie;
	uint32_t index;   /* of a sweep's address in its range */
	uint32_t kind;    /* enum wire_event_kind */
	uint32_t verdict; /* enum policy_verdict */
	int32_t err;
	uint32_t replies; /* so far, this one included */
	struct net_stamp stamp;
	struct net_stamp tx;
	int64_t rtt_ns;  /* WIRE_REPLY */
	struct addr src; /* the address the probe left from */
	/* The way it left by, or would have: struct net_route's. */
	struct addr next_hop;
	char device[NET_DEVICE_LEN];
	uint32_t mtu;       /* WIRE_FAILED, -EMSGSIZE: the most; 0: not known */
	uint32_t bytes_len; /* WIRE_REPLY: octets of the IP packet (<= 1500) */
	uint16_t probe_checksum; /* upper checksum as sent */
	uint16_t probe_ip_id;
	/* WIRE_REPLY: */
	struct outcome outcome;
	uint8_t late, ambiguous;
	uint8_t last; /* the probe's last event */
};
