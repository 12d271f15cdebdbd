/* SPDX-License-Identifier: ISC */
/*
 * From the IP header to the payload.  Specification: RFC 791, RFC 8200
 * (with the extension headers of RFC 4302, 5533, 6275 and 7401), RFC 768,
 * RFC 9293, RFC 792, RFC 4443.  Every header is taken by one check of its
 * whole length; a packet that is quoted by an ICMP error is read by the same
 * code, with lengths that are not believed.
 *
 *  0               1               2               3
 * |Version|  IHL  |      TOS      |         Total length          |
 * |         Identification        |Flags|     Fragment offset     |
 * |      TTL      |   Protocol    |        Header checksum        |
 * |                        Source address                         |
 * |                     Destination address                       |
 *
 * |Version| Traffic class |              Flow label               |
 * |         Payload length        |  Next header  |   Hop limit   |
 * |                   Source address, 16 octets                   |
 * |                 Destination address, 16 octets                |
 */
#include "lib/packet/decode.h"
#include "lib/packet/octets.h"

enum {
	IP6_HOP_BY_HOP = 0,
	IP6_ROUTING = 43,
	IP6_FRAGMENT = 44,
	IP6_AUTHENTICATION = 51,
	IP6_DESTINATION = 60,
	IP6_MOBILITY = 135,
	IP6_HIP = 139,
	IP6_SHIM = 140,
	PROTO_DCCP = 33,
	PROTO_SCTP = 132,
	PROTO_UDPLITE = 136,
	MORE_FRAGMENTS = 0x2000,
	OFFSET_BITS = 0x1fff
};

static void set_payload(struct packet *p, const struct span *s)
{
	p->payload = s->wire > 0 ? s->pos : NULL;
	p->payload_len = s->captured;
	p->payload_wire_len = s->wire;
}

/* Ports are worth having even when the rest of the header is not there. */
static void take_ports(struct packet *p, const struct span *s)
{
	if (s->captured < 4)
		return;
	p->sport = load_be16(s->pos);
	p->dport = load_be16(s->pos + 2);
}

/* The capture, or the first fragment, ends inside the upper header: its ports
 * are worth more than nothing. */
static bool is_worth_having(
    const struct packet *p, const struct span *s, size_t whole)
{
	return s->captured >= 4 && (s->wire >= whole || p->first_fragment);
}

static int keep_cut_header(struct packet *p, struct span *s, size_t len)
{
	p->headers_cut = true;
	p->payload_wire_len = s->wire > len ? s->wire - len : 0;
	return 0;
}

static int decode_cut_tcp(struct packet *p, struct span *s)
{
	if (!is_worth_having(p, s, 20))
		return span_error(s, 20);
	if (s->captured < 13)
		return keep_cut_header(p, s, s->wire);
	size_t header_len = s->pos[12] >> 4 << 2;
	if (header_len < 20)
		return ERR_MALFORMED;
	if (s->captured >= 14) {
		p->tcp_ack = load_be32(s->pos + 8);
		p->tcp_flags = s->pos[13];
		p->has_tcp_flags = true;
	}
	if (s->captured >= 16)
		p->tcp_window = load_be16(s->pos + 14);
	return keep_cut_header(p, s, header_len);
}

static int decode_tcp(struct packet *p, struct span *s, enum decode_mode mode)
{
	take_ports(p, s);
	if (s->captured >= 8)
		p->tcp_seq = load_be32(s->pos + 4);
	if (s->captured < 20)
		return mode == DECODE_FRAME ? decode_cut_tcp(p, s)
					    : span_error(s, 20);
	p->tcp_ack = load_be32(s->pos + 8);
	p->tcp_flags = s->pos[13];
	p->has_tcp_flags = true;
	p->tcp_window = load_be16(s->pos + 14);
	p->l4_checksum = load_be16(s->pos + 16);
	unsigned header_len = s->pos[12] >> 4 << 2;
	if (header_len < 20)
		return ERR_MALFORMED;
	p->tcp_header_len = (uint8_t)header_len;
	/* Bots in the field state options that they do not send. */
	if (s->captured < header_len)
		return mode == DECODE_FRAME ? keep_cut_header(p, s, header_len)
					    : span_error(s, header_len);
	if (header_len > 20)
		p->tcp_options = s->pos + 20;
	span_skip(s, header_len);
	set_payload(p, s);
	return 0;
}

