/* SPDX-License-Identifier: ISC */
/*
 * What datagrams carry: a port says where to look, the header and the packet
 * in it whether it is one.  Specification: RFC 7348 (VXLAN),
 * draft-ietf-nvo3-vxlan-gpe, RFC 8926 (Geneve), 3GPP TS 29.281 and 29.060
 * (GTP), RFC 2661 and 3931 (L2TP), RFC 7510 (MPLS), RFC 9300 (LISP), and for
 * TZSP what Wireshark's authors found out.
 *
 * VXLAN      | 08 | 0 3 | network 3 | 0 | Ethernet |
 * VXLAN-GPE  | 0c | 0 2 | next 1 | network 3 | 0 | packet |
 * Geneve     | version 2 bits, option words 6 | flags 1 | type 2 | network 3 |
 *            | 0 | options | packet |
 * GTP-U      | flags 1 | ff | length 2 | tunnel 4 | number 2, pdu 1, next 1,
 *            if a flag is set | extensions | packet |
 * TZSP       | 01 | type 1 | link 2 | tags, 01 ends them | frame |
 * L2TPv2     | flags 2 | length 2 | tunnel 2 | session 2 | Ns 2, Nr 2 |
 *            | offset 2, padding | PPP |  most of them if a flag is set
 */
#include <pcap/dlt.h>

#include "lib/packet/carrier.h"

enum {
	PORT_L2TP = 1701,
	PORT_GTP = 2152,
	PORT_GTP_OLD = 3386,
	PORT_LISP = 4341,
	PORT_VXLAN = 4789,
	PORT_VXLAN_GPE = 4790,
	PORT_GENEVE = 6081,
	PORT_MPLS = 6635,
	PORT_VXLAN_LINUX = 8472, /* before it had one of its own */
	PORT_TZSP = 37008
};

static enum packet_reason peel_vxlan(struct peel *x)
{
	enum { HAS_NETWORK = 0x08, HAS_GROUP = 0x80 };
	if (x->s.captured < 8)
		return peel_short(x, 8, PACKET_CUT_CARRIER);
	const uint8_t *h = x->s.pos;
	if ((h[0] & ~HAS_GROUP) != HAS_NETWORK || h[7] != 0)
		return PACKET_BAD_CARRIER;
	span_skip(&x->s, 8);
	return peel_ethernet(x);
}

static enum packet_reason peel_vxlan_gpe(struct peel *x)
{
	enum { VERSION = 0x30, HAS_NETWORK = 0x08, HAS_NEXT = 0x04 };
	if (x->s.captured < 8)
		return peel_short(x, 8, PACKET_CUT_CARRIER);
	const uint8_t *h = x->s.pos;
	unsigned next = h[0] & HAS_NEXT ? h[3] : PEEL_NSH_ETHERNET;
	if (!(h[0] & HAS_NETWORK) || h[0] & VERSION || h[1] != 0 || h[2] != 0)
		return PACKET_BAD_CARRIER;
	span_skip(&x->s, 8);
	return peel_nsh_next(x, next);
}

static enum packet_reason peel_geneve(struct peel *x)
{
	enum { ETHERNET = 0x6558, RESERVED = 0x3f };
	if (x->s.captured < 8)
		return peel_short(x, 8, PACKET_CUT_CARRIER);
	const uint8_t *h = x->s.pos;
	size_t len = 8 + (size_t)(h[0] & 63) * 4;
	unsigned type = load_be16(h + 2);
	if (h[0] >> 6 != 0 || h[1] & RESERVED || h[7] != 0)
		return PACKET_BAD_CARRIER;
	if (x->s.captured < len)
		return peel_short(x, len, PACKET_CUT_CARRIER);
	span_skip(&x->s, len);
	return type == ETHERNET ? peel_ethernet(x) : peel_type(x, type);
}

/* A mobile's packet: IP, or the Ethernet frame of a fifth generation's
 * session. */
static enum packet_reason peel_mobile(struct peel *x)
{
	return peel_likely_ethernet(&x->s, false) &&
		!peel_likely_ip(&x->s, false)
	    ? peel_ethernet(x)
	    : peel_ip(x, 0);
}

/* Each extension: its length in words, contents, the type of the next. */
static enum packet_reason skip_gtp_extensions(struct peel *x, unsigned type)
{
	while (type != 0) {
		if (x->s.captured < 1)
			return peel_short(x, 1, PACKET_CUT_CARRIER);
		size_t len = (size_t)x->s.pos[0] * 4;
		if (len == 0)
			return PACKET_BAD_CARRIER;
		if (x->s.captured < len)
			return peel_short(x, len, PACKET_CUT_CARRIER);
		type = x->s.pos[len - 1];
		span_skip(&x->s, len);
	}
	return PACKET_UNDERSTOOD;
}

static enum packet_reason peel_gtp(struct peel *x)
{
	enum { VERSION_1 = 0x30, FIXED = 0xf8, HAS_MORE = 7, HAS_NEXT = 4 };
	if (x->s.captured < 8)
		return peel_short(x, 8, PACKET_CUT_CARRIER);
	const uint8_t *h = x->s.pos;
	unsigned flags = h[0], next = 0;
	if ((flags & FIXED) != VERSION_1 || h[1] != 0xff)
		return PACKET_BAD_CARRIER;
	size_t len = load_be16(h + 2);
	span_skip(&x->s, 8);
	peel_limit(x, len);
	if (flags & HAS_MORE) {
		if (x->s.captured < 4)
			return peel_short(x, 4, PACKET_CUT_CARRIER);
		next = flags & HAS_NEXT ? x->s.pos[3] : 0;
		span_skip(&x->s, 4);
	}
	enum packet_reason why = skip_gtp_extensions(x, next);
	return why != PACKET_UNDERSTOOD ? why : peel_mobile(x);
}

