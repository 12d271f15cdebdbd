// SPDX-License-Identifier: ISC
/*
 * Answers to probes.  Specification: RFC 792 and RFC 4443 (echo, and errors
 * that quote), RFC 9293 section 3.5 (which sequence and acknowledgement
 * numbers SYN-ACK and RST carry).
 */
#include "probes/packet/match.h"

enum { NO_FIT, WEAK, FITS, FITS_WELL };

static uint8_t plain_proto(uint8_t proto)
{
	return proto == PACKET_ICMP6 ? PACKET_ICMP : proto;
}

static bool read_quote(struct match_answer *answer, const struct packet *error)
{
	struct packet q;
	if (packet_decode_quote(&q, error) != 0 || q.src.family == 0)
		return false;
	size_t upper = error->quote_len > q.ip_header_len
			   ? error->quote_len - q.ip_header_len
			   : 0;
	bool echo = q.icmp_type == (q.proto == PACKET_ICMP ? 8 : 128);
	answer->quoted = true;
	answer->ip_id = q.ip_id;
	answer->has_tag = upper >= 8; /* octets that every router quotes */
	answer->flow = (struct match_flow){ .dst = q.dst,
		.proto = plain_proto(q.proto),
		.sport = q.sport,
		.dport = q.dport };
	switch (answer->flow.proto) {
	case PACKET_UDP: answer->tag = q.l4_checksum; return upper >= 4;
	case PACKET_TCP: answer->tag = q.tcp_seq; return upper >= 4;
	case PACKET_ICMP:
		answer->flow.sport = q.icmp_id;
		answer->flow.dport = 0;
		answer->tag = q.icmp_seq;
		return upper >= 8 && echo;
	default: return false;
	}
}

static bool read_direct(struct match_answer *answer, const struct packet *p)
{
	uint8_t flags = p->tcp_flags & (PACKET_TCP_SYN | PACKET_TCP_ACK);
	answer->has_tag = true;
	answer->ip_id = p->ip_id;
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
		answer->tcp_acks = p->tcp_flags & PACKET_TCP_ACK;
		return p->tcp_flags & PACKET_TCP_RST ||
		       flags == (PACKET_TCP_SYN | PACKET_TCP_ACK);
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
	*answer = (struct match_answer){ .to = packet->dst };
	if (packet->fragment && !packet->first_fragment)
		return false;
	if (packet_is_icmp_error(packet))
		return read_quote(answer, packet);
	return read_direct(answer, packet);
}

static unsigned score_quote(
    const struct match_answer *answer, const struct match_sent *sent)
{
	bool tag = answer->has_tag && answer->tag == sent->tag;
	if (sent->flow.dst.family == 6)
		return tag ? FITS_WELL : NO_FIT;
	if (answer->ip_id == sent->ip_id)
		return tag ? FITS_WELL : FITS;
	return tag ? WEAK : NO_FIT; /* somebody rewrote the IP ID */
}

/* The checksum of an echo reply is that of its request but for the type. */
static bool same_echo(
    const struct match_answer *answer, const struct match_sent *sent)
{
	uint32_t step = sent->flow.dst.family == 4 ? 0x0800 : 0xffff - 0x0100;
	uint32_t sum = sent->checksum + step;
	sum = (sum & 0xffff) + (sum >> 16);
	return sum % 0xffff == answer->checksum % 0xffff;
}

static unsigned score_tcp(
    const struct match_answer *answer, const struct match_sent *sent)
{
	if (!answer->tcp_acks)
		return answer->tcp_seq == sent->tcp_ack ? FITS_WELL : NO_FIT;
	uint32_t acked = answer->tag - sent->tag; /* modulo 2^32 */
	if (acked == sent->tcp_span)
		return FITS_WELL;
	return acked < sent->tcp_span ? FITS : NO_FIT;
}

unsigned match_score(
    const struct match_answer *answer, const struct match_sent *sent)
{
	if (!match_flow_equal(&answer->flow, &sent->flow))
		return NO_FIT;
	if (answer->quoted)
		return score_quote(answer, sent);
	if (!addr_equal(&answer->to, &sent->src))
		return NO_FIT;
	switch (sent->flow.proto) {
	case PACKET_TCP: return score_tcp(answer, sent);
	case PACKET_ICMP:
		if (answer->tag != sent->tag)
			return NO_FIT;
		return same_echo(answer, sent) ? FITS_WELL : FITS;
	default: break;
	}
	/* A probe of this machine to itself, from a port to the same port, is
	 * not its own answer. */
	bool itself = addr_equal(&sent->src, &sent->flow.dst) &&
		      answer->ip_id == sent->ip_id &&
		      answer->checksum == sent->checksum;
	return itself ? NO_FIT : FITS;
}

struct match_sent match_sent_of(
    const struct probe *probe, const struct addr *src, const uint8_t *packet)
{
	const uint8_t *upper = packet + (probe->dst.family == 4 ? 20 : 40);
	size_t at = probe->proto == PACKET_TCP   ? 16
		    : probe->proto == PACKET_UDP ? 6
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
		.tcp_ack = probe->tcp_ack,
		.tcp_span = probe->payload_len +
			    (probe->tcp_flags & PACKET_TCP_SYN ? 1u : 0u),
	};
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
	return addr_hash(&flow->dst, key ^ (uint64_t)flow->proto << 32 ^
					 (uint64_t)flow->sport << 16 ^
					 flow->dport);
}

bool match_flow_equal(const struct match_flow *a, const struct match_flow *b)
{
	return a->proto == b->proto && a->sport == b->sport &&
	       a->dport == b->dport && addr_equal(&a->dst, &b->dst);
}
