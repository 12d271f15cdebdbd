/* SPDX-License-Identifier: ISC */
/*
 * Answers to probes.  Specification: RFC 792 and RFC 4443 (echo, and errors
 * that quote), RFC 9293 section 3.5 (which sequence and acknowledgement
 * numbers SYN-ACK and RST carry), RFC 5508 section 4.2, RFC 6296 and RFC 1624
 * (what translators do to quotes and to checksums).
 */
#include <string.h>

#include "probes/packet/match.h"

/* Octets of a declared answer that nobody sends by chance. */
#define ANSWER_PROVES 4

static uint8_t plain_proto(uint8_t proto)
{
	return proto == PACKET_ICMP6 ? PACKET_ICMP : proto;
}

/* Over IPv4 a quote of the header alone still shows ID and addresses. */
static bool can_read_quote(struct packet *q, const struct packet *error)
{
	int err = packet_decode_quote(q, error);
	bool header = err == ERR_TRUNCATED && q->src.family == 4 &&
	    error->src.family == 4 && q->ip_header_len >= 20;
	return (err == 0 || header) && q->src.family != 0;
}

static bool read_quote(struct match_answer *answer, const struct packet *error)
{
	struct packet q;
	if (!can_read_quote(&q, error))
		return false;
	size_t upper = error->quote_len > q.ip_header_len
	    ? error->quote_len - q.ip_header_len
	    : 0;
	bool four = q.src.family == 4;
	bool echo = q.icmp_type == (q.proto == PACKET_ICMP ? 8 : 128) &&
	    q.icmp_code == 0;
	answer->quoted = true;
	answer->has_ports = upper >= (q.proto == PACKET_ICMP ? 8 : 4);
	answer->has_sum = upper >= (q.proto == PACKET_ICMP ? 4 : 8);
	answer->src = q.src;
	answer->ip_id = q.ip_id;
	answer->flow_label = q.flow_label;
	answer->checksum = q.l4_checksum;
	answer->has_tag = upper >= 8; /* octets that every router quotes */
	answer->flow = (struct match_flow){ .dst = q.dst,
		.proto = plain_proto(q.proto),
		.sport = q.sport,
		.dport = q.dport };
	switch (answer->flow.proto) {
	case PACKET_UDP:
		answer->tag = q.l4_checksum;
		answer->len = (uint16_t)(q.udp_len - 8);
		return upper >= 4 || four;
	case PACKET_TCP: answer->tag = q.tcp_seq; return upper >= 4 || four;
	case PACKET_ICMP:
		answer->flow.sport = q.icmp_id;
		answer->flow.dport = 0;
		answer->tag = q.icmp_seq;
		return upper >= 8 ? echo : four && (upper < 2 || echo);
	default: return false;
	}
}

static bool read_direct(struct match_answer *answer, const struct packet *p)
{
	answer->has_tag = answer->has_ports = answer->has_sum = true;
	answer->src = p->dst;
	answer->ip_id = p->ip_id;
	answer->len = (uint16_t)p->payload_wire_len;
	answer->payload = p->payload;
	answer->payload_len = p->payload ? p->payload_len : 0;
	answer->checksum = p->l4_checksum;
	answer->flow = (struct match_flow){ .dst = p->src,
		.proto = plain_proto(p->proto),
		.sport = p->dport,
		.dport = p->sport };
	switch (p->proto) {
	case PACKET_UDP: return p->dport != 0;
	case PACKET_TCP:
		answer->tag = p->tcp_ack;
		answer->tcp_seq = p->tcp_seq;
		answer->tcp_flags = p->tcp_flags;
		return p->tcp_flags & (PACKET_TCP_RST | PACKET_TCP_ACK);
	case PACKET_ICMP:
	case PACKET_ICMP6:
		answer->flow.sport = p->icmp_id;
		answer->flow.dport = 0;
		answer->tag = p->icmp_seq;
		return p->icmp_type == (p->proto == PACKET_ICMP ? 0 : 129);
	default: return false;
	}
}

