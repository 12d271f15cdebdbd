/* SPDX-License-Identifier: ISC */
/*
 * From the frame to what it carries.  Specification: IEEE 802.3, and
 * tcpdump.org's LINKTYPE pages for the pseudo-headers that libpcap makes.
 *
 * Ethernet       | destination 6 | source 6 | type 2 |
 * Linux cooked   | packet type 2 | ARPHRD 2 | len 2 | address 8 | proto 2 |
 * Linux cooked 2 | proto 2 | 0 2 | ifindex 4 | ARPHRD 2 | type 1 | len 1 |
 *                | address 8 |
 * null, loop     | address family 4 |
 */
#include <pcap/dlt.h>

#include "lib/packet/link.h"

#define COOKED_LEN 16
#define COOKED2_LEN 20

/* Whom the kernel took a frame to be for: this host, all, a group, another
 * host, or from this one. */
static enum packet_cast cooked_cast(unsigned packet_type)
{
	static const uint8_t casts[] = { PACKET_CAST_UNICAST,
		PACKET_CAST_BROADCAST, PACKET_CAST_MULTICAST,
		PACKET_CAST_UNICAST, PACKET_CAST_OUTGOING };
	return packet_type < sizeof(casts) ? casts[packet_type]
					   : PACKET_CAST_UNKNOWN;
}

/* Linux's own numbers stand below those of Ethernet; what an interface of
 * another kind handed over begins with its own header. */
static enum packet_reason peel_cooked_type(
    struct peel *x, unsigned type, unsigned hardware)
{
	enum { LLC = 4, TYPE_LEAST = 0x600 };
	enum { WIRELESS = 801, PRISM = 802, RADIOTAP = 803 };
	switch (hardware) {
	case WIRELESS: return peel_wireless(x);
	case PRISM: return peel_prism(x);
	case RADIOTAP: return peel_radiotap(x);
	default: break;
	}
	if (type == LLC)
		return peel_llc(x);
	return type < TYPE_LEAST ? PACKET_NOT_IP : peel_type(x, type);
}

static enum packet_reason peel_cooked(struct peel *x)
{
	if (x->s.captured < COOKED_LEN)
		return peel_short(x, COOKED_LEN, PACKET_CUT_LINK);
	unsigned type = load_be16(x->s.pos + 14);
	unsigned hardware = load_be16(x->s.pos + 2);
	x->cast = (uint8_t)cooked_cast(load_be16(x->s.pos));
	span_skip(&x->s, COOKED_LEN);
	return peel_cooked_type(x, type, hardware);
}

static enum packet_reason peel_cooked2(struct peel *x)
{
	if (x->s.captured < COOKED2_LEN)
		return peel_short(x, COOKED2_LEN, PACKET_CUT_LINK);
	unsigned type = load_be16(x->s.pos);
	unsigned hardware = load_be16(x->s.pos + 8);
	x->cast = (uint8_t)cooked_cast(x->s.pos[10]);
	span_skip(&x->s, COOKED2_LEN);
	return peel_cooked_type(x, type, hardware);
}

/* The family is the capturing system's AF_ number, in its byte order for
 * DLT_NULL; IPv6 is 10, 24, 28 or 30, depending on the system. */
static enum packet_reason peel_family(struct peel *x)
{
	if (x->s.captured < 4)
		return peel_short(x, 4, PACKET_CUT_LINK);
	uint32_t family = load_be32(x->s.pos);
	if (family > 0xffff)
		family = __builtin_bswap32(family);
	span_skip(&x->s, 4);
	switch (family) {
	case 2: return peel_ip(x, 4);
	case 10:
	case 24:
	case 28:
	case 30: return peel_ip(x, 6);
	default: return PACKET_NOT_IP;
	}
}

static enum packet_reason peel_raw(struct peel *x)
{
	return peel_ip(x, 0);
}

static enum packet_reason peel_raw4(struct peel *x)
{
	return peel_ip(x, 4);
}

static enum packet_reason peel_raw6(struct peel *x)
{
	return peel_ip(x, 6);
}

/* Numbers that libpcap's DLT_ and a file's LINKTYPE_ have for the same. */
enum {
	LINK_ATM_IN_FILES = 100,
	LINK_RAW_IN_FILES = 101,
	LINK_ATM_CLIP_IN_FILES = 106,
	LINK_RAW_OPENBSD = 14,
	LINK_PKTAP_DARWIN = 149
};

