/* SPDX-License-Identifier: ISC */
/*
 * Ethernet types and what they announce beside IP.  Specification: IEEE 802.1Q
 * (tags; 802.1ah in its clause 9.7, E-TAG in 802.1BR 7.5, MACsec in 802.1AE 9),
 * IEEE 802.2 and RFC 1042 (LLC, SNAP), RFC 3032 and 4385 (MPLS, control word),
 * RFC 2516 (PPPoE), RFC 6325 (TRILL), RFC 8300 (NSH).
 *
 * VLAN tag   | TPID 2 | TCI 2 | type 2 |
 * E-TAG      | TPID 2 | TCI 6 | type 2 |
 * 802.1ah    | TPID 2 | I-TAG 4 | destination 6 | source 6 | type 2 |
 * LLC, SNAP  | aa aa 03 | OUI 3 | type 2 |
 * MPLS       | label 20 bits, class 3, bottom of stack 1, TTL 8 | ...
 * PPPoE      | 11 | code 1 | session 2 | length 2 | PPP |
 */
#include "lib/packet/carrier.h"

enum {
	TYPE_IP4 = 0x0800,
	TYPE_ARP = 0x0806,
	TYPE_TRILL = 0x22f3,
	TYPE_ETHERNET = 0x6558, /* transparent Ethernet bridging */
	TYPE_RARP = 0x8035,
	TYPE_VLAN = 0x8100,
	TYPE_IP6 = 0x86dd,
	TYPE_PAUSE = 0x8808,
	TYPE_SLOW = 0x8809,
	TYPE_PPP = 0x880b,
	TYPE_MPLS = 0x8847,
	TYPE_MPLS_UPSTREAM = 0x8848,
	TYPE_PPPOE_DISCOVERY = 0x8863,
	TYPE_PPPOE = 0x8864,
	TYPE_LLC = 0x8870, /* of more than 1,500 octets */
	TYPE_EAPOL = 0x888e,
	TYPE_QINQ = 0x88a8,
	TYPE_LLDP = 0x88cc,
	TYPE_MACSEC = 0x88e5,
	TYPE_ITAG = 0x88e7, /* 802.1ah */
	TYPE_PTP = 0x88f7,
	TYPE_CFM = 0x8902,
	TYPE_FABRICPATH = 0x8903,
	TYPE_CISCO_TAG = 0x8909, /* security group */
	TYPE_VNTAG = 0x8926,
	TYPE_HSR = 0x892f,
	TYPE_ETAG = 0x893f, /* 802.1BR */
	TYPE_NSH = 0x894f,
	TYPE_LOOPBACK = 0x9000,
	TYPE_QINQ_OLD = 0x9100,
	TYPE_QINQ_OLDER = 0x9200,
	TYPE_ARISTA = 0xd28b,
	LENGTH_MOST = 1500,
	TYPE_LEAST = 0x600
};
enum {
	SAP_IP = 0x06,
	SAP_SPANNING_TREE = 0x42,
	SAP_SNAP = 0xaa,
	SAP_ISO = 0xfe
};

#define ETHERNET_LEN 14

/* Octets from one type to behind the next, 0: it is no tag. */
static size_t tag_len(unsigned type)
{
	switch (type) {
	case TYPE_VLAN:
	case TYPE_QINQ:
	case TYPE_QINQ_OLD:
	case TYPE_QINQ_OLDER: return 4;
	case TYPE_VNTAG:
	case TYPE_HSR: return 6;
	case TYPE_ETAG:
	case TYPE_CISCO_TAG: return 8;
	default: return 0;
	}
}

static bool is_control(unsigned type)
{
	return type == TYPE_LLDP || type == TYPE_SLOW || type == TYPE_EAPOL ||
	    type == TYPE_PAUSE || type == TYPE_PPPOE_DISCOVERY ||
	    type == TYPE_PTP || type == TYPE_CFM || type == TYPE_LOOPBACK;
}

/* Ethernet behind len octets. */
static enum packet_reason peel_bridged(struct peel *x, size_t len)
{
	if (!peel_deeper(x))
		return PACKET_TOO_DEEP;
	if (x->s.captured < len)
		return peel_short(x, len, PACKET_CUT_CARRIER);
	span_skip(&x->s, len);
	return peel_ethernet(x);
}

