/* SPDX-License-Identifier: ISC */
/*
 * Inside the guardian: a session is a worker's socket and what it is owed; a
 * flight is one probe from WIRE_SEND to its last event.  session.c speaks with
 * workers, pending.c with the network, guardian.c waits; what pending.c has
 * for a worker waits in its session until session.c hands it over.
 *
 * Live, the loop sleeps until a worker sends, the network has something or a
 * timer is due.  In a simulated network it lets every worker send until all
 * wait, and only then moves time to whatever is next.
 *
 * Departures at times that scripts chose come before all other work: it is cut
 * in pieces of some microseconds, and between two of them is looked whether one
 * is due.  So what other runs send, however much, moves no train.
 */
#pragma once

#include <stddef.h>

#include "lib/base/handles.h"
#include "lib/base/timer.h"
#include "probes/ipc/counters.h"
#include "probes/ipc/entry-queue.h"
#include "probes/guardian/guardian.h"
#include "probes/guardian/wire.h"
#include "probes/packet/match-table.h"

/* What bounds the memory that workers and their peers can make us use;
 * what WIRE_MAX_OUTSTANDING allows one session comes on top. */
#define GUARDIAN_MAX_RUNS 32
#define GUARDIAN_FLIGHT_BITS 17 /* 131,072 flights */
#define GUARDIAN_MAX_PAYLOAD (64u << 20)
#define SESSION_MAX_REPLIES WIRE_MAX_OUTSTANDING
#define SESSION_MAX_OCTETS (8u << 20)

/* Of virtual time, between two looks at workers all of which wait. */
#define UNSEEN_INSTANTS 64
#define DUE_AT_ONCE (4 * NET_BATCH) /* then the network is read again */
/* A packet takes less to leave: so many are sent together as are gone before
 * the next departure. */
#define LEAVE_NS (12 * NS_PER_US)
/* Work between two looks at departures takes less. */
#define LOOK_NS (20 * NS_PER_US)
/* A sleep ends some microseconds late, and not always the same; the last of a
 * wait for a probe's time is not slept. */
#define AWAKE_NS (100 * NS_PER_US)
/* A worker with so many probes in flight hears of a message's worth of events
 * at a time, if they come that soon after each other: no script acts on each of
 * them at once, and waking it for each would cost more than all else. */
#define GATHER_FROM 1024
#define GATHER_NS NS_PER_MS

enum timer_kind { TIMER_FLIGHT, TIMER_SESSION, TIMER_DEPARTURE };

struct session {
	int fd; /* owned */
	struct guardian_run run;
	struct policy_run *policy; /* owned */
	struct flight *flights;    /* newest first; owned */
	struct flight *sweep;      /* the one among them that is; or NULL */
	struct entry_queue events; /* struct wire_event, that it is to hear */
	size_t outstanding, outstanding_bytes, replies; /* among events */
	bool waiting; /* for an answer to WIRE_WAIT */
	bool gathers; /* events wait for others: wake is when they do no more */
	bool broken;  /* it broke the rules, or is gone */
	struct timer wake;
};

/* What a reply needs comes first: of thousands in the air few are in a cache.
 */
struct flight {
	struct timer timer; /* first: leaves, or stops listening */
	struct session *session;
	uint32_t handle; /* its network cookie */
	/* Left; WIRE_SENT was queued; a conclusive reply came; the wait is
	 * over. */
	bool listen_all, in_air, reported, concluded, late;
	uint64_t cookie; /* the worker's */
	struct match_entry entry;
	struct net_stamp tx;
	struct monotime sent_at;
	uint32_t replies, index;      /* index: of the sweep's answer in hand */
	struct flight *newer, *older; /* of the session */
	struct policy_hold hold;
	struct sweep *sweep;    /* owned; NULL: it is one probe */
	struct net_route route; /* from when it is due */
	struct probe probe;     /* payload is owned */
	struct monotime due;
	int64_t listen_ns, late_ns;
};

/* guardian.NAME in heartbeats, sonde-records(5). */
#define GUARDIAN_COUNTERS(X)                                                   \
	X(COUNT_SENT, "sent")                                                  \
	X(COUNT_FAILED, "failed")                                              \
	X(COUNT_DEFERRED, "deferred")                                          \
	X(COUNT_REPLIES, "replies")                                            \
	X(COUNT_UNMATCHED, "unmatched")   /* no probe was sent there */        \
	X(COUNT_LATE, "late")             /* no run listens for it any more */ \
	X(COUNT_MISMATCHED, "mismatched") /* not what was sent: forged */      \
	X(COUNT_AMBIGUOUS, "ambiguous")   /* fits more than one probe */       \
	X(COUNT_DROPPED, "dropped")                                            \
	X(COUNT_BREACHES, "breaches")                                          \
	X(COUNT_CAPTURED, "captured")                                          \
	X(COUNT_CAPTURE_DROPPED, "capture_dropped")
#define COUNTER_CONSTANT(constant, name) constant,
enum guardian_count { GUARDIAN_COUNTERS(COUNTER_CONSTANT) GUARDIAN_COUNTS };

struct guardian {
	const struct net_ops *net;
	void *net_ctx; /* owned */
	const struct policy *policy;
	struct policy_state *state;
	struct probe_builder *builder;
	/* Departures are at times that scripts chose, before all else. */
	struct timers timers, departures;
	struct session *sessions[GUARDIAN_MAX_RUNS];
	size_t session_count;
	uint64_t key;              /* secret */
	struct match_table *table; /* flights in the air */
	struct match_past past;
	struct handles handles; /* flights, by network cookie */
	size_t payload_bytes;
	struct net_batch batch;
	struct flight *leaving[NET_BATCH]; /* whose packets are in it */
	struct monotime counted_at;
	uint64_t *counts[GUARDIAN_COUNTS], *denied[POLICY_VERDICTS];
	_Alignas(max_align_t) uint8_t message[WIRE_MAX_BYTES + 1];
};

static inline struct monotime guardian_now(struct guardian *g)
{
	return g->net->now(g->net_ctx);
}
static inline void guardian_count(
    struct guardian *g, enum guardian_count count, uint64_t n)
{
	counters_add(g->counts[count], n);
}