static int decode_cut_udp(struct packet *p, struct span *s)
{
	if (!is_worth_having(p, s, 8))
		return span_error(s, 8);
	if (s->captured >= 6)
		p->udp_len = load_be16(s->pos + 4);
	return keep_cut_header(p, s, 8);
}

/* A datagram of more than 65,535 octets says 0 (RFC 2675 section 4). */
static bool is_jumbo(const struct packet *p, const struct span *s)
{
	return p->udp_len == 0 && s->wire > UINT16_MAX;
}

static int decode_udp(struct packet *p, struct span *s, enum decode_mode mode)
{
	take_ports(p, s);
	if (s->captured < 8)
		return mode == DECODE_FRAME ? decode_cut_udp(p, s)
					    : span_error(s, 8);
	p->udp_len = load_be16(s->pos + 4);
	p->l4_checksum = load_be16(s->pos + 6);
	/* A first fragment holds less than its datagram. */
	bool may_exceed = p->fragment || mode == DECODE_QUOTE;
	bool jumbo = mode == DECODE_FRAME && is_jumbo(p, s);
	if ((p->udp_len < 8 && !jumbo) || (p->udp_len > s->wire && !may_exceed))
		return ERR_MALFORMED;
	if (p->udp_len < s->wire && !jumbo)
		span_limit(s, p->udp_len);
	span_skip(s, 8);
	set_payload(p, s);
	return 0;
}

static bool has_echo_fields(const struct packet *p)
{
	if (p->proto == PACKET_ICMP6)
		return p->icmp_type == 128 || p->icmp_type == 129;
	return p->icmp_type == 0 || p->icmp_type == 8 ||
	    (p->icmp_type >= 13 && p->icmp_type <= 18);
}

static int decode_icmp(struct packet *p, struct span *s, enum decode_mode mode)
{
	if (s->captured >= 2) {
		p->icmp_type = s->pos[0];
		p->icmp_code = s->pos[1];
	}
	if (s->captured >= 4)
		p->l4_checksum = load_be16(s->pos + 2);
	if (s->captured < 8)
		return mode == DECODE_FRAME && is_worth_having(p, s, 8)
		    ? keep_cut_header(p, s, 8)
		    : span_error(s, 8);
	p->icmp_rest = load_be32(s->pos + 4);
	if (has_echo_fields(p)) {
		p->icmp_id = load_be16(s->pos + 4);
		p->icmp_seq = load_be16(s->pos + 6);
	}
	span_skip(s, 8);
	set_payload(p, s);
	if (mode != DECODE_QUOTE && packet_is_icmp_error(p))
		decode_icmp_error(p);
	return 0;
}

/* Protocols whose header begins with two ports, beside those that are read
 * (RFC 9260, RFC 4340, RFC 3828). */
static bool begins_with_ports(unsigned proto)
{
	return proto == PROTO_SCTP || proto == PROTO_DCCP ||
	    proto == PROTO_UDPLITE;
}

static int decode_known_upper(
    struct packet *p, struct span *s, enum decode_mode mode)
{
	switch (p->proto) {
	case PACKET_TCP: return decode_tcp(p, s, mode);
	case PACKET_UDP: return decode_udp(p, s, mode);
	case PACKET_ICMP:
		if (p->src.family == 4)
			return decode_icmp(p, s, mode);
		break;
	case PACKET_ICMP6:
		if (p->src.family == 6)
			return decode_icmp(p, s, mode);
		break;
	default:
		if (mode == DECODE_FRAME && begins_with_ports(p->proto))
			take_ports(p, s);
		break;
	}
	set_payload(p, s);
	return 0;
}