static enum packet_reason peel_trill(struct peel *x)
{
	if (x->s.captured < 2)
		return peel_short(x, 2, PACKET_CUT_CARRIER);
	size_t options = (load_be16(x->s.pos) >> 6 & 31u) * 4;
	return peel_bridged(x, 6 + options);
}

enum packet_reason peel_pppoe(struct peel *x)
{
	if (x->s.captured < 6)
		return peel_short(x, 6, PACKET_CUT_CARRIER);
	if (x->s.pos[0] != 0x11)
		return PACKET_BAD_CARRIER;
	if (x->s.pos[1] != 0)
		return PACKET_LINK_CONTROL;
	if (!peel_deeper(x))
		return PACKET_TOO_DEEP;
	size_t len = load_be16(x->s.pos + 4);
	span_skip(&x->s, 6);
	peel_limit(x, len);
	return peel_then(x, PEEL_PPP);
}

/* What is only signed can be read. */
static enum packet_reason measure_macsec(struct peel *x, size_t *len)
{
	enum { ENCRYPTED = 0x08, CHANGED = 0x04, HAS_SCI = 0x20 };
	if (x->s.captured < 1)
		return peel_short(x, 1, PACKET_CUT_LINK);
	if (x->s.pos[0] & (ENCRYPTED | CHANGED))
		return PACKET_ENCRYPTED;
	*len = x->s.pos[0] & HAS_SCI ? 16 : 8;
	return PACKET_UNDERSTOOD;
}

/* A switch's time of 64 or 48 bits, on ports that mirror. */
static enum packet_reason measure_time(struct peel *x, size_t *len)
{
	enum { BITS_64 = 1, BITS_48 = 2 };
	if (x->s.captured < 4)
		return peel_short(x, 4, PACKET_CUT_LINK);
	unsigned format = x->s.pos[3] >> 4;
	*len = format == BITS_64 ? 14 : 12;
	return format == BITS_64 || format == BITS_48 ? PACKET_UNDERSTOOD
						      : PACKET_NOT_IP;
}

static enum packet_reason peel_other_type(struct peel *x, unsigned type)
{
	if (type <= LENGTH_MOST) {
		peel_limit(x, type);
		return peel_llc(x);
	}
	if (is_control(type))
		return PACKET_LINK_CONTROL;
	switch (type) {
	case TYPE_ARP:
	case TYPE_RARP: return PACKET_ARP;
	case TYPE_LLC: return peel_llc(x);
	case TYPE_MPLS:
	case TYPE_MPLS_UPSTREAM: return peel_mpls(x);
	case TYPE_PPPOE: return peel_pppoe(x);
	case TYPE_PPP:
		return peel_deeper(x) ? peel_then(x, PEEL_PPP)
				      : PACKET_TOO_DEEP;
	case TYPE_ETHERNET: return peel_bridged(x, 0);
	case TYPE_ITAG: return peel_bridged(x, 4);
	case TYPE_FABRICPATH: return peel_bridged(x, 2);
	case TYPE_TRILL: return peel_trill(x);
	case TYPE_NSH: return peel_nsh(x);
	default: return PACKET_NOT_IP;
	}
}

enum packet_reason peel_type(struct peel *x, unsigned type)
{
	for (;;) {
		if (type == TYPE_IP4)
			return peel_ip(x, 4);
		if (type == TYPE_IP6)
			return peel_ip(x, 6);
		size_t len = tag_len(type);
		enum packet_reason why = PACKET_UNDERSTOOD;
		if (type == TYPE_MACSEC)
			why = measure_macsec(x, &len);
		else if (type == TYPE_ARISTA)
			why = measure_time(x, &len);
		if (why != PACKET_UNDERSTOOD)
			return why;
		if (len == 0)
			return peel_other_type(x, type);
		if (x->s.captured < len)
			return peel_short(x, len, PACKET_CUT_LINK);
		type = load_be16(x->s.pos + len - 2);
		span_skip(&x->s, len);
	}
}

enum packet_cast peel_cast(const uint8_t *destination)
{
	if (!(destination[0] & 1))
		return PACKET_CAST_UNICAST;
	return memcmp(destination, "\xff\xff\xff\xff\xff\xff", 6) == 0
	    ? PACKET_CAST_BROADCAST
	    : PACKET_CAST_MULTICAST;
}

