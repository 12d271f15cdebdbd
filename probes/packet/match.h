/* SPDX-License-Identifier: ISC */
/*
 * Which probe does a packet answer?  Pure: what a packet says about the probe
 * it answers, and how well that fits a probe that was sent.
 *
 * Runs that probe the same target with the same flow are told apart by what
 * the answer shows of the probe.  ICMP errors quote it: over IPv4 by the IP
 * ID, which the guardian chooses so that it is unique among the probes in
 * flight in that flow (unless the script chose it), and in both families by
 * UDP checksum, TCP sequence number or echo sequence number.  Direct replies
 * show the echo id, sequence number and, by its checksum, payload; or the
 * acknowledged TCP sequence number; or, for UDP, nothing but ports.  An
 * answer that fits probes of two runs equally well goes to neither.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/addr.h"
#include "probes/packet/packet.h"
#include "probes/packet/probe.h"

/* The probe's flow: where answers are looked up. */
struct match_flow {
	struct addr dst;
	uint8_t proto;  /* PACKET_ICMP for both families */
	uint16_t sport; /* or echo id */
	uint16_t dport; /* or 0 */
};

struct match_sent {
	struct match_flow flow;
	struct addr src;
	uint16_t ip_id;    /* IPv4 */
	uint16_t checksum; /* upper, as sent */
	uint32_t tag;      /* TCP seq, echo seq, UDP checksum */
	uint32_t tcp_ack;
	uint32_t tcp_span; /* sequence numbers that it takes up */
};

struct match_answer {
	struct match_flow flow; /* of the probe */
	struct addr to;         /* where the answer went */
	bool quoted;            /* an ICMP error */
	bool has_tag;
	uint16_t ip_id, checksum;
	uint32_t tag; /* quoted; or echo seq; or TCP ack */
	uint32_t tcp_seq;
	bool tcp_acks;
};

/* False: this packet answers nothing. */
bool match_read(struct match_answer *answer, const struct packet *packet);

/* 0: it does not answer this probe; 1: weak, believe it only if no other
 * probe fits; more: the larger the better. */
unsigned match_score(
    const struct match_answer *answer, const struct match_sent *sent);

struct match_sent match_sent_of(
    const struct probe *probe, const struct addr *src, const uint8_t *packet);

uint64_t match_hash(const struct match_flow *flow, uint64_t key);
bool match_flow_equal(const struct match_flow *a, const struct match_flow *b);