static int decode_upper(struct packet *p, struct span *s, enum decode_mode mode)
{
	int err = decode_known_upper(p, s, mode);
	if (err != 0)
		p->reason =
		    err == ERR_TRUNCATED ? PACKET_CUT_UPPER : PACKET_BAD_UPPER;
	return err;
}

/* What follows the IP packet is padding of the link or of the quote.  Routers
 * are known to quote packets with a total length that is wrong, so there one
 * that leaves no room for ports is ignored.  A length of zero means that the
 * sender's network adapter, or the next host that has a smaller MTU, was to
 * cut the packet up: it is as long as what was sent. */
static void limit_to_length(
    struct span *s, size_t ip_len, size_t header_len, enum decode_mode mode)
{
	if (mode == DECODE_QUOTE ? ip_len >= header_len + 8 : ip_len > 0)
		span_limit(s, ip_len);
}

/* RFC 4302 has the same header for both versions of IP. */
static int skip_authentication(struct packet *p, struct span *s)
{
	while (p->proto == IP6_AUTHENTICATION) {
		if (s->captured < 8)
			return span_error(s, 8);
		size_t len = ((size_t)s->pos[1] + 2) * 4;
		if (s->captured < len)
			return span_error(s, len);
		p->proto = s->pos[0];
		p->ip_header_len = (uint16_t)(p->ip_header_len + len);
		span_skip(s, len);
	}
	return 0;
}

/* Ones' complement arithmetic is the same in either byte order (RFC 1071), so a
 * header without options is summed up as words of the machine. */
static bool header_is_damaged(const uint8_t *h, unsigned len)
{
	uint64_t high, middle;
	uint32_t low;
	if (load_be16(h + 10) == 0)
		return false;
	if (len > 20)
		return packet_fold(packet_sum(0, h, len)) != 0;
	memcpy(&high, h, sizeof(high));
	memcpy(&middle, h + 8, sizeof(middle));
	memcpy(&low, h + 16, sizeof(low));
	uint64_t sum = (high >> 32) + (uint32_t)high + (middle >> 32) +
	    (uint32_t)middle + low;
	return sum % 0xffff != 0;
}

static int decode_ip4(struct packet *p, struct span *s, enum decode_mode mode)
{
	if (s->captured < 20)
		return span_error(s, 20);
	const uint8_t *h = s->pos;
	p->tos = h[1];
	p->ip_len = load_be16(h + 2);
	p->ip_id = load_be16(h + 4);
	unsigned fragment = load_be16(h + 6);
	p->ttl = h[8];
	p->proto = h[9];
	p->src.family = p->dst.family = 4;
	memcpy(p->src.bytes, h + 12, 4);
	memcpy(p->dst.bytes, h + 16, 4);
	p->fragment = (fragment & (MORE_FRAGMENTS | OFFSET_BITS)) != 0;
	p->first_fragment = p->fragment && (fragment & OFFSET_BITS) == 0;

	unsigned header_len = (h[0] & 15u) << 2;
	p->ip_header_len = (uint16_t)header_len;
	p->ip_options = header_len > 20;
	bool too_short = p->ip_len < header_len && p->ip_len > 0;
	if (header_len < 20 || (too_short && mode != DECODE_QUOTE))
		return ERR_MALFORMED;
	limit_to_length(s, p->ip_len, header_len, mode);
	if (s->captured < header_len)
		return span_error(s, header_len);
	if (mode == DECODE_FRAME)
		p->ip_damaged =
		    p->ip_len > 0 && header_is_damaged(h, header_len);
	span_skip(s, header_len);
	if (p->fragment && !p->first_fragment)
		return 0;
	if (mode == DECODE_FRAME && p->proto == IP6_AUTHENTICATION) {
		int err = skip_authentication(p, s);
		if (err != 0)
			return err;
	}
	return decode_upper(p, s, mode);
}