bool match_read(struct match_answer *answer, const struct packet *packet)
{
	*answer =
	    (struct match_answer){ .from = packet->src, .to = packet->dst };
	if (packet->fragment && !packet->first_fragment)
		return false;
	if (packet_is_icmp_error(packet))
		return read_quote(answer, packet);
	return read_direct(answer, packet);
}

bool match_read_bytes(struct match_answer *answer, struct packet *packet,
    const uint8_t *bytes, size_t caplen, size_t wirelen)
{
	int err = packet_decode_ip(packet, bytes, caplen, wirelen);
	return (err == 0 || err == ERR_TRUNCATED) && packet->src.family != 0 &&
	    match_read(answer, packet);
}

/* What an address adds to the checksum of a packet from or to it; ICMP over
 * IPv4 has no pseudo header. */
static uint32_t address_sum(const struct match_flow *flow, const struct addr *a)
{
	uint32_t sum = 0;
	if (flow->proto == PACKET_ICMP && a->family == 4)
		return 0;
	for (size_t i = 0; i < addr_len(a); i += 2)
		sum += (uint32_t)a->bytes[i] << 8 | a->bytes[i + 1];
	return sum;
}

/* What a translator keeps when it writes another source over ours: the sum of
 * that and the checksum, modulo 0xffff. */
static uint32_t kept_sum(
    const struct match_flow *flow, const struct addr *src, uint16_t checksum)
{
	return (flow->sport + address_sum(flow, src) + checksum) % 0xffff;
}

static bool is_translation(
    const struct match_answer *answer, const struct match_sent *sent)
{
	if (!answer->has_tag)
		return false;
	if (sent->flow.proto != PACKET_UDP && answer->tag != sent->tag)
		return false;
	return sent->flow.proto == PACKET_TCP || /* its checksum is farther */
	    kept_sum(&answer->flow, &answer->src, answer->checksum) ==
	    kept_sum(&sent->flow, &sent->src, sent->checksum);
}

/* A translator of destinations keeps the sum of address, port and checksum,
 * which a quote of TCP has not, the source port, the length and, over IPv4, the
 * ID. */
enum match_fit match_fit_translated(
    const struct match_answer *answer, const struct match_sent *sent)
{
	const struct match_flow *a = &answer->flow, *s = &sent->flow;
	bool same = addr_equal(&a->dst, &s->dst) && a->dport == s->dport;
	if (!answer->quoted || !answer->has_tag || a->proto != s->proto ||
	    a->dst.family != s->dst.family || a->sport != s->sport || same ||
	    !addr_equal(&answer->src, &sent->src) ||
	    !(answer->to_own || addr_equal(&answer->to, &sent->src)))
		return MATCH_OTHER;
	if (s->dst.family == 4 ? answer->ip_id != sent->ip_id
			       : answer->flow_label != sent->flow_label)
		return MATCH_CONTRADICTS;
	if (s->proto == PACKET_UDP ? answer->len != sent->len
				   : answer->tag != sent->tag)
		return MATCH_CONTRADICTS;
	bool adds_up = s->proto == PACKET_TCP ||
	    (address_sum(a, &a->dst) + a->dport + answer->checksum) % 0xffff ==
		(address_sum(s, &s->dst) + s->dport + sent->checksum) % 0xffff;
	return adds_up ? MATCH_WEAK : MATCH_CONTRADICTS;
}

static enum match_fit fit_quote6(
    const struct match_answer *answer, const struct match_sent *sent)
{
	bool same = answer->flow.sport == sent->flow.sport && answer->has_tag &&
	    answer->tag == sent->tag;
	if (!same)
		return is_translation(answer, sent) ? MATCH_WEAK
						    : MATCH_CONTRADICTS;
	bool all = addr_equal(&answer->src, &sent->src) &&
	    answer->flow_label == sent->flow_label;
	return all ? MATCH_FITS_WELL : MATCH_FITS;
}

