/* SPDX-License-Identifier: ISC */
/*
 * What IP carries by its protocol number.  Specification: RFC 2003 (IP in IP),
 * RFC 4213 (6in4), RFC 2473 (in IPv6), RFC 2784, 2890 and 1701 (GRE), RFC 2637
 * (its version 1, of PPTP), draft-foschiano-erspan, RFC 3378 (EtherIP), RFC
 * 4023 (MPLS), RFC 3931 (L2TPv3), RFC 7761 (PIM's register), RFC 8986 (a frame
 * as next header).
 *
 * GRE         |C|R|K|S| ... |version 3| protocol 2 | checksum 2, offset 2 |
 *             | key 4 | sequence 4 | routing |   each if its bit is set
 * GRE, PPTP   |0|0|1|S| ... |A| ... |1| 880b | length 2 | call 2 |
 *             | sequence 4 | acknowledgement 4 | PPP |
 * ERSPAN I    GRE 88be without a sequence number | Ethernet |
 * ERSPAN II   GRE 88be with one | 1 vlan | session 2 | index 4 | Ethernet |
 * ERSPAN III  GRE 22eb | 2 vlan | session 2 | time 4 | group 2 | flags 2 |
 *             | subheader 8 if the last bit is set | Ethernet or IP |
 */
#include "lib/packet/carrier.h"

enum {
	CARRIES_IP4 = 4,
	CARRIES_IP6 = 41,
	CARRIES_GRE = 47,
	CARRIES_ETHERNET = 97,
	CARRIES_PIM = 103,
	CARRIES_L2TP = 115,
	CARRIES_MPLS = 137,
	CARRIES_FRAME = 143
};
enum {
	GRE_CHECKSUM = 0x8000,
	GRE_ROUTING = 0x4000,
	GRE_KEY = 0x2000,
	GRE_SEQUENCE = 0x1000,
	GRE_ACKNOWLEDGEMENT = 0x0080,
	GRE_VERSION = 7,
	GRE_ETHERNET = 0x6558,
	GRE_PPP = 0x880b,
	GRE_CISCO_TAG = 0x8909,
	GRE_WCCP = 0x883e,
	GRE_ERSPAN = 0x88be,
	GRE_ERSPAN3 = 0x22eb
};

static enum packet_reason carries(struct peel *x, peel_fn *read)
{
	x->tunnel = read;
	x->by_number = true;
	return peel_then(x, PEEL_TUNNEL);
}

static enum packet_reason read_ip4(struct peel *x)
{
	return peel_ip(x, 4);
}

static enum packet_reason read_ip6(struct peel *x)
{
	return peel_ip(x, 6);
}

static enum packet_reason take_header(struct peel *x, size_t len)
{
	if (x->s.captured < len)
		return peel_short(x, len, PACKET_CUT_CARRIER);
	span_skip(&x->s, len);
	return PACKET_UNDERSTOOD;
}

static enum packet_reason read_etherip(struct peel *x)
{
	enum packet_reason why = take_header(x, 2);
	return why != PACKET_UNDERSTOOD ? why : peel_ethernet(x);
}

static enum packet_reason read_mpls(struct peel *x)
{
	x->count--; /* peel_mpls counts it */
	return peel_mpls(x);
}

/* A null register asks whether there is one: it carries no packet. */
static enum packet_reason read_pim(struct peel *x)
{
	enum { VERSION_2_REGISTER = 0x21, IS_NULL = 0x40 };
	if (x->s.captured < 8)
		return peel_short(x, 8, PACKET_CUT_CARRIER);
	if (x->s.pos[0] != VERSION_2_REGISTER || x->s.pos[4] & IS_NULL)
		return PACKET_NOT_IP;
	span_skip(&x->s, 8);
	return peel_ip(x, 0);
}

/* Source route entries, until one without a length (RFC 1701). */
static enum packet_reason skip_routing(struct peel *x)
{
	for (;;) {
		if (x->s.captured < 4)
			return peel_short(x, 4, PACKET_CUT_CARRIER);
		bool last = load_be16(x->s.pos) == 0 && x->s.pos[3] == 0;
		enum packet_reason why =
		    take_header(x, 4 + (size_t)x->s.pos[3]);
		if (why != PACKET_UNDERSTOOD || last)
			return why;
	}
}

static enum packet_reason read_pptp(struct peel *x, unsigned flags)
{
	size_t more = flags & GRE_SEQUENCE ? 4 : 0;
	if (x->s.captured < 4)
		return peel_short(x, 4, PACKET_CUT_CARRIER);
	size_t len = load_be16(x->s.pos);
	if (flags & GRE_ACKNOWLEDGEMENT)
		more += 4;
	enum packet_reason why = take_header(x, 4 + more);
	if (why != PACKET_UNDERSTOOD)
		return why;
	peel_limit(x, len);
	return x->s.wire > 0 ? peel_then(x, PEEL_PPP) : PACKET_LINK_CONTROL;
}

static enum packet_reason read_erspan(struct peel *x)
{
	if (x->s.captured < 1)
		return peel_short(x, 1, PACKET_CUT_CARRIER);
	if (x->s.pos[0] >> 4 != 1)
		return PACKET_UNKNOWN_CARRIER;
	enum packet_reason why = take_header(x, 8);
	return why != PACKET_UNDERSTOOD ? why : peel_ethernet(x);
}