bool decode_is_extension(unsigned proto)
{
	return proto == IP6_HOP_BY_HOP || proto == IP6_ROUTING ||
	    proto == IP6_FRAGMENT || proto == IP6_DESTINATION ||
	    proto == IP6_AUTHENTICATION || proto == IP6_MOBILITY ||
	    proto == IP6_HIP || proto == IP6_SHIM;
}

/* Each header is at least 8 octets, so the walk is linear in the packet. */
static int skip_extensions(struct packet *p, struct span *s)
{
	size_t header_len = 40;
	while (decode_is_extension(p->proto)) {
		if (s->captured < 8)
			return span_error(s, 8);
		size_t len = ((size_t)s->pos[1] + 1) * 8;
		if (p->proto == IP6_AUTHENTICATION)
			len = ((size_t)s->pos[1] + 2) * 4;
		if (p->proto == IP6_FRAGMENT) {
			unsigned offset = load_be16(s->pos + 2);
			len = 8;
			p->ip_id = load_be16(s->pos + 6);
			p->fragment = (offset & 0xfff9) != 0;
			p->first_fragment =
			    p->fragment && (offset & 0xfff8) == 0;
		}
		if (s->captured < len)
			return span_error(s, len);
		p->proto = s->pos[0];
		span_skip(s, len);
		header_len += len;
		p->ip_header_len = (uint16_t)header_len;
		if (p->fragment && !p->first_fragment)
			return 0;
	}
	return 0;
}

static int decode_ip6(struct packet *p, struct span *s, enum decode_mode mode)
{
	if (s->captured < 40)
		return span_error(s, 40);
	const uint8_t *h = s->pos;
	uint32_t first = load_be32(h);
	size_t payload_len = load_be16(h + 4);
	size_t ip_len = payload_len + 40;
	p->tos = (uint8_t)(first >> 20);
	p->flow_label = first & 0xfffff;
	p->ip_len = ip_len > UINT16_MAX ? UINT16_MAX : (uint16_t)ip_len;
	p->ip_header_len = 40;
	p->proto = h[6];
	p->ttl = h[7];
	p->src.family = p->dst.family = 6;
	memcpy(p->src.bytes, h + 8, 16);
	memcpy(p->dst.bytes, h + 24, 16);
	limit_to_length(s, payload_len > 0 ? ip_len : 0, 40, mode);
	span_skip(s, 40);
	int err = skip_extensions(p, s);
	if (err != 0 || (p->fragment && !p->first_fragment))
		return err;
	return decode_upper(p, s, mode);
}

static int decode_version(
    struct packet *p, struct span *s, enum decode_mode mode)
{
	if (s->captured == 0)
		return span_error(s, 1);
	switch (s->pos[0] >> 4) {
	case 4: return decode_ip4(p, s, mode);
	case 6: return decode_ip6(p, s, mode);
	default: p->reason = PACKET_NOT_IP; return ERR_UNSUPPORTED;
	}
}

int decode_span(struct packet *packet, struct span *s, enum decode_mode mode)
{
	octets_clear(packet, sizeof(*packet));
	packet->ip = s->pos;
	packet->ip_caplen = s->captured;
	int err = decode_version(packet, s, mode);
	if (err != 0 && packet->reason == PACKET_UNDERSTOOD)
		packet->reason =
		    err == ERR_TRUNCATED ? PACKET_CUT_IP : PACKET_BAD_IP;
	return err;
}

int packet_decode_ip(
    struct packet *packet, const void *bytes, size_t caplen, size_t wirelen)
{
	struct span s = span_init(bytes, caplen, wirelen);
	return decode_span(packet, &s, DECODE_WHOLE);
}
