/* SPDX-License-Identifier: ISC */
/*
 * One captured packet as fields: what the sensor, the guardian's matching and
 * the simulated internet all read.  Pure: bytes in, fields out.  The bytes
 * are borrowed; pointers in struct packet point into them.
 *
 * Truncated (the capture ended) and malformed (a length contradicts another)
 * differ; fields before the failure are filled.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/addr.h"
#include "lib/base/err.h"

#define PACKET_TCP_FIN 0x01
#define PACKET_TCP_SYN 0x02
#define PACKET_TCP_RST 0x04
#define PACKET_TCP_PSH 0x08
#define PACKET_TCP_ACK 0x10
#define PACKET_TCP_URG 0x20

enum packet_proto {
	PACKET_ICMP = 1,
	PACKET_TCP = 6,
	PACKET_UDP = 17,
	PACKET_ICMP6 = 58
};

/* To whom the link carried a frame. */
enum packet_cast {
	PACKET_CAST_UNKNOWN,
	PACKET_CAST_UNICAST,
	PACKET_CAST_BROADCAST,
	PACKET_CAST_MULTICAST,
	PACKET_CAST_OUTGOING /* this host sent it */
};

/* Why a frame gave no packet. */
enum packet_reason {
	PACKET_UNDERSTOOD,
	/* The capture ended inside: */
	PACKET_CUT_LINK,
	PACKET_CUT_CARRIER,
	PACKET_CUT_IP,
	PACKET_CUT_UPPER, /* before its ports */
	/* A length or a version contradicts another in: */
	PACKET_BAD_LINK,
	PACKET_BAD_CARRIER,
	PACKET_BAD_IP,
	PACKET_BAD_UPPER,
	/* Not read: */
	PACKET_UNKNOWN_LINK, /* a link type that is not known */
	PACKET_UNKNOWN_CARRIER,
	PACKET_TOO_DEEP, /* more carriers than PACKET_CARRIERS_MOST */
	PACKET_ENCRYPTED,
	PACKET_COMPRESSED,
	/* Nothing for a sensor of IP: */
	PACKET_ARP,
	PACKET_LINK_CONTROL, /* spanning tree, LLDP, LCP, beacons, ... */
	PACKET_NOT_IP,       /* another network protocol */
	PACKET_REASONS
};

#define PACKET_CARRIERS_MOST 8

struct packet {
	struct addr src, dst;
	uint8_t proto;          /* the upper protocol, after IPv6 extensions */
	uint8_t ttl;            /* or hop limit */
	uint8_t tos;            /* or traffic class */
	uint16_t ip_id;         /* IPv4, or of an IPv6 fragment header */
	uint32_t flow_label;    /* IPv6 */
	uint16_t ip_len;        /* the whole IP packet on the wire */
	uint16_t ip_header_len; /* with IPv6 extension headers */
	bool ip_options;        /* IPv4 options are present */
	bool ip_damaged;        /* IPv4: the header's checksum is wrong */
	bool fragment;          /* part of a datagram */
	bool first_fragment;    /* offset 0: the upper header is here */

	/* By packet_decode_link alone.  The capture, a first fragment or, in
	 * its TCP options, the packet ended inside the upper header: what is
	 * there is filled. */
	bool headers_cut;
	bool has_tcp_flags; /* false in a first fragment of 8 octets */
	uint8_t link_cast;  /* enum packet_cast, by the innermost link */
	uint8_t carriers;   /* tunnels and the like that were peeled off */
	uint8_t reason;     /* enum packet_reason */

	uint16_t sport, dport; /* TCP, UDP; of a frame SCTP and DCCP too */
	uint16_t l4_checksum;  /* TCP, UDP, ICMP, as on the wire */
	uint16_t udp_len;
	uint32_t tcp_seq, tcp_ack;
	uint16_t tcp_window;
	uint8_t tcp_flags;
	uint8_t tcp_header_len;
	const uint8_t *tcp_options; /* tcp_header_len - 20 octets; NULL: none,
				       or they were not captured whole */
	uint8_t icmp_type, icmp_code;
	uint16_t icmp_id, icmp_seq; /* echo messages */
	uint32_t icmp_rest;         /* the four octets after the checksum */

	const uint8_t *ip;      /* the innermost IP header; NULL: none */
	size_t ip_caplen;       /* captured from there on */
	const uint8_t *payload; /* after the upper header; NULL when none */
	size_t payload_len;     /* captured */
	size_t
	    payload_wire_len; /* on the wire, by the lengths in the headers */

	const uint8_t *quote; /* ICMP errors: the quoted IP packet */
	size_t quote_len;
	const uint8_t *extensions; /* RFC 4884 structure, checked, or NULL */
	size_t extensions_len;
	bool extensions_by_length; /* false: found at octet 128 */
};

/* From the IP header on.  caplen bytes were captured, wirelen were sent.
 * ERR_TRUNCATED, ERR_MALFORMED, or ERR_UNSUPPORTED for what is not IP. */
int packet_decode_ip(
    struct packet *packet, const void *bytes, size_t caplen, size_t wirelen);

/* From the link layer: dlt is libpcap's DLT_* (EN10MB with VLAN and QinQ,
 * LINUX_SLL, LINUX_SLL2, RAW, IPV4, IPV6, NULL, LOOP); ERR_UNSUPPORTED for
 * another link or for a frame that is not IP (ARP, ...).  packet->reason is the
 * cause of each error.  A header that is not whole is no error where at least
 * the ports are there (headers_cut).  ip_damaged is false where a device was to
 * fill in the checksum: it is 0. */
int packet_decode_link(struct packet *packet, int dlt, const void *bytes,
    size_t caplen, size_t wirelen);
bool packet_link_known(int dlt);
/* "cut-ip-header": a word of lower case and hyphens, for reports. */
const char *packet_reason_name(enum packet_reason reason);
/* May there have been an IP packet that was not read? */
bool packet_reason_hides(enum packet_reason reason);

/* The packet quoted by an ICMP error, as far as it goes: at least addresses,
 * protocol and the first four octets of its upper header, or an error. */
int packet_decode_quote(struct packet *quoted, const struct packet *error);
bool packet_is_icmp_error(const struct packet *packet);
/* Of a "too big" message (RFC 1191, RFC 4443); 0: it is none, or the router is
 * older than that. */
uint32_t packet_next_hop_mtu(const struct packet *packet);

/* One object of an RFC 4884 structure; start with *offset = 0, ends with
 * ERR_EOF.  A bad object ends the walk with ERR_MALFORMED. */
struct packet_extension {
	uint8_t class_num, c_type;
	const uint8_t *data;
	size_t len;
};
int packet_next_extension(const struct packet *packet, size_t *offset,
    struct packet_extension *object);

/* RFC 1071, over bytes; chain by passing the previous sum. */
uint32_t packet_sum(uint32_t sum, const void *bytes, size_t len);
uint16_t packet_fold(uint32_t sum); /* the complemented 16-bit checksum */
/* Is the upper checksum of this IP packet wrong?  Of one that is not whole, has
 * extension headers or another protocol, that is not known: false.  Where a
 * device is to fill it in, as between hosts on one machine, and in segments
 * that the kernel has put together, TCP and UDP hold the pseudo header's sum:
 * that is right. */
bool packet_is_damaged(const uint8_t *ip, size_t caplen);
