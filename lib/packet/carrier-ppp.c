/* SPDX-License-Identifier: ISC */
/*
 * PPP.  Specification: RFC 1661 and 1662, RFC 1990 (multilink), RFC 3518
 * (bridging); the protocol numbers are IANA's.
 *
 * | ff 03, often left out | protocol 2, or 1 when it is odd | packet |
 */
#include "lib/packet/carrier.h"

enum {
	PPP_IP4 = 0x21,
	PPP_COMPRESSED_TCP = 0x2d, /* RFC 1144 */
	PPP_UNCOMPRESSED_TCP = 0x2f,
	PPP_BRIDGED = 0x31,
	PPP_MULTILINK = 0x3d,
	PPP_ENCRYPTED = 0x53,
	PPP_IP6 = 0x57,
	PPP_COMPRESSED = 0xfd,
	PPP_MPLS = 0x281,
	PPP_MPLS_UPSTREAM = 0x283,
	PPP_CONTROL = 0x8000 /* and above */
};

/* A frame that was divided over several links: its beginning holds the
 * headers. */
static enum packet_reason peel_multilink(struct peel *x)
{
	enum { BEGINS = 0x80 };
	if (!peel_deeper(x))
		return PACKET_TOO_DEEP;
	if (x->s.captured < 4)
		return peel_short(x, 4, PACKET_CUT_CARRIER);
	if (!(x->s.pos[0] & BEGINS))
		return PACKET_UNKNOWN_CARRIER;
	span_skip(&x->s, 4);
	return peel_ppp(x);
}

static enum packet_reason peel_ppp_bridged(struct peel *x)
{
	enum { HAS_LAN_ID = 0x40, MAC_ETHERNET = 1 };
	if (!peel_deeper(x))
		return PACKET_TOO_DEEP;
	if (x->s.captured < 2)
		return peel_short(x, 2, PACKET_CUT_CARRIER);
	size_t len = x->s.pos[0] & HAS_LAN_ID ? 6 : 2;
	if (x->s.pos[1] != MAC_ETHERNET)
		return PACKET_UNKNOWN_CARRIER;
	if (x->s.captured < len)
		return peel_short(x, len, PACKET_CUT_CARRIER);
	span_skip(&x->s, len);
	return peel_ethernet(x);
}

static enum packet_reason peel_ppp_protocol(struct peel *x, unsigned protocol)
{
	switch (protocol) {
	case PPP_IP4: return peel_ip(x, 4);
	case PPP_IP6: return peel_ip(x, 6);
	case PPP_MPLS:
	case PPP_MPLS_UPSTREAM: return peel_mpls(x);
	case PPP_MULTILINK: return peel_multilink(x);
	case PPP_BRIDGED: return peel_ppp_bridged(x);
	case PPP_ENCRYPTED: return PACKET_ENCRYPTED;
	case PPP_COMPRESSED:
	case PPP_COMPRESSED_TCP:
	case PPP_UNCOMPRESSED_TCP: return PACKET_COMPRESSED;
	default:
		return protocol >= PPP_CONTROL ? PACKET_LINK_CONTROL
					       : PACKET_NOT_IP;
	}
}

enum packet_reason peel_ppp(struct peel *x)
{
	struct span *s = &x->s;
	if (s->captured >= 2 && s->pos[0] == 0xff && s->pos[1] == 3)
		span_skip(s, 2);
	if (s->captured < 1)
		return peel_short(x, 1, PACKET_CUT_CARRIER);
	/* ff alone is the beginning of an address. */
	size_t len = s->pos[0] & 1 && s->pos[0] != 0xff ? 1 : 2;
	if (s->captured < len)
		return peel_short(x, len, PACKET_CUT_CARRIER);
	unsigned protocol = len == 1 ? s->pos[0] : load_be16(s->pos);
	span_skip(s, len);
	return peel_ppp_protocol(x, protocol);
}