/* skip: octets before what read takes. */
static const struct {
	int dlt;
	uint8_t skip;
	peel_fn *read;
} links[] = {
	{ DLT_EN10MB, 0, peel_ethernet },
	{ DLT_LINUX_SLL, 0, peel_cooked },
	{ DLT_LINUX_SLL2, 0, peel_cooked2 },
	{ DLT_RAW, 0, peel_raw },
	{ LINK_RAW_IN_FILES, 0, peel_raw },
	{ LINK_RAW_OPENBSD, 0, peel_raw },
	{ DLT_IPV4, 0, peel_raw4 },
	{ DLT_IPV6, 0, peel_raw6 },
	{ DLT_NULL, 0, peel_family },
	{ DLT_LOOP, 0, peel_family },
	{ DLT_IEEE802_11, 0, peel_wireless },
	{ DLT_IEEE802_11_RADIO, 0, peel_radiotap },
	{ DLT_PRISM_HEADER, 0, peel_prism },
	{ DLT_IEEE802_11_RADIO_AVS, 0, peel_avs },
	{ DLT_PPI, 0, peel_ppi },
	{ DLT_PPP, 0, peel_ppp_link },
	{ DLT_PPP_SERIAL, 0, peel_ppp_link },
	{ DLT_PPP_ETHER, 0, peel_pppoe },
	{ DLT_PPP_PPPD, 0, peel_ppp_directed },
	{ DLT_PPP_WITH_DIR, 0, peel_ppp_directed },
	{ DLT_C_HDLC, 0, peel_hdlc },
	{ DLT_C_HDLC_WITH_DIR, 0, peel_hdlc_directed },
	{ DLT_FRELAY, 0, peel_relay },
	{ DLT_FRELAY_WITH_DIR, 0, peel_relay_directed },
	{ DLT_MFR, 0, peel_multilink_relay },
	{ DLT_SLIP, 16, peel_raw },
	{ DLT_ATM_RFC1483, 0, peel_atm },
	{ LINK_ATM_IN_FILES, 0, peel_atm },
	{ DLT_ATM_CLIP, 0, peel_atm },
	{ LINK_ATM_CLIP_IN_FILES, 0, peel_atm },
	{ DLT_SUNATM, 0, peel_sun_atm },
	{ DLT_NFLOG, 0, peel_nflog },
	{ DLT_PFLOG, 0, peel_pflog },
	{ DLT_PKTAP, 0, peel_pktap },
	{ LINK_PKTAP_DARWIN, 0, peel_pktap },
	{ DLT_IPNET, 24, peel_raw },
	{ DLT_ENC, 12, peel_raw },
	{ DLT_MPLS, 0, peel_mpls },
	{ DLT_NETANALYZER, 4, peel_ethernet },
	{ DLT_EPON, 8, peel_ethernet },
	{ DLT_ETHERNET_MPACKET, 8, peel_ethernet },
	{ DLT_DSA_TAG_BRCM_PREPEND, 4, peel_ethernet },
	{ DLT_DOCSIS, 0, peel_docsis },
	{ DLT_IEEE802, 0, peel_token_ring },
	{ DLT_FDDI, 13, peel_llc },
	{ DLT_IP_OVER_FC, 16, peel_llc },
};
#define LINKS (sizeof(links) / sizeof(links[0]))

/* An Ethernet type at type_at, in a header of len octets. */
static const struct {
	int dlt;
	uint8_t len, type_at;
	bool ethernet; /* its destination is the first */
} typed_links[] = {
	{ DLT_APPLE_IP_OVER_IEEE1394, 18, 16, false },
	{ DLT_IPOIB, 44, 40, false },
	{ DLT_DSA_TAG_BRCM, 18, 16, true },
	{ DLT_DSA_TAG_DSA, 18, 16, true },
	{ DLT_DSA_TAG_EDSA, 22, 20, true },
};
#define TYPED_LINKS (sizeof(typed_links) / sizeof(typed_links[0]))

static size_t find_link(int dlt)
{
	size_t i = 0;
	while (i < LINKS && links[i].dlt != dlt)
		i++;
	return i;
}

static size_t find_typed_link(int dlt)
{
	size_t i = 0;
	while (i < TYPED_LINKS && typed_links[i].dlt != dlt)
		i++;
	return i;
}

bool packet_link_known(int dlt)
{
	return find_link(dlt) < LINKS || find_typed_link(dlt) < TYPED_LINKS ||
	    juniper_link_known(dlt);
}

