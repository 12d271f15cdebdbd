/* SPDX-License-Identifier: ISC */
/*
 * Who may send what: verdict = policy(packet, who, state, now).  A pure
 * function of its arguments; the state is the token buckets and nothing else.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/addr.h"
#include "lib/base/clock.h"
#include "lib/base/addr-special.h"
#include "probes/packet/probe.h"

/* Names (policy_reason_name) are stable: records, counters and scripts show
 * them. */
enum policy_verdict {
	POLICY_ALLOW,
	POLICY_DENY_FAMILY,    /* "no-address" */
	POLICY_DENY_SPECIAL,   /* "special-purpose", IANA registries */
	POLICY_DENY_PRIVATE,   /* "private", remote campaigns */
	POLICY_DENY_MULTICAST, /* "multicast" */
	POLICY_DENY_BROADCAST, /* "broadcast", also directed */
	POLICY_DENY_OWN,       /* "own-address", remote campaigns */
	POLICY_DENY_LIST,      /* "deny-list", the operator's */
	POLICY_DENY_EMBEDDED,  /* "embedded-address": 6to4, NAT64, mapped.. */
	POLICY_DENY_PROTOCOL,  /* "protocol" */
	POLICY_DENY_FIELD,     /* "field": a value no probe may have */
	POLICY_DENY_PAYLOAD,   /* "payload": not granted */
	POLICY_DENY_SIZE,      /* "size" */
	POLICY_DENY_TARGETS,   /* "targets": too many distinct destinations */
	POLICY_DEFER,          /* "rate": may go at `not_before` */
	POLICY_DENY_RATE,      /* "rate-budget": it would wait too long */
	POLICY_VERDICTS
};

#define POLICY_MARK_BYTES 8 /* by which a run knows its echo replies */

enum policy_who {
	POLICY_LOCAL,  /* an administrator at this machine's command line */
	POLICY_REMOTE, /* a campaign from a collector */
	POLICY_WHOS
};

/* Made by probes/policy/policy-file.h before the guardian gives up its files.
 */
struct policy_class {
	uint32_t run_rate_pps, run_burst;       /* per run */
	uint32_t prefix_rate_pps, prefix_burst; /* per destination /24, /48 */
	uint32_t agent_rate_pps, agent_burst;   /* all runs together */
	uint32_t max_size_bytes;
	uint32_t max_targets; /* distinct, per run */
	bool allow_private;   /* RFC 1918, shared, link-local, ULA */
	bool allow_own;       /* this machine's own addresses */
	bool allow_loopback;
	bool allow_special;   /* documentation, benchmarking, ... */
	bool allow_payload;   /* octets of the script's choice; an echo may
				 begin with POLICY_MARK_BYTES all the same */
	bool allow_tcp_flags; /* more than SYN alone or ACK alone */
	bool allow_tcp_hold; /* conversations: the kernel does not reset them */
	bool obey_deny_list;
};

struct policy {
	struct policy_class classes[POLICY_WHOS];
	struct prefix *deny; /* owned; sorted, none inside another */
	size_t deny_count;
	int64_t max_defer_ns; /* a probe that must wait longer is denied */
};

const char *policy_reason_name(enum policy_verdict verdict);
/* All of those that refuse, by verdict; NULL in the place of others. */
void policy_refusal_names(const char *names[static POLICY_VERDICTS]);

/* The token buckets of all destinations and of the agent; those of one run,
 * with the set of its targets.  key: 64 secret bits. */
struct policy_state *policy_state_new(uint64_t key);
void policy_state_free(struct policy_state *state);
struct policy_run *policy_run_new(void);
void policy_run_free(struct policy_run *run);

/* The bucket that a deferred probe waits for; NULL at first. */
struct policy_hold {
	struct bucket *bucket; /* of the state or of the run */
};

struct policy_request {
	enum policy_who who;
	const struct probe *probe;
	bool own, broadcast; /* is_own, is_broadcast of any policy_place */
	struct policy_run *run;
	struct policy_hold *hold;
	struct monotime due; /* when the script wanted it to go */
	struct monotime now;
};

/* POLICY_ALLOW: has taken its tokens, send it now.  POLICY_DEFER: ask again at
 * *not_before with the same hold, or call policy_release.  Else denied. */
enum policy_verdict policy_check(const struct policy *policy,
    struct policy_state *state, const struct policy_request *request,
    struct monotime *not_before);
/* A deferred probe will not be sent after all. */
void policy_release(struct policy_hold *hold);

/* The parts of policy_check that need no state. */
enum policy_verdict policy_check_address(const struct policy *policy,
    enum policy_who who, const struct addr *dst, bool own, bool broadcast);
enum policy_verdict policy_check_fields(const struct policy *policy,
    enum policy_who who, const struct probe *probe);

/* Where a packet to dst may end: dst, and IPv4 addresses that it embeds. */
#define POLICY_PLACES (1 + SPECIAL_EMBEDDED)
size_t policy_places(
    const struct addr *dst, struct addr places[static POLICY_PLACES]);
