/* SPDX-License-Identifier: ISC */
/*
 * Inside the guardian: a run is a worker's socket and what it is owed; a
 * flight is one probe from WIRE_SEND to its last event.  session.c speaks with
 * workers, pending.c with the network, guardian.c waits.
 */
#pragma once

#include "lib/base/buf.h"
#include "lib/base/timer.h"
#include "probes/ipc/counters.h"
#include "probes/guardian/guardian.h"
#include "probes/guardian/wire.h"
#include "probes/packet/match.h"

/* What bounds the memory that workers and whoever answers can make us use;
 * what WIRE_MAX_OUTSTANDING allows one run comes on top. */
#define GUARDIAN_MAX_RUNS 32
#define GUARDIAN_MAX_FLIGHTS 131072
#define GUARDIAN_MAX_PAYLOAD (64u << 20)
#define RUN_MAX_REPLIES WIRE_MAX_OUTSTANDING
#define RUN_MAX_OCTETS (8u << 20)

#define FLIGHT_HEADS 16384
#define FLIGHT_SIZE 1500 /* octets of the largest packet */
#define BATCH 64

enum timer_kind { TIMER_FLIGHT, TIMER_RUN };

struct run {
	int fd; /* owned */
	enum policy_who who;
	struct policy_run *policy; /* owned */
	struct flight *flights;    /* newest first; owned */
	size_t outstanding, outstanding_bytes;
	struct buf events; /* struct wire_event; what the worker is to hear */
	struct buf octets; /* of replies among them */
	size_t events_said, octets_said; /* bytes at the front of each */
	size_t replies;                  /* that wait for the worker */
	bool waiting;                    /* it said WAIT */
	bool broken;                     /* it broke the rules, or is gone */
	struct timer wake;
};

struct flight {
	struct timer timer; /* first: leaves, or stops listening */
	struct run *run;
	struct flight *newer, *older; /* of the run */
	struct flight *next;          /* with the same hash, once sent */
	uint32_t slot;                /* of its network cookie */
	uint64_t cookie;              /* the worker's */
	struct monotime due;
	int64_t listen_ns;
	struct probe probe; /* payload is owned */
	struct policy_hold hold;
	struct match_sent sent;
	struct monotime sent_at;
	struct net_stamp tx;
	bool in_air, told; /* left; WIRE_SENT was said */
	uint32_t replies;
};

/* guardian.NAME in heartbeats, sonde-records(5). */
enum guardian_count {
	COUNT_SENT,
	COUNT_FAILED,
	COUNT_DEFERRED,
	COUNT_REPLIES,
	COUNT_UNMATCHED,  /* no probe was sent there */
	COUNT_LATE,       /* nobody listens for it any more */
	COUNT_MISMATCHED, /* not what was sent: forged or mangled */
	COUNT_AMBIGUOUS,  /* fits two runs, or weakly more than one */
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
	struct run *runs[GUARDIAN_MAX_RUNS];
	size_t run_count;
	uint64_t key, drawn;                /* secret; numbers drawn from it */
	struct flight *heads[FLIGHT_HEADS]; /* in the air, by match_hash */
	struct match_past past;
	struct {
		struct flight *flight;
		uint32_t uses; /* tells a late stamp from one for its heir */
		uint32_t next_free;
	} slots[GUARDIAN_MAX_FLIGHTS];
	uint32_t first_free, slots_used; /* beyond the latter all are new */
	size_t flight_count, payload_bytes;
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

/* Once round the loop.  False: the control end has closed. */
bool guardian_step(struct guardian *g, int control_fd);

/* Reads what the worker said, a bounded number of messages. */
void run_read(struct guardian *g, struct run *run);
/* Answers a worker that waits, if there is something to say. */
void run_answer(struct guardian *g, struct run *run);
void run_free(struct guardian *g, struct run *run);
/* One more event about a flight; borrowed until the next.  Reply events need
 * octets and may be refused (NULL) when the worker does not keep up. */
struct wire_event *run_event(
    struct run *run, const struct flight *flight, enum wire_event_kind kind);
struct wire_event *run_reply(struct run *run, const struct flight *flight,
    const void *octets, size_t len);

/* Takes over payload (of entry->probe.payload_len octets, may be NULL). */
void flight_new(struct guardian *g, struct run *run,
    const struct wire_probe *entry, uint8_t *payload);
void flight_free(struct guardian *g, struct flight *flight);
/* Its timer went off. */
void flight_due(struct guardian *g, struct flight *flight, struct monotime now);
void flight_send_batch(struct guardian *g);
void flight_on_event(void *guardian, const struct net_event *event);
