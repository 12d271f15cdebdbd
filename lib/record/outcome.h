/* SPDX-License-Identifier: ISC */
/*
 * What became of a probe: the one place that decides it.  Whoever needs to
 * know reads Sonde__Reply.outcome; only what packs a reply, and reply_outcome
 * for records of agents that did not, ask here.
 *
 * Of several replies to one probe the rank decides, not the order in which
 * they came: advice (a redirect, a source quench) is none; an answer of the
 * target is worth more than what somebody else says of it.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/addr.h"
#include "lib/record/record.h"

/* One reply, and what of its probe the decision needs. */
struct outcome_reply {
	struct addr target, from;
	uint8_t probe_proto; /* enum packet_proto; PACKET_ICMP for both */
	bool icmp;           /* the reply is ICMP or ICMPv6: */
	uint8_t icmp_type, icmp_code;
	bool receipt;   /* TCP has the data; what it answers may follow */
	bool late;      /* it came after the probe's wait */
	bool ambiguous; /* it may be another probe's */
};

enum outcome_rank {
	OUTCOME_RANK_ADVICE, /* no outcome at all */
	OUTCOME_RANK_AMBIGUOUS,
	OUTCOME_RANK_ERROR,        /* of somebody on the way */
	OUTCOME_RANK_TARGET_ERROR, /* of the target */
	OUTCOME_RANK_OTHER_ADDRESS,
	OUTCOME_RANK_RECEIPT, /* TCP of the target has the data */
	OUTCOME_RANK_ANSWER
};

struct outcome {
	Sonde__Outcome outcome; /* SILENT for advice */
	enum outcome_rank rank;
	/* The target is there: it answered, or said from its own address that
	 * the port is unreachable. */
	bool reached;
	/* Nothing better can come: who listens for the first reply need not
	 * listen any longer. */
	bool conclusive;
};
struct outcome outcome_decide(const struct outcome_reply *reply);

/* What a record says of one probe, also of a record whose agent did not decide
 * it.  method: Trace's or Ping's, "udp", "icmp", "tcp". */
Sonde__Outcome reply_outcome(const Sonde__Reply *reply,
    const ProtobufCBinaryData *dst, const char *method);
/* Does this probe show that the target is there? */
bool reply_reached(const Sonde__Reply *reply, const ProtobufCBinaryData *dst,
    const char *method);
/* It left this host; what did not counts neither as sent nor as lost. */
bool outcome_was_sent(Sonde__Outcome outcome);

/* "answered", "hop", "other-address", ...; "unknown" for none of them. */
const char *outcome_name(Sonde__Outcome outcome);