static enum match_fit fit_quote4(
    const struct match_answer *answer, const struct match_sent *sent)
{
	uint8_t proto = sent->flow.proto;
	bool id = answer->ip_id == sent->ip_id;
	bool tag = answer->has_tag && answer->tag == sent->tag;
	bool sum = proto == PACKET_TCP || answer->checksum == sent->checksum;
	if (proto == PACKET_UDP && answer->has_tag && answer->len != sent->len)
		return MATCH_CONTRADICTS;
	if (answer->flow.sport != sent->flow.sport ||
	    !addr_equal(&answer->src, &sent->src))
		return id && is_translation(answer, sent) ? MATCH_WEAK
							  : MATCH_CONTRADICTS;
	if (id && tag && sum)
		return MATCH_FITS_WELL;
	if (id && !answer->has_tag)
		return MATCH_FITS;
	/* Firewalls rewrite IP IDs, TCP sequence numbers and, translating the
	 * quote back, not always its checksum; but no echo's number. */
	bool rewritten = proto == PACKET_ICMP ? tag && (id || sum) : tag || id;
	return rewritten ? MATCH_WEAK : MATCH_CONTRADICTS;
}

/* So little was quoted that only the IP ID tells probes to a target apart. */
static enum match_fit fit_header4(
    const struct match_answer *answer, const struct match_sent *sent)
{
	bool sum = !answer->has_sum || answer->checksum == sent->checksum;
	return answer->ip_id == sent->ip_id && sum &&
		addr_equal(&answer->src, &sent->src)
	    ? MATCH_WEAK
	    : MATCH_CONTRADICTS;
}

/* Two runs that chose the same id differ in how their payload begins. */
static bool same_mark(
    const struct match_answer *answer, const struct match_sent *sent)
{
	size_t len = sent->len < MATCH_MARK ? sent->len : MATCH_MARK;
	if (answer->payload_len < len)
		len = answer->payload_len;
	return len == 0 || memcmp(answer->payload, sent->mark, len) == 0;
}

/* Nobody guesses a whole mark, so whatever else is not as it was sent, the
 * reply is this probe's.  Zeros are none. */
static bool shows_mark(
    const struct match_answer *answer, const struct match_sent *sent)
{
	static const uint8_t none[MATCH_MARK];
	return sent->len >= MATCH_MARK && answer->payload_len >= MATCH_MARK &&
	    memcmp(sent->mark, none, MATCH_MARK) != 0;
}

/* The checksum of an echo reply is that of its request but for the type and, if
 * it came from or went to another address, over IPv6 for that.  Some hosts
 * return only the beginning of a long payload, or another end of it, with a
 * sum of its own; ping(8) and fping(8) count those. */
static enum match_fit fit_echo(
    const struct match_answer *answer, const struct match_sent *sent)
{
	uint32_t step = sent->flow.dst.family == 4 ? 0x0800 : 0xffff - 0x0100;
	uint32_t then = address_sum(&sent->flow, &sent->flow.dst) +
	    address_sum(&sent->flow, &sent->src);
	uint32_t now = address_sum(&sent->flow, &answer->from) +
	    address_sum(&sent->flow, &answer->to);
	bool same = (sent->checksum + step + then) % 0xffff ==
	    (answer->checksum + now) % 0xffff;
	if (answer->tag != sent->tag || !same_mark(answer, sent))
		return MATCH_CONTRADICTS;
	if (answer->len == sent->len && same)
		return MATCH_FITS_WELL;
	return answer->len < sent->len || shows_mark(answer, sent)
	    ? MATCH_FITS
	    : MATCH_CONTRADICTS;
}

/* SYN-ACK and RST acknowledge all of the segment, or its SYN but no data; only
 * a reset of a segment that acknowledged something does not.  What else answers
 * such a segment acknowledges it too, and goes on behind what it acknowledged,
 * within the window that it gave. */