static enum packet_reason peel_typed_link(struct peel *x, size_t i)
{
	size_t len = typed_links[i].len;
	if (x->s.captured < len)
		return peel_short(x, len, PACKET_CUT_LINK);
	if (typed_links[i].ethernet)
		x->cast = (uint8_t)peel_cast(x->s.pos);
	unsigned type = load_be16(x->s.pos + typed_links[i].type_at);
	span_skip(&x->s, len);
	return peel_type(x, type);
}

static enum packet_reason peel_link(struct peel *x, int dlt)
{
	size_t i = find_link(dlt);
	if (i < LINKS) {
		enum packet_reason why = peel_link_header(x, links[i].skip);
		return why != PACKET_UNDERSTOOD ? why : links[i].read(x);
	}
	i = find_typed_link(dlt);
	if (i < TYPED_LINKS)
		return peel_typed_link(x, i);
	return juniper_link_known(dlt) ? peel_juniper(x, dlt)
				       : PACKET_UNKNOWN_LINK;
}

static enum packet_reason peel_on(struct peel *x, enum packet_reason why);

static bool is_cut(enum packet_reason reason)
{
	return reason == PACKET_CUT_LINK || reason == PACKET_CUT_CARRIER ||
	    reason == PACKET_CUT_IP || reason == PACKET_CUT_UPPER;
}

/* Nests as deep as PACKET_CARRIERS_MOST.  Apart from its caller: the copy of a
 * packet would cost every datagram its stack. */
__attribute__((noinline)) static enum packet_reason peel_tunnel(struct peel *x)
{
	struct packet outer = *x->packet;
	struct peel inner = {
		.packet = x->packet,
		.s = { .pos = outer.payload,
		    .captured = outer.payload_len,
		    .wire = outer.payload_wire_len },
		.cast = x->cast,
		.count = (uint8_t)(x->count + 1),
	};
	if (outer.payload_wire_len == 0)
		return PACKET_UNDERSTOOD;
	enum packet_reason why = peel_on(&inner, x->tunnel(&inner));
	bool believed = x->by_number || inner.seen_ip;
	x->seen_ip = x->seen_ip || inner.seen_ip;
	if (why == PACKET_UNDERSTOOD || why == PACKET_TOO_DEEP ||
	    (is_cut(why) && believed))
		return why;
	*x->packet = outer;
	return PACKET_UNDERSTOOD;
}

/* Goes on with what a reader left to others. */
static enum packet_reason peel_on(struct peel *x, enum packet_reason why)
{
	while (why == PACKET_UNDERSTOOD && x->next != PEEL_NOTHING) {
		enum peel_next next = (enum peel_next)x->next;
		x->next = PEEL_NOTHING;
		switch (next) {
		case PEEL_LINK: why = peel_link(x, x->dlt); break;
		case PEEL_NLPID: why = peel_nlpid(x); break;
		case PEEL_PPP: why = peel_ppp(x); break;
		case PEEL_UPPER: why = peel_upper(x); break;
		case PEEL_DATAGRAM: why = peel_datagram(x); break;
		case PEEL_TUNNEL: why = peel_tunnel(x); break;
		case PEEL_NOTHING: break;
		}
	}
	return why;
}

static int error_of(enum packet_reason reason)
{
	if (reason <= PACKET_CUT_UPPER)
		return ERR_TRUNCATED;
	return reason <= PACKET_BAD_UPPER ? ERR_MALFORMED : ERR_UNSUPPORTED;
}

/* What was read of the IP packet stays, of whatever led to none nothing. */
static int fail_link(struct packet *packet, enum packet_reason reason)
{
	bool ip = reason == PACKET_CUT_IP || reason == PACKET_CUT_UPPER ||
	    reason == PACKET_BAD_IP || reason == PACKET_BAD_UPPER;
	if (!ip || packet->reason != reason)
		octets_clear(packet, sizeof(*packet));
	packet->reason = (uint8_t)reason;
	return error_of(reason);
}

int packet_decode_link(struct packet *packet, int dlt, const void *bytes,
    size_t caplen, size_t wirelen)
{
	struct peel x = { .packet = packet,
		.s = span_init(bytes, caplen, wirelen) };
	packet->reason = PACKET_UNDERSTOOD;
	enum packet_reason reason =
	    dlt == DLT_EN10MB ? peel_ethernet(&x) : peel_link(&x, dlt);
	if (x.next != PEEL_NOTHING) /* of most frames nothing */
		reason = peel_on(&x, reason);
	return reason == PACKET_UNDERSTOOD ? 0 : fail_link(packet, reason);
}