enum packet_reason peel_ethernet(struct peel *x)
{
	if (x->s.captured < ETHERNET_LEN)
		return peel_short(x, ETHERNET_LEN, PACKET_CUT_LINK);
	unsigned type = load_be16(x->s.pos + 12);
	x->cast = (uint8_t)peel_cast(x->s.pos);
	span_skip(&x->s, ETHERNET_LEN);
	return peel_type(x, type);
}

/* A bridged frame; over ATM two octets stand before it (RFC 2684). */
static enum packet_reason peel_bridged_snap(struct peel *x)
{
	struct span padded = x->s;
	if (padded.captured > 2)
		span_skip(&padded, 2);
	bool has_padding = !peel_likely_ethernet(&x->s, false) &&
	    peel_likely_ethernet(&padded, false);
	return peel_bridged(x, has_padding ? 2 : 0);
}

enum packet_reason peel_snap(struct peel *x)
{
	if (x->s.captured < 5)
		return peel_short(x, 5, PACKET_CUT_LINK);
	uint32_t oui = load_be32(x->s.pos) >> 8;
	unsigned type = load_be16(x->s.pos + 3);
	span_skip(&x->s, 5);
	/* RFC 1042; 802.1H; RFC 2684, bridged Ethernet with and without its
	 * check sum; Cisco's own protocols. */
	if (oui == 0x000000 || oui == 0x0000f8)
		return type < TYPE_LEAST ? PACKET_NOT_IP : peel_type(x, type);
	if (oui == 0x0080c2 && (type == 1 || type == 7))
		return peel_bridged_snap(x);
	return oui == 0x00000c ? PACKET_LINK_CONTROL : PACKET_NOT_IP;
}

enum packet_reason peel_llc(struct peel *x)
{
	enum { UNNUMBERED = 3 };
	if (x->in_llc)
		return PACKET_BAD_LINK;
	x->in_llc = true;
	if (x->s.captured < 3)
		return peel_short(x, 3, PACKET_CUT_LINK);
	uint8_t sap = x->s.pos[0], control = x->s.pos[2];
	if (sap == SAP_SPANNING_TREE)
		return PACKET_LINK_CONTROL;
	if (control != UNNUMBERED)
		return PACKET_NOT_IP;
	span_skip(&x->s, 3);
	switch (sap) {
	case SAP_SNAP: return peel_snap(x);
	case SAP_IP: return peel_ip(x, 4);
	case SAP_ISO: return peel_then(x, PEEL_NLPID);
	default: return PACKET_NOT_IP;
	}
}

/* What follows the labels is nowhere said (RFC 4928): IP shows by its first
 * four bits, a control word by four zeros, and an Ethernet frame may begin with
 * anything. */
static enum packet_reason peel_labelled(struct peel *x)
{
	if (x->s.captured == 0)
		return peel_short(x, 1, PACKET_CUT_CARRIER);
	unsigned first = x->s.pos[0] >> 4;
	bool ethernet = peel_likely_ethernet(&x->s, false);
	if ((first == 4 || first == 6) &&
	    (!ethernet || peel_likely_ip(&x->s, false)))
		return peel_ip(x, first);
	if (ethernet)
		return peel_ethernet(x);
	if (x->s.captured < 20)
		return peel_short(x, 20, PACKET_CUT_CARRIER);
	if (first == 1)
		return PACKET_LINK_CONTROL; /* RFC 5586: of the pseudowire */
	if (first != 0)
		return PACKET_UNKNOWN_CARRIER;
	span_skip(&x->s, 4);
	return peel_likely_ethernet(&x->s, false) ? peel_ethernet(x)
						  : PACKET_UNKNOWN_CARRIER;
}

enum packet_reason peel_mpls(struct peel *x)
{
	uint32_t entry;
	if (!peel_deeper(x))
		return PACKET_TOO_DEEP;
	do {
		if (x->s.captured < 4)
			return peel_short(x, 4, PACKET_CUT_CARRIER);
		entry = load_be32(x->s.pos);
		span_skip(&x->s, 4);
	} while (!(entry & 0x100));
	return peel_labelled(x);
}

