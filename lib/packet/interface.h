/* SPDX-License-Identifier: ISC */
/* Which interface an ICMP extension object is about (RFC 5837, RFC 8335). */
#pragma once

#include "lib/packet/packet.h"

#define PACKET_INTERFACE_NAME 64

enum packet_interface_role {
	PACKET_INTERFACE_INCOMING, /* the packet came in by it */
	PACKET_INTERFACE_SUB_IP,   /* a part of that one */
	PACKET_INTERFACE_OUTGOING, /* it would have left by it */
	PACKET_INTERFACE_NEXT_HOP, /* the router behind that one */
	PACKET_INTERFACE_ASKED     /* an extended echo asks for it (RFC 8335) */
};

struct packet_interface {
	enum packet_interface_role role;
	bool has_index, has_mtu;
	uint32_t index, mtu;
	struct addr address; /* family 0: none */
	/* "" for none; of printable ASCII, '?' for all else. */
	char name[PACKET_INTERFACE_NAME];
};

/* 0; ERR_NOT_FOUND: the object is of another class; ERR_TRUNCATED,
 * ERR_MALFORMED, ERR_UNSUPPORTED: it is not as its class demands, and `to`
 * holds nothing to rely on. */
int packet_interface(
    const struct packet_extension *object, struct packet_interface *to);
/* "incoming", "sub-ip", "outgoing", "next-hop", "asked-for". */
const char *packet_interface_role_name(enum packet_interface_role role);
