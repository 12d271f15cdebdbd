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

#include "lib/packet/carrier.h"

#define ETHERNET_LEN 14
#define COOKED_LEN 16
#define COOKED2_LEN 20

bool packet_link_known(int dlt)
{
	switch (dlt) {
	case DLT_EN10MB:
	case DLT_LINUX_SLL:
	case DLT_LINUX_SLL2:
	case DLT_RAW:
	case DLT_IPV4:
	case DLT_IPV6:
	case DLT_NULL:
	case DLT_LOOP: return true;
	default: return false;
	}
}

static enum packet_cast cast_of(const uint8_t *destination)
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
	x->cast = (uint8_t)cast_of(x->s.pos);
	span_skip(&x->s, ETHERNET_LEN);
	return peel_type(x, type);
}

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

/* Linux's own numbers stand below those of Ethernet. */
static enum packet_reason peel_cooked_type(struct peel *x, unsigned type)
{
	enum { LLC = 4, TYPE_LEAST = 0x600 };
	if (type == LLC)
		return peel_llc(x);
	return type < TYPE_LEAST ? PACKET_NOT_IP : peel_type(x, type);
}

static enum packet_reason peel_cooked(struct peel *x)
{
	if (x->s.captured < COOKED_LEN)
		return peel_short(x, COOKED_LEN, PACKET_CUT_LINK);
	unsigned type = load_be16(x->s.pos + 14);
	x->cast = (uint8_t)cooked_cast(load_be16(x->s.pos));
	span_skip(&x->s, COOKED_LEN);
	return peel_cooked_type(x, type);
}

static enum packet_reason peel_cooked2(struct peel *x)
{
	if (x->s.captured < COOKED2_LEN)
		return peel_short(x, COOKED2_LEN, PACKET_CUT_LINK);
	unsigned type = load_be16(x->s.pos);
	x->cast = (uint8_t)cooked_cast(x->s.pos[10]);
	span_skip(&x->s, COOKED2_LEN);
	return peel_cooked_type(x, type);
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

enum packet_reason peel_link(struct peel *x, int dlt)
{
	switch (dlt) {
	case DLT_EN10MB: return peel_ethernet(x);
	case DLT_LINUX_SLL: return peel_cooked(x);
	case DLT_LINUX_SLL2: return peel_cooked2(x);
	case DLT_NULL:
	case DLT_LOOP: return peel_family(x);
	case DLT_RAW: return peel_ip(x, 0);
	case DLT_IPV4: return peel_ip(x, 4);
	case DLT_IPV6: return peel_ip(x, 6);
	default: return PACKET_UNKNOWN_LINK;
	}
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
	struct peel x = { packet, span_init(bytes, caplen, wirelen), 0, 0,
		false };
	packet->reason = PACKET_UNDERSTOOD;
	enum packet_reason reason = peel_link(&x, dlt);
	return reason == PACKET_UNDERSTOOD ? 0 : fail_link(packet, reason);
}