static enum packet_reason read_erspan3(struct peel *x)
{
	enum { FRAME_ETHERNET = 0, FRAME_IP = 2 };
	if (x->s.captured < 12)
		return peel_short(x, 12, PACKET_CUT_CARRIER);
	unsigned flags = load_be16(x->s.pos + 10);
	unsigned frame = flags >> 10 & 31;
	if (x->s.pos[0] >> 4 != 2)
		return PACKET_UNKNOWN_CARRIER;
	enum packet_reason why = take_header(x, flags & 1 ? 20 : 12);
	if (why != PACKET_UNDERSTOOD)
		return why;
	if (frame == FRAME_IP)
		return peel_ip(x, 0);
	return frame == FRAME_ETHERNET ? peel_ethernet(x)
				       : PACKET_UNKNOWN_CARRIER;
}

/* Web caches: the second version has four octets before the packet. */
static enum packet_reason read_wccp(struct peel *x)
{
	if (x->s.captured < 1)
		return peel_short(x, 1, PACKET_CUT_CARRIER);
	enum packet_reason why = PACKET_UNDERSTOOD;
	if (x->s.pos[0] >> 4 != 4)
		why = take_header(x, 4);
	return why != PACKET_UNDERSTOOD ? why : peel_ip(x, 4);
}

/* A security group, which here stands behind the type of what follows. */
static enum packet_reason read_cisco_tag(struct peel *x)
{
	if (x->s.captured < 8)
		return peel_short(x, 8, PACKET_CUT_CARRIER);
	unsigned type = load_be16(x->s.pos);
	span_skip(&x->s, 8);
	return peel_type(x, type);
}

static enum packet_reason read_gre_protocol(
    struct peel *x, unsigned protocol, unsigned flags)
{
	switch (protocol) {
	case GRE_ETHERNET: return peel_ethernet(x);
	case GRE_PPP: return peel_then(x, PEEL_PPP);
	case GRE_CISCO_TAG: return read_cisco_tag(x);
	case GRE_WCCP: return read_wccp(x);
	case GRE_ERSPAN:
		return flags & GRE_SEQUENCE ? read_erspan(x) : peel_ethernet(x);
	case GRE_ERSPAN3: return read_erspan3(x);
	default: return peel_type(x, protocol);
	}
}

static enum packet_reason read_gre(struct peel *x)
{
	if (x->s.captured < 4)
		return peel_short(x, 4, PACKET_CUT_CARRIER);
	unsigned flags = load_be16(x->s.pos);
	unsigned protocol = load_be16(x->s.pos + 2);
	unsigned version = flags & GRE_VERSION;
	span_skip(&x->s, 4);
	if (version == 1 && protocol == GRE_PPP)
		return read_pptp(x, flags);
	if (version != 0)
		return PACKET_UNKNOWN_CARRIER;
	size_t len = flags & (GRE_CHECKSUM | GRE_ROUTING) ? 4 : 0;
	len += flags & GRE_KEY ? 4 : 0;
	len += flags & GRE_SEQUENCE ? 4 : 0;
	enum packet_reason why = take_header(x, len);
	if (why == PACKET_UNDERSTOOD && flags & GRE_ROUTING)
		why = skip_routing(x);
	return why != PACKET_UNDERSTOOD ? why
					: read_gre_protocol(x, protocol, flags);
}

/* By a look at each place where the frame may begin: the cookie has 0, 4 or 8
 * octets, the sublayer 0 or 4.  Only what is surely a packet counts. */
enum packet_reason peel_session(struct peel *x)
{
	for (size_t at = 0; at <= 12; at += 4) {
		struct span s = x->s;
		if (s.captured < at)
			break;
		span_skip(&s, at);
		bool ethernet = peel_likely_ethernet(&s, true);
		if (!ethernet && !peel_likely_ip(&s, true))
			continue;
		x->s = s;
		return ethernet ? peel_ethernet(x) : peel_ip(x, 0);
	}
	return PACKET_UNKNOWN_CARRIER;
}

static enum packet_reason read_l2tp(struct peel *x)
{
	if (x->s.captured < 4)
		return peel_short(x, 4, PACKET_CUT_CARRIER);
	bool control = load_be32(x->s.pos) == 0;
	span_skip(&x->s, 4);
	return control ? PACKET_LINK_CONTROL : peel_session(x);
}

enum packet_reason peel_upper(struct peel *x)
{
	switch (x->packet->proto) {
	case CARRIES_IP4: return carries(x, read_ip4);
	case CARRIES_IP6: return carries(x, read_ip6);
	case CARRIES_GRE: return carries(x, read_gre);
	case CARRIES_ETHERNET: return carries(x, read_etherip);
	case CARRIES_PIM: return carries(x, read_pim);
	case CARRIES_L2TP:
		x->tunnel = read_l2tp;
		x->by_number = false;
		return peel_then(x, PEEL_TUNNEL);
	case CARRIES_MPLS: return carries(x, read_mpls);
	case CARRIES_FRAME: return carries(x, peel_ethernet);
	default: return PACKET_UNDERSTOOD;
	}
}