static enum match_fit fit_tcp(
    const struct match_answer *answer, const struct match_sent *sent)
{
	uint32_t syn = (sent->tcp_flags & PACKET_TCP_SYN) != 0;
	uint32_t fin = (sent->tcp_flags & PACKET_TCP_FIN) != 0;
	uint32_t acked = answer->tag - sent->tag; /* modulo 2^32 */
	bool reset = answer->tcp_flags & PACKET_TCP_RST;
	bool begins = answer->tcp_flags & PACKET_TCP_SYN;
	if (!(answer->tcp_flags & PACKET_TCP_ACK))
		return sent->tcp_flags & PACKET_TCP_ACK &&
			answer->tcp_seq == sent->tcp_ack
		    ? MATCH_FITS_WELL
		    : MATCH_CONTRADICTS;
	if (!reset && begins != (syn != 0))
		return MATCH_CONTRADICTS;
	if (!reset && !begins &&
	    answer->tcp_seq - sent->tcp_ack > sent->tcp_window)
		return MATCH_CONTRADICTS;
	if (acked == syn + sent->len + fin)
		return MATCH_FITS_WELL;
	return syn && acked == 1 ? MATCH_FITS : MATCH_CONTRADICTS;
}

static enum match_fit fit_udp(
    const struct match_answer *answer, const struct match_sent *sent)
{
	/* A probe of this machine to itself, from a port to the same port, is
	 * not its own answer. */
	bool itself = addr_equal(&sent->src, &sent->flow.dst) &&
	    answer->ip_id == sent->ip_id && answer->checksum == sent->checksum;
	if (itself)
		return MATCH_OTHER;
	if (sent->answer_len == 0)
		return MATCH_FITS;
	size_t end = (size_t)sent->answer_offset + sent->answer_len;
	return answer->payload_len >= end &&
		memcmp(answer->payload + sent->answer_offset, sent->answer,
		    sent->answer_len) == 0
	    ? MATCH_FITS_WELL
	    : MATCH_CONTRADICTS;
}

static enum match_fit fit_direct(
    const struct match_answer *answer, const struct match_sent *sent)
{
	if (answer->flow.sport != sent->flow.sport)
		return MATCH_OTHER;
	if (sent->flow.proto == PACKET_TCP)
		return fit_tcp(answer, sent);
	if (sent->flow.proto == PACKET_ICMP)
		return fit_echo(answer, sent);
	return fit_udp(answer, sent);
}

enum match_fit match_fit(
    const struct match_answer *answer, const struct match_sent *sent)
{
	const struct match_flow *a = &answer->flow, *s = &sent->flow;
	if (a->proto != s->proto || !addr_equal(&a->dst, &s->dst) ||
	    (answer->has_ports && a->dport != s->dport) ||
	    !(answer->to_own || addr_equal(&answer->to, &sent->src)))
		return MATCH_OTHER;
	if (!answer->has_ports)
		return fit_header4(answer, sent);
	if (!answer->quoted)
		return fit_direct(answer, sent);
	return s->dst.family == 6 ? fit_quote6(answer, sent)
				  : fit_quote4(answer, sent);
}

/* Who answers a datagram from another port has the target's address; who does
 * from another address has its port; who has neither holds what was declared.
 * What this host sends to itself comes to it too: a probe to a port that
 * another probe is from is no answer to that. */
static bool is_elsewhere(const struct match_answer *answer,
    const struct match_sent *sent, enum match_fit fit)
{
	bool here = addr_equal(&answer->flow.dst, &sent->flow.dst);
	bool port = answer->flow.dport == sent->flow.dport;
	bool declared =
	    fit == MATCH_FITS_WELL && sent->answer_len >= ANSWER_PROVES;
	if (sent->flow.proto != PACKET_UDP)
		return port && fit == MATCH_FITS_WELL;
	if (port || declared)
		return fit >= MATCH_FITS;
	return here && fit >= MATCH_FITS &&
	    !addr_equal(&sent->src, &sent->flow.dst);
}

enum match_fit match_fit_elsewhere(
    const struct match_answer *answer, const struct match_sent *sent)
{
	if (answer->quoted || answer->flow.proto != sent->flow.proto ||
	    answer->from.family != sent->flow.dst.family ||
	    !(answer->to_own || addr_equal(&answer->to, &sent->src)))
		return MATCH_OTHER;
	enum match_fit fit = fit_direct(answer, sent);
	return is_elsewhere(answer, sent, fit) ? fit : MATCH_OTHER;
}

