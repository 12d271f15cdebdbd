/* SPDX-License-Identifier: ISC */
/*
 * LINKTYPE_LINUX_SLL2 (tcpdump.org/linktypes):
 *   | protocol 2 | 0 2 | ifindex 4 | ARPHRD 2 | packet type 1 | len 1 |
 *   | address 8 |
 * A VLAN tag that the kernel took out goes back between this header and what
 * follows: its TPID is then the protocol.
 */
#include "probes/sensor/live-frame.h"

#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if_arp.h>
#include <pcap/dlt.h>
#include <string.h>
#include <sys/socket.h>

#include "lib/packet/octets.h"

#define SLL2_HEADER 20
#define TAG 4

int live_frame_socket(uint16_t hardware)
{
	return hardware == ARPHRD_ETHER || hardware == ARPHRD_LOOPBACK
	    ? SOCK_RAW
	    : SOCK_DGRAM;
}

int live_frame_check_filter(
    struct link_filter *filter, uint16_t hardware, struct errmsg *msg)
{
	static const uint8_t none[ETH_HLEN];
	int dlt = live_frame_socket(hardware) == SOCK_RAW ? DLT_EN10MB
							  : DLT_LINUX_SLL2;
	int err = filter
	    ? link_filter_match(filter, dlt, none, sizeof(none), 60, msg)
	    : 0;
	return err < 0 ? err : 0;
}

static bool passes(struct link_filter *filter, int dlt, const uint8_t *bytes,
    size_t caplen, size_t wirelen)
{
	return link_filter_match(filter, dlt, bytes, (uint32_t)caplen,
		   (uint32_t)wirelen, NULL) > 0;
}

static void put_be16(uint8_t *to, unsigned value)
{
	to[0] = (uint8_t)(value >> 8);
	to[1] = (uint8_t)value;
}

/* The frame as an Ethernet device has it, with its tag. */
static bool passes_ethernet(
    struct link_filter *filter, struct packet_frame *from)
{
	uint8_t macs[2 * ETH_ALEN];
	if (!from->has_tag || from->caplen < ETH_HLEN)
		return passes(filter, DLT_EN10MB, from->bytes, from->caplen,
		    from->wirelen);
	memcpy(macs, from->bytes, sizeof(macs));
	uint8_t *start = from->bytes - TAG;
	memcpy(start, macs, sizeof(macs));
	put_be16(start + sizeof(macs), from->tag_type);
	put_be16(start + sizeof(macs) + 2, from->tag);
	return passes(
	    filter, DLT_EN10MB, start, from->caplen + TAG, from->wirelen + TAG);
}

/* What follows the link header, and its type. */
static unsigned cut_header(struct packet_frame *from, int socket_type)
{
	if (socket_type != SOCK_RAW)
		return from->protocol;
	if (from->caplen < ETH_HLEN)
		return from->protocol;
	unsigned type = load_be16(from->bytes + ETH_HLEN - 2);
	from->bytes += ETH_HLEN;
	from->caplen -= ETH_HLEN;
	from->wirelen -= ETH_HLEN;
	/* Below, it is a length: LLC follows (IEEE 802.3). */
	return type < ETH_P_802_3_MIN ? ETH_P_802_2 : type;
}

static void cook(
    struct live_frame *to, struct packet_frame *from, unsigned type)
{
	uint8_t *start = from->bytes;
	size_t more = SLL2_HEADER;
	if (from->has_tag) {
		start -= TAG;
		put_be16(start, from->tag);
		put_be16(start + 2, type);
		type = from->tag_type;
		more += TAG;
	}
	start -= SLL2_HEADER;
	memset(start, 0, SLL2_HEADER);
	put_be16(start, type);
	put_be16(start + 4, from->ifindex >> 16);
	put_be16(start + 6, from->ifindex & 0xffff);
	put_be16(start + 8, from->hardware);
	start[10] = from->cast;
	start[11] = from->address_len < sizeof(from->address)
	    ? from->address_len
	    : sizeof(from->address);
	memcpy(start + 12, from->address, sizeof(from->address));
	*to = (struct live_frame){ start, from->caplen + more,
		from->wirelen + more };
}

bool live_frame_read(struct live_frame *to, struct packet_frame *from,
    int socket_type, struct link_filter *filter)
{
	if (from->hardware == ARPHRD_LOOPBACK && from->cast == PACKET_OUTGOING)
		return false;
	if (filter && socket_type == SOCK_RAW && !passes_ethernet(filter, from))
		return false;
	cook(to, from, cut_header(from, socket_type));
	return !filter || socket_type == SOCK_RAW ||
	    passes(filter, DLT_LINUX_SLL2, to->bytes, to->caplen, to->wirelen);
}
