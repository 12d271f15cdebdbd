/* SPDX-License-Identifier: ISC */
/*
 * Inside the guardian: a session is a worker's socket and what it is owed; a
 * flight is one probe from WIRE_SEND to its last event.  session.c speaks with
 * workers, pending.c with the network, guardian.c waits; what pending.c has
 * for a worker waits in event-queue.c until session.c hands it over.
 */
#pragma once

#include "lib/base/buf.h"
#include "lib/base/handles.h"
#include "lib/base/timer.h"
#include "probes/ipc/counters.h"
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

#define FLIGHT_SIZE 1500 /* octets of the largest packet */
#define BATCH 64

enum timer_kind { TIMER_FLIGHT, TIMER_SESSION };

/* What a worker is to hear. */
struct event_queue {
	struct buf events;               /* struct wire_event */
	struct buf octets;               /* of replies among them */
	size_t events_read, octets_read; /* bytes at the front of each */
	size_t replies;                  /* that wait */
};

struct session {
	int fd; /* owned */
	enum policy_who who;
	struct policy_run *policy; /* owned */
	struct flight *flights;    /* newest first; owned */
	size_t outstanding, outstanding_bytes;
	struct event_queue queue;
	bool waiting; /* for an answer to WIRE_WAIT */
	bool broken;  /* it broke the rules, or is gone */
	struct timer wake;
};

struct flight {
	struct timer timer; /* first: leaves, or stops listening */
	struct session *session;
	struct flight *newer, *older; /* of the session */
	uint32_t handle;              /* its network cookie */
	uint64_t cookie;              /* the worker's */
	struct monotime due;
	int64_t listen_ns, late_ns;
	bool listen_all;
	struct probe probe; /* payload is owned */
	struct policy_hold hold;
	struct match_entry entry;
	struct net_route route; /* from when it is due */
	struct monotime sent_at;
	struct net_stamp tx;
	bool in_air, reported; /* left; WIRE_SENT was queued */
	bool concluded, late;  /* a conclusive reply came; the wait is over */
	uint32_t replies;
};

/* guardian.NAME in heartbeats, sonde-records(5). */
enum guardian_count {
	COUNT_SENT,
	COUNT_FAILED,
	COUNT_DEFERRED,
	COUNT_REPLIES,
	COUNT_UNMATCHED,  /* no probe was sent there */
	COUNT_LATE,       /* no run listens for it any more */
	COUNT_MISMATCHED, /* not what was sent: forged or mangled */
	COUNT_AMBIGUOUS,  /* fits two sessions, or weakly more than one */
	COUNT_DROPPED,
	COUNT_BREACHES,
	COUNT_CAPTURED,
	COUNT_CAPTURE_DROPPED,
	GUARDIAN_COUNTS
};

struct guardian {
	const struct net_ops *net;
	void *net_ctx; /* owned */
	const struct policy *policy;
	struct policy_state *state;
	struct probe_builder *builder;
	struct timers timers;
	struct session *sessions[GUARDIAN_MAX_RUNS];
	size_t session_count;
	uint64_t key;              /* secret */
	struct match_table *table; /* flights in the air */
	struct match_past past;
	struct handles handles; /* flights, by network cookie */
	size_t payload_bytes;
	struct flight *batch[BATCH];
	uint8_t batch_bytes[BATCH][FLIGHT_SIZE];
	size_t batch_len[BATCH], batch_count;
	struct monotime counted_at;
	uint64_t *counts[GUARDIAN_COUNTS], *denied[POLICY_VERDICTS];
	uint8_t message[WIRE_MAX_BYTES + 1];
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
static inline bool guardian_is_virtual(const struct guardian *g)
{
	return g->net->advance != NULL;
}