/* Version 0 of the second generation's networks: 20 octets. */
static enum packet_reason peel_gtp_old(struct peel *x)
{
	enum { VERSION_0 = 0x1e, FIXED = 0xfe };
	if (x->s.captured < 20)
		return peel_short(x, 20, PACKET_CUT_CARRIER);
	if ((x->s.pos[0] & FIXED) != VERSION_0 || x->s.pos[1] != 0xff)
		return PACKET_BAD_CARRIER;
	size_t len = load_be16(x->s.pos + 2);
	span_skip(&x->s, 20);
	peel_limit(x, len);
	return peel_ip(x, 0);
}

static enum packet_reason skip_tzsp_tags(struct peel *x)
{
	enum { TAG_PADDING = 0, TAG_END = 1 };
	for (;;) {
		if (x->s.captured < 1)
			return peel_short(x, 1, PACKET_CUT_CARRIER);
		unsigned tag = x->s.pos[0];
		size_t len = 1;
		if (tag != TAG_PADDING && tag != TAG_END) {
			if (x->s.captured < 2)
				return peel_short(x, 2, PACKET_CUT_CARRIER);
			len = 2 + (size_t)x->s.pos[1];
		}
		if (x->s.captured < len)
			return peel_short(x, len, PACKET_CUT_CARRIER);
		span_skip(&x->s, len);
		if (tag == TAG_END)
			return PACKET_UNDERSTOOD;
	}
}

static enum packet_reason peel_tzsp(struct peel *x)
{
	enum { RECEIVED = 0, TO_SEND = 1 };
	if (x->s.captured < 4)
		return peel_short(x, 4, PACKET_CUT_CARRIER);
	const uint8_t *h = x->s.pos;
	unsigned link = load_be16(h + 2);
	if (h[0] != 1 || (h[1] != RECEIVED && h[1] != TO_SEND))
		return PACKET_BAD_CARRIER;
	span_skip(&x->s, 4);
	enum packet_reason why = skip_tzsp_tags(x);
	if (why != PACKET_UNDERSTOOD)
		return why;
	switch (link) {
	case 1: return peel_ethernet(x);
	case 18: return peel_then_link(x, DLT_IEEE802_11);
	case 119: return peel_then_link(x, DLT_PRISM_HEADER);
	case 127: return peel_then_link(x, DLT_IEEE802_11_RADIO_AVS);
	default: return PACKET_UNKNOWN_CARRIER;
	}
}

/* The lengths of the header's parts follow from its flags. */
static enum packet_reason skip_l2tp(struct peel *x, unsigned flags)
{
	enum { HAS_LENGTH = 0x4000, HAS_SEQUENCE = 0x0800, HAS_OFFSET = 0x200 };
	size_t len = 6;
	len += flags & HAS_LENGTH ? 2 : 0;
	len += flags & HAS_SEQUENCE ? 4 : 0;
	len += flags & HAS_OFFSET ? 2 : 0;
	if (x->s.captured < len)
		return peel_short(x, len, PACKET_CUT_CARRIER);
	const uint8_t *h = x->s.pos;
	if (flags & HAS_LENGTH)
		peel_limit(x, load_be16(h + 2));
	if (flags & HAS_OFFSET)
		len += load_be16(h + len - 2);
	if (x->s.captured < len)
		return peel_short(x, len, PACKET_CUT_CARRIER);
	span_skip(&x->s, len);
	return PACKET_UNDERSTOOD;
}

static enum packet_reason peel_l2tp(struct peel *x)
{
	enum { CONTROL = 0x8000, VERSION = 15 };
	if (x->s.captured < 8)
		return peel_short(x, 8, PACKET_CUT_CARRIER);
	unsigned flags = load_be16(x->s.pos), version = flags & VERSION;
	if (flags & CONTROL)
		return PACKET_LINK_CONTROL;
	if (version == 3) {
		span_skip(&x->s, 8);
		return peel_session(x);
	}
	if (version != 2)
		return PACKET_BAD_CARRIER;
	enum packet_reason why = skip_l2tp(x, flags);
	return why != PACKET_UNDERSTOOD ? why : peel_ppp(x);
}

static enum packet_reason peel_lisp(struct peel *x)
{
	if (x->s.captured < 8)
		return peel_short(x, 8, PACKET_CUT_CARRIER);
	span_skip(&x->s, 8);
	return peel_ip(x, 0);
}

static enum packet_reason peel_mpls_datagram(struct peel *x)
{
	x->count--; /* peel_mpls counts it */
	return peel_mpls(x);
}

/* Answers of a tunnel's other end come from its port. */
static peel_fn *reader_of(uint16_t sport, uint16_t dport)
{
	switch (dport) {
	case PORT_VXLAN:
	case PORT_VXLAN_LINUX: return peel_vxlan;
	case PORT_VXLAN_GPE: return peel_vxlan_gpe;
	case PORT_GENEVE: return peel_geneve;
	case PORT_TZSP: return peel_tzsp;
	case PORT_LISP: return peel_lisp;
	case PORT_MPLS: return peel_mpls_datagram;
	default: break;
	}
	if (dport == PORT_GTP || sport == PORT_GTP)
		return peel_gtp;
	if (dport == PORT_L2TP || sport == PORT_L2TP)
		return peel_l2tp;
	if (dport == PORT_GTP_OLD || sport == PORT_GTP_OLD)
		return peel_gtp_old;
	return NULL;
}

enum packet_reason peel_datagram(struct peel *x)
{
	peel_fn *read = reader_of(x->packet->sport, x->packet->dport);
	x->tunnel = read;
	x->by_number = false;
	return read ? peel_then(x, PEEL_TUNNEL) : PACKET_UNDERSTOOD;
}
