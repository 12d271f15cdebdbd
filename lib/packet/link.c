/* SPDX-License-Identifier: ISC */
/*
 * From the frame to the IP header.  Specification: IEEE 802.3 and 802.1Q,
 * and tcpdump.org's LINKTYPE pages for the pseudo-headers that libpcap makes.
 *
 * Ethernet       | destination 6 | source 6 | type 2 |
 * VLAN tag                                  | TPID 2 | TCI 2 | type 2 |
 * Linux cooked   | packet type 2 | ARPHRD 2 | len 2 | address 8 | proto 2 |
 * Linux cooked 2 | proto 2 | 0 2 | ifindex 4 | ARPHRD 2 | type 1 | len 1 |
 *                | address 8 |
 * null, loop     | address family 4 |
 */
#include <pcap/dlt.h>

#include "lib/packet/decode.h"
#include "lib/packet/octets.h"

enum {
	TYPE_IP4 = 0x0800,
	TYPE_VLAN = 0x8100,
	TYPE_IP6 = 0x86dd,
	TYPE_QINQ = 0x88a8,
	TYPE_QINQ_OLD = 0x9100,
	TYPE_QINQ_OLDER = 0x9200
};

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

/* The link header has the version that follows; the packet has to agree. */
static int decode_as(struct packet *p, struct span *s, unsigned version)
{
	if (s->captured > 0 && s->pos[0] >> 4 != version) {
		memset(p, 0, sizeof(*p));
		return ERR_MALFORMED;
	}
	return decode_span(p, s, false);
}

static int no_packet(struct packet *p, int err)
{
	memset(p, 0, sizeof(*p));
	return err;
}

static bool is_vlan(unsigned type)
{
	return type == TYPE_VLAN || type == TYPE_QINQ ||
	    type == TYPE_QINQ_OLD || type == TYPE_QINQ_OLDER;
}

/* s is behind the type. */
static int decode_type(struct packet *p, struct span *s, unsigned type)
{
	while (is_vlan(type)) {
		if (s->captured < 4)
			return no_packet(p, span_error(s, 4));
		type = load_be16(s->pos + 2);
		span_skip(s, 4);
	}
	if (type == TYPE_IP4)
		return decode_as(p, s, 4);
	if (type == TYPE_IP6)
		return decode_as(p, s, 6);
	return no_packet(p, ERR_UNSUPPORTED);
}

/* A header of header_len octets with the type at type_at. */
static int decode_typed(
    struct packet *p, struct span *s, size_t header_len, size_t type_at)
{
	if (s->captured < header_len)
		return no_packet(p, span_error(s, header_len));
	unsigned type = load_be16(s->pos + type_at);
	span_skip(s, header_len);
	return decode_type(p, s, type);
}

/* The family is the capturing system's AF_ number, in its byte order for
 * DLT_NULL; IPv6 is 10, 24, 28 or 30, depending on the system. */
static int decode_family(struct packet *p, struct span *s)
{
	if (s->captured < 4)
		return no_packet(p, span_error(s, 4));
	uint32_t family = load_be32(s->pos);
	if (family > 0xffff)
		family = __builtin_bswap32(family);
	span_skip(s, 4);
	switch (family) {
	case 2: return decode_as(p, s, 4);
	case 10:
	case 24:
	case 28:
	case 30: return decode_as(p, s, 6);
	default: return no_packet(p, ERR_UNSUPPORTED);
	}
}

int packet_decode_link(struct packet *packet, int dlt, const void *bytes,
    size_t caplen, size_t wirelen)
{
	struct span s = span_init(bytes, caplen, wirelen);
	switch (dlt) {
	case DLT_EN10MB: return decode_typed(packet, &s, 14, 12);
	case DLT_LINUX_SLL: return decode_typed(packet, &s, 16, 14);
	case DLT_LINUX_SLL2: return decode_typed(packet, &s, 20, 0);
	case DLT_NULL:
	case DLT_LOOP: return decode_family(packet, &s);
	case DLT_RAW: return decode_span(packet, &s, false);
	case DLT_IPV4: return decode_as(packet, &s, 4);
	case DLT_IPV6: return decode_as(packet, &s, 6);
	default: return no_packet(packet, ERR_UNSUPPORTED);
	}
}
