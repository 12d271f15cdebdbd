/* SPDX-License-Identifier: ISC */
/*
 * Which probe does a packet answer?  Pure: what a packet shows of the probe
 * it answers, and how well that fits a probe that was sent.  Everything that
 * it proves must agree; what others may have changed on the way proves
 * nothing.
 *
 * ICMP errors quote the probe.  Time to live, type of service, length and
 * header checksum are the routers' to change and are not looked at.  What
 * distinguishes probes of one flow is, over IPv4, the IP ID, which the guardian
 * draws so that it is unique among the probes in flight to that target
 * (unless the script chose it), and in both families the tag: UDP checksum,
 * TCP or echo sequence number.  An address translator that does not translate
 * quotes back (RFC 5508 section 4.2 says it must) shows itself by another
 * source; then the ID (over IPv4) must agree, and its arithmetic in the
 * checksum must add up, so that the answer still proves that it saw the probe.
 * So it is with another destination or port of it, where nothing fits that was
 * sent to it.  Routers are to quote 8 octets behind the header (RFC 792); where
 * one quotes fewer, over IPv4, ID and addresses prove it if one probe has them.
 *
 * Direct replies come to our address and port.  Echo replies show id, sequence
 * number and payload; TCP what was acknowledged: the SYN-ACK of a SYN, any
 * segment that answers one with an acknowledgement, a reset of either.  A UDP
 * reply shows nothing but addresses and ports, unless the probe declares what
 * its answer holds.  Services answer from a port of their own (TFTP, RFC 1350
 * section 4) and hosts from another address of theirs: one of the two must be
 * the target's, or the declared place hold what it must.
 *
 * An answer that fits several probes equally well is given to none of them
 * (probes/packet/match-table.h).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/addr.h"
#include "lib/packet/packet.h"
#include "lib/record/outcome.h"
#include "probes/packet/probe.h"

struct match_flow {
	struct addr dst;
	uint8_t proto;  /* PACKET_ICMP for both families */
	uint16_t sport; /* or echo id */
	uint16_t dport; /* or 0 */
};

#define MATCH_MARK 8
struct match_sent {
	struct match_flow flow;
	struct addr src;
	uint32_t flow_label; /* IPv6 */
	uint16_t ip_id;      /* IPv4 */
	uint16_t checksum;   /* upper, as sent */
	uint16_t len;        /* of the payload */
	uint8_t tcp_flags;
	uint32_t tag; /* TCP seq, echo seq, UDP checksum */
	uint32_t tcp_ack;
	uint16_t tcp_window;
	uint8_t mark[MATCH_MARK]; /* how the payload begins */
	uint16_t answer_offset;   /* as in struct probe */
	uint8_t answer_len;
	uint8_t answer[PROBE_ANSWER_MAX];
};

struct match_answer {
	struct match_flow flow; /* of the probe */
	struct addr src;        /* of the probe: quoted, or where this went */
	struct addr from, to;   /* where this came from and went */
	bool to_own;            /* the caller's: an address of this host, though
				   not the one that the probe left from: the
				   kernel translates our packets */
	bool quoted;            /* an ICMP error */
	bool has_tag, has_ports, has_sum; /* a quote shows so much */
	uint16_t ip_id, checksum, len;
	uint32_t flow_label;
	uint32_t tag; /* quoted; or echo seq; or TCP ack */
	uint32_t tcp_seq;
	uint8_t tcp_flags;
	const uint8_t *payload; /* of a direct answer; borrowed */
	size_t payload_len;     /* of these octets */
};

/* False: this packet answers nothing. */
bool match_read(struct match_answer *answer, const struct packet *packet);
/* The same of an IP packet as it came, which is decoded for it. */
bool match_read_bytes(struct match_answer *answer, struct packet *packet,
    const uint8_t *bytes, size_t caplen, size_t wirelen);

enum match_fit {
	MATCH_OTHER,       /* another flow */
	MATCH_CONTRADICTS, /* this flow, but not this probe */
	MATCH_WEAK,        /* believe it only if no other probe fits */
	MATCH_FITS,
	MATCH_FITS_WELL
};
enum match_fit match_fit(
    const struct match_answer *answer, const struct match_sent *sent);

/* The same of a quote with another destination, or port of it, than the
 * probe's: a router behind a translator quotes what came to it. */
enum match_fit match_fit_translated(
    const struct match_answer *answer, const struct match_sent *sent);

/* The same of a direct answer from another address than the target's, or from
 * another port of a datagram's. */
enum match_fit match_fit_elsewhere(
    const struct match_answer *answer, const struct match_sent *sent);

/* What a reply makes of the probe that it answers. */
struct outcome match_outcome(const struct match_sent *sent,
    const struct packet *reply, bool late, bool ambiguous);

struct match_sent match_sent_of(
    const struct probe *probe, const struct addr *src, const uint8_t *packet);

/* Probes that one answer may fit have the same hash; the source port, which a
 * translator may have changed, is not in it. */
uint64_t match_hash(const struct match_flow *flow, uint64_t key);

/* Which probes no run listens for any more: the last few thousand of them, by
 * keyed hash. */
#define MATCH_PAST 4096
struct match_past {
	uint64_t hashes[MATCH_PAST];
};
void match_past_add(
    struct match_past *past, const struct match_sent *sent, uint64_t key);
bool match_past_has(const struct match_past *past,
    const struct match_answer *answer, uint64_t key);
