/* SPDX-License-Identifier: ISC */
/*
 * Who may send what: verdict = policy(packet, who, state, now).  A pure
 * function of its arguments; the state is the token buckets and nothing else.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/addr.h"
#include "lib/clock.h"
#include "probes/packet/probe.h"

/* Names (policy_reason_name) are stable: records, counters and scripts show
 * them. */
enum policy_verdict {
	POLICY_ALLOW,
	POLICY_DENY_FAMILY,      /* "no-address" */
	POLICY_DENY_SPECIAL,     /* "special-purpose", IANA registries */
	POLICY_DENY_PRIVATE,     /* "private", remote campaigns */
	POLICY_DENY_MULTICAST,   /* "multicast" */
	POLICY_DENY_BROADCAST,   /* "broadcast", also directed */
	POLICY_DENY_OWN,         /* "own-address", remote campaigns */
	POLICY_DENY_LIST,        /* "deny-list", the operator's */
	POLICY_DENY_EMBEDDED,    /* "embedded-address": 6to4, NAT64, mapped.. */
	POLICY_DENY_PROTOCOL,    /* "protocol" */
	POLICY_DENY_FIELD,       /* "field": a value no probe may have */
	POLICY_DENY_PAYLOAD,     /* "payload": not granted, or amplifier-shaped */
	POLICY_DENY_SIZE,        /* "size" */
	POLICY_DENY_TARGETS,     /* "targets": too many distinct destinations */
	POLICY_DEFER,            /* "rate": may go at `not_before` */
	POLICY_DENY_RATE,        /* "rate-budget": queue would exceed deadline */
	POLICY_VERDICTS
};

enum policy_who {
	POLICY_LOCAL,  /* an administrator at this machine's command line */
	POLICY_REMOTE, /* a campaign from a collector */
};

/* Read before the guardian gives up its files; man/sonde-policy.5. */
struct policy_class {
	uint32_t run_rate_pps, run_burst;       /* per run */
	uint32_t prefix_rate_pps, prefix_burst; /* per destination /24, /48 */
	uint32_t agent_rate_pps, agent_burst;   /* all runs together */
	uint32_t max_size_bytes;
	uint32_t max_targets;                   /* distinct, per run */
	bool allow_private, allow_own, allow_loopback, allow_payload;
};

struct policy {
	struct policy_class classes[2]; /* by enum policy_who */
	struct prefix *deny;            /* owned; the operator's list */
	size_t deny_count;
};

const char *policy_reason_name(enum policy_verdict verdict);