/* Does it acknowledge data and say no more? */
static bool is_receipt(
    const struct match_sent *sent, const struct packet *reply)
{
	return sent->len > 0 && reply->proto == PACKET_TCP &&
	    reply->payload_wire_len == 0 &&
	    (reply->tcp_flags &
		(PACKET_TCP_SYN | PACKET_TCP_FIN | PACKET_TCP_RST)) == 0;
}

struct outcome match_outcome(const struct match_sent *sent,
    const struct packet *reply, bool late, bool ambiguous)
{
	const struct outcome_reply r = { .target = sent->flow.dst,
		.from = reply->src,
		.probe_proto = sent->flow.proto,
		.icmp = plain_proto(reply->proto) == PACKET_ICMP,
		.icmp_type = reply->icmp_type,
		.icmp_code = reply->icmp_code,
		.receipt = is_receipt(sent, reply),
		.late = late,
		.ambiguous = ambiguous };
	return outcome_decide(&r);
}

struct match_sent match_sent_of(
    const struct probe *probe, const struct addr *src, const uint8_t *packet)
{
	const uint8_t *upper = packet + (probe->dst.family == 4 ? 20 : 40);
	size_t at = probe->proto == PACKET_TCP ? 16
	    : probe->proto == PACKET_UDP       ? 6
					       : 2;
	struct match_sent sent = {
		.flow = { .dst = probe->dst,
		    .proto = probe->proto,
		    .sport = probe->sport,
		    .dport = probe->dport },
		.src = *src,
		.ip_id = probe->ip_id,
		.checksum = (uint16_t)(upper[at] << 8 | upper[at + 1]),
		.tag = probe->tcp_seq,
		.flow_label = probe->flow_label,
		.len = probe->payload_len,
		.tcp_flags = probe->tcp_flags,
		.tcp_ack = probe->tcp_ack,
		.tcp_window = probe->tcp_window,
		.answer_offset = probe->answer_offset,
		.answer_len = probe->answer_len,
	};
	size_t header = probe->proto == PACKET_TCP ? 20 : 8;
	size_t marked = sent.len < MATCH_MARK ? sent.len : MATCH_MARK;
	memcpy(sent.mark, upper + header, marked);
	memcpy(sent.answer, probe->answer, sizeof(sent.answer));
	if (probe->proto == PACKET_UDP)
		sent.tag = sent.checksum;
	if (probe->proto == PACKET_ICMP) {
		sent.flow.sport = probe->icmp_id;
		sent.flow.dport = 0;
		sent.tag = probe->icmp_seq;
	}
	return sent;
}

uint64_t match_hash(const struct match_flow *flow, uint64_t key)
{
	return addr_hash(
	    &flow->dst, key ^ (uint64_t)flow->proto << 16 ^ flow->dport);
}

/* Direct answers of UDP and TCP do not show the tag. */
static uint64_t past_hash(
    const struct match_flow *flow, bool has_tag, uint32_t tag, uint64_t key)
{
	uint64_t number = has_tag ? UINT64_C(1) << 48 | tag : 0;
	uint64_t hash =
	    match_hash(flow, key ^ number ^ (uint64_t)flow->sport << 49);
	return hash ? hash : 1; /* 0 is a free place */
}

void match_past_add(
    struct match_past *past, const struct match_sent *sent, uint64_t key)
{
	for (int has_tag = 0; has_tag < 2; has_tag++) {
		uint64_t hash = past_hash(&sent->flow, has_tag, sent->tag, key);
		past->hashes[hash % MATCH_PAST] = hash;
	}
}

bool match_past_has(const struct match_past *past,
    const struct match_answer *answer, uint64_t key)
{
	bool has_tag = answer->flow.proto == PACKET_ICMP ||
	    (answer->quoted && answer->has_tag);
	uint64_t hash = past_hash(&answer->flow, has_tag, answer->tag, key);
	return past->hashes[hash % MATCH_PAST] == hash;
}
