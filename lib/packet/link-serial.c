/* SPDX-License-Identifier: ISC */
/*
 * Links between two ends.  Specification: RFC 1662 and 1547 (HDLC), RFC 2427
 * (frame relay), FRF.16 (its multilink), RFC 2684 and 2364 (ATM), and
 * tcpdump.org's LINKTYPE pages.
 *
 * Cisco HDLC  | 0f or 8f | 00 | type 2 |
 * frame relay | address 2 to 4, bit 0 ends it | 03 | protocol 1 | packet |
 *             | address | type 2 | packet |   as Cisco has it
 */
#include "lib/packet/link.h"

enum {
	HDLC_UNICAST = 0x0f,
	HDLC_MULTICAST = 0x8f,
	UNNUMBERED = 0x03,
	NLPID_PADDING = 0x00,
	NLPID_Q933 = 0x08,
	NLPID_SNAP = 0x80,
	NLPID_IP6 = 0x8e,
	NLPID_IP4 = 0xcc,
	NLPID_PPP = 0xcf
};

static bool is_hdlc(const struct span *s)
{
	return s->captured >= 2 && s->pos[1] == 0 &&
	    (s->pos[0] == HDLC_UNICAST || s->pos[0] == HDLC_MULTICAST);
}

enum packet_reason peel_ppp_link(struct peel *x)
{
	return is_hdlc(&x->s) ? peel_hdlc(x) : peel_ppp(x);
}

enum packet_reason peel_hdlc(struct peel *x)
{
	if (x->s.captured < 4)
		return peel_short(x, 4, PACKET_CUT_LINK);
	if (!is_hdlc(&x->s))
		return peel_ppp(x);
	unsigned type = load_be16(x->s.pos + 2);
	span_skip(&x->s, 4);
	return peel_type(x, type);
}

/* One octet says which way: not 0 is from this host. */
static enum packet_reason take_direction(struct peel *x)
{
	if (x->s.captured < 1)
		return peel_short(x, 1, PACKET_CUT_LINK);
	if (x->s.pos[0] != 0)
		x->cast = PACKET_CAST_OUTGOING;
	span_skip(&x->s, 1);
	return PACKET_UNDERSTOOD;
}

/* Linux's pppd writes the direction over the address: the control octet
 * follows. */
enum packet_reason peel_ppp_directed(struct peel *x)
{
	enum packet_reason why = take_direction(x);
	if (why == PACKET_UNDERSTOOD && x->s.captured > 0 &&
	    x->s.pos[0] == UNNUMBERED)
		span_skip(&x->s, 1);
	return why != PACKET_UNDERSTOOD ? why : peel_ppp_link(x);
}

enum packet_reason peel_hdlc_directed(struct peel *x)
{
	enum packet_reason why = take_direction(x);
	return why != PACKET_UNDERSTOOD ? why : peel_hdlc(x);
}

enum packet_reason peel_relay_directed(struct peel *x)
{
	enum packet_reason why = take_direction(x);
	return why != PACKET_UNDERSTOOD ? why : peel_relay(x);
}

static enum packet_reason take_relay_address(struct peel *x)
{
	size_t len = 0;
	do {
		if (x->s.captured <= len)
			return peel_short(x, len + 1, PACKET_CUT_LINK);
		len++;
	} while (!(x->s.pos[len - 1] & 1) && len < 4);
	if (len < 2)
		return PACKET_BAD_LINK;
	span_skip(&x->s, len);
	return PACKET_UNDERSTOOD;
}

enum packet_reason peel_nlpid(struct peel *x)
{
	if (x->s.captured > 0 && x->s.pos[0] == NLPID_PADDING)
		span_skip(&x->s, 1);
	if (x->s.captured < 1)
		return peel_short(x, 1, PACKET_CUT_LINK);
	unsigned nlpid = x->s.pos[0];
	span_skip(&x->s, 1);
	switch (nlpid) {
	case NLPID_IP4: return peel_ip(x, 4);
	case NLPID_IP6: return peel_ip(x, 6);
	case NLPID_SNAP: return peel_snap(x);
	case NLPID_PPP: return peel_deeper(x) ? peel_ppp(x) : PACKET_TOO_DEEP;
	case NLPID_Q933: return PACKET_LINK_CONTROL;
	default: return PACKET_NOT_IP;
	}
}

enum packet_reason peel_relay(struct peel *x)
{
	enum packet_reason why = take_relay_address(x);
	if (why != PACKET_UNDERSTOOD)
		return why;
	if (x->s.captured < 2)
		return peel_short(x, 2, PACKET_CUT_LINK);
	unsigned type = load_be16(x->s.pos);
	if (x->s.pos[0] == UNNUMBERED) {
		span_skip(&x->s, 1);
		return peel_nlpid(x);
	}
	span_skip(&x->s, 2);
	return peel_type(x, type);
}

/* The first of several pieces holds the headers. */
enum packet_reason peel_multilink_relay(struct peel *x)
{
	enum { BEGINS = 0x80, CONTROL = 0x02 };
	if (x->s.captured < 2)
		return peel_short(x, 2, PACKET_CUT_LINK);
	if (x->s.pos[0] & CONTROL)
		return PACKET_LINK_CONTROL;
	if (!(x->s.pos[0] & BEGINS))
		return PACKET_UNKNOWN_CARRIER;
	span_skip(&x->s, 2);
	return peel_relay(x);
}

/* A virtual circuit may be for one protocol, without a header: a look tells. */
enum packet_reason peel_atm(struct peel *x)
{
	if (x->s.captured < 3)
		return peel_short(x, 3, PACKET_CUT_LINK);
	uint32_t first = (uint32_t)load_be16(x->s.pos) << 8 | x->s.pos[2];
	if (first == 0xaaaa03 || first == 0xfefe03)
		return peel_llc(x);
	if (peel_likely_ip(&x->s, false))
		return peel_ip(x, 0);
	if (x->s.pos[0] == UNNUMBERED) {
		span_skip(&x->s, 1);
		return peel_nlpid(x);
	}
	return peel_likely_ethernet(&x->s, false) ? peel_ethernet(x)
						  : peel_ppp(x);
}

enum packet_reason peel_sun_atm(struct peel *x)
{
	enum { KIND = 15, LAN_EMULATION = 1, LLC = 2 };
	unsigned kind = x->s.captured > 0 ? x->s.pos[0] & KIND : 0;
	size_t len = kind == LAN_EMULATION ? 6 : 4;
	enum packet_reason why = peel_link_header(x, len);
	if (why != PACKET_UNDERSTOOD)
		return why;
	if (kind == LAN_EMULATION)
		return peel_ethernet(x);
	return kind == LLC ? peel_llc(x) : PACKET_LINK_CONTROL;
}