enum packet_reason peel_nsh_next(struct peel *x, unsigned next)
{
	enum { IP4 = 1, IP6, ETHERNET = PEEL_NSH_ETHERNET, NSH, MPLS };
	switch (next) {
	case IP4: return peel_ip(x, 4);
	case IP6: return peel_ip(x, 6);
	case ETHERNET: return peel_ethernet(x);
	case NSH: return peel_nsh(x);
	case MPLS: return peel_mpls(x);
	default: return PACKET_UNKNOWN_CARRIER;
	}
}

enum packet_reason peel_nsh(struct peel *x)
{
	if (!peel_deeper(x))
		return PACKET_TOO_DEEP;
	if (x->s.captured < 4)
		return peel_short(x, 4, PACKET_CUT_CARRIER);
	size_t len = (x->s.pos[1] & 63u) * 4;
	unsigned next = x->s.pos[3];
	if (len < 8 || x->s.pos[0] >> 6 != 0)
		return PACKET_BAD_CARRIER;
	if (x->s.captured < len)
		return peel_short(x, len, PACKET_CUT_CARRIER);
	span_skip(&x->s, len);
	return peel_nsh_next(x, next);
}

static bool likely_ip4(const struct span *s, bool exact)
{
	const uint8_t *h = s->pos;
	size_t header = (h[0] & 15u) * 4, len = load_be16(h + 2);
	if (s->captured < 20 || header < 20 || len < header || len > s->wire)
		return false;
	return !exact ||
	    (s->captured >= header &&
		packet_fold(packet_sum(0, h, header)) == 0);
}

bool peel_likely_ip(const struct span *s, bool exact)
{
	if (s->captured < 20)
		return false;
	if (s->pos[0] >> 4 == 4)
		return likely_ip4(s, exact);
	if (s->pos[0] >> 4 != 6 || s->captured < 40)
		return false;
	size_t len = (size_t)load_be16(s->pos + 4) + 40;
	return exact ? len == s->wire : len <= s->wire;
}

static bool is_carrier(unsigned type)
{
	switch (type) {
	case TYPE_TRILL:
	case TYPE_ETHERNET:
	case TYPE_MPLS:
	case TYPE_MPLS_UPSTREAM:
	case TYPE_PPPOE:
	case TYPE_LLC:
	case TYPE_MACSEC:
	case TYPE_ITAG:
	case TYPE_FABRICPATH:
	case TYPE_NSH:
	case TYPE_ARISTA: return true;
	default: return false;
	}
}

static bool likely_llc(const struct span *s, size_t len)
{
	return len >= 8 && len <= s->wire && s->captured >= 3 &&
	    (memcmp(s->pos, "\xaa\xaa\x03", 3) == 0 ||
		memcmp(s->pos, "\x06\x06\x03", 3) == 0);
}

bool peel_likely_ethernet(const struct span *s, bool exact)
{
	struct span inner = *s;
	size_t len = 14;
	unsigned type;
	do {
		if (inner.captured <= len)
			return false;
		type = load_be16(inner.pos + len - 2);
		span_skip(&inner, len);
		len = tag_len(type);
	} while (len != 0);
	if (type == TYPE_IP4 || type == TYPE_IP6) {
		unsigned version = type == TYPE_IP4 ? 4 : 6;
		return inner.pos[0] >> 4 == version &&
		    (!exact || peel_likely_ip(&inner, true));
	}
	return is_carrier(type) || likely_llc(&inner, type) ||
	    (!exact && (type == TYPE_ARP || is_control(type)));
}

/* The link header may name the version that follows: the packet has to agree.
 */
enum packet_reason peel_ip(struct peel *x, unsigned version)
{
	struct packet *p = x->packet;
	x->seen_ip = x->s.captured > 0;
	if (version != 0 && x->s.captured > 0 && x->s.pos[0] >> 4 != version)
		return PACKET_BAD_IP;
	int err = decode_span(p, &x->s, DECODE_FRAME);
	p->link_cast = x->cast;
	p->carriers = x->count;
	if (err != 0)
		return (enum packet_reason)p->reason;
	if (x->count > PACKET_CARRIERS_MOST)
		return PACKET_TOO_DEEP;
	if (p->proto == PACKET_TCP || p->headers_cut ||
	    (p->fragment && !p->first_fragment))
		return PACKET_UNDERSTOOD;
	return peel_then(
	    x, p->proto == PACKET_UDP ? PEEL_DATAGRAM : PEEL_UPPER);
}
