/* SPDX-License-Identifier: ISC */
/*
 * TCP by its flags (RFC 9293 section 3.10.7), ICMP by its type (IANA's
 * registries of RFC 792 and RFC 4443), SCTP by its first chunk (RFC 9260
 * section 3.2), other protocols by what they are for.  UDP is in
 * message-udp.c.
 */
#include <string.h>

#include "lib/packet/octets.h"
#include "probes/sensor/message/message.h"
#include "probes/sensor/message/message-udp.h"

enum {
	IP_IGMP = 2,
	IP_DCCP = 33,
	IP_RSVP = 46,
	IP_NO_NEXT = 59,
	IP_EIGRP = 88,
	IP_OSPF = 89,
	IP_PIM = 103,
	IP_VRRP = 112, /* and CARP */
	IP_ISIS = 124,
	IP_SCTP = 132,
	IP_UDP_LITE = 136
};

static const char *const roles[MESSAGE_ROLES] = {
	[MESSAGE_QUESTION] = "question",
	[MESSAGE_ANSWER] = "answer",
	[MESSAGE_EITHER] = "either",
	[MESSAGE_ERROR] = "error",
	[MESSAGE_STRAY] = "stray",
	[MESSAGE_LOCAL] = "local",
	[MESSAGE_NONE] = "none",
};

static const char *const kinds[MESSAGE_KINDS] = {
	[KIND_TCP_SYN] = "tcp-syn",
	[KIND_TCP_SYN_ACK] = "tcp-syn-ack",
	[KIND_TCP_RST] = "tcp-rst",
	[KIND_TCP_ACK] = "tcp-ack",
	[KIND_TCP_DATA] = "tcp-data",
	[KIND_TCP_FIN] = "tcp-fin",
	[KIND_TCP_NULL] = "tcp-null",
	[KIND_TCP_XMAS] = "tcp-xmas",
	[KIND_TCP_MAIMON] = "tcp-maimon",
	[KIND_TCP_ODD] = "tcp-odd",
	[KIND_TCP_PART] = "tcp-part",
	[KIND_UDP] = "udp",
	[KIND_ICMP_ECHO] = "icmp-echo",
	[KIND_ICMP_OTHER] = "icmp",
	[KIND_SCTP_INIT] = "sctp-init",
	[KIND_SCTP] = "sctp",
	[KIND_IP] = "ip",
	[KIND_IP_EMPTY] = "ip-empty",
	[KIND_FRAGMENT] = "fragment",
};

const char *message_role_name(enum message_role role)
{
	return roles[role];
}

const char *message_kind_name(enum message_kind kind)
{
	return kinds[kind];
}

/* RFC 6890 and IANA's registries that continue it. */
static enum message_scope scope_of_v4(uint32_t a)
{
	uint32_t top = a >> 24;
	if (top == 0 || top == 127 || top >= 224)
		return SCOPE_IMPOSSIBLE;
	if (top == 10 || a >> 20 == 0xac1 || a >> 16 == 0xc0a8)
		return SCOPE_PRIVATE;
	if (a >> 16 == 0xa9fe) /* 169.254/16, a link's own */
		return SCOPE_PRIVATE;
	if (a >> 22 == 0x191) /* 100.64/10, a provider's own */
		return SCOPE_PRIVATE;
	if (a >> 17 == 0x6309) /* 198.18/15, a laboratory's */
		return SCOPE_PRIVATE;
	return SCOPE_PUBLIC;
}

static enum message_scope scope_of_v6(const uint8_t *a)
{
	static const uint8_t zeros[15];
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	if (a[0] == 0xff || memcmp(a, mapped, 12) == 0)
		return SCOPE_IMPOSSIBLE;
	if (memcmp(a, zeros, 15) == 0 && a[15] <= 1)
		return SCOPE_IMPOSSIBLE; /* none, and the loopback */
	if ((a[0] & 0xfe) == 0xfc || (a[0] == 0xfe && (a[1] & 0x80) != 0))
		return SCOPE_PRIVATE; /* a site's, a link's (RFC 4193, 3879) */
	return SCOPE_PUBLIC;
}

enum message_scope message_scope_of(const struct addr *addr)
{
	if (addr->family == 4)
		return scope_of_v4(load_be32(addr->bytes));
	return addr->family == 6 ? scope_of_v6(addr->bytes) : SCOPE_IMPOSSIBLE;
}

static bool goes_to_many(const struct packet *p)
{
	const struct addr *dst = &p->dst;
	/* A multicast address of the link alone says nothing: clusters take
	 * packets that are for one of them by such. */
	if (p->link_cast == PACKET_CAST_BROADCAST)
		return true;
	if (dst->family == 6)
		return dst->bytes[0] == 0xff;
	return dst->bytes[0] >> 4 == 0xe || load_be32(dst->bytes) == UINT32_MAX;
}

static void set_kind(
    struct message *m, enum message_role role, enum message_kind kind)
{
	m->role = role;
	m->kind = kind;
}

#define TCP_SIX                                                              \
	(PACKET_TCP_FIN | PACKET_TCP_SYN | PACKET_TCP_RST | PACKET_TCP_PSH | \
	    PACKET_TCP_ACK | PACKET_TCP_URG)
#define TCP_XMAS (PACKET_TCP_FIN | PACKET_TCP_PSH | PACKET_TCP_URG)

/* A segment of a connection has ACK, SYN or RST.  What has none of them makes
 * a closed port answer and an open one not: it is sent to find out. */
static void read_tcp_flags(const struct packet *p, struct message *m)
{
	unsigned flags = p->tcp_flags & TCP_SIX;
	unsigned opening = flags &
	    (PACKET_TCP_SYN | PACKET_TCP_ACK | PACKET_TCP_RST | PACKET_TCP_FIN);
	bool data = p->payload_wire_len > 0;
	if (opening == PACKET_TCP_SYN)
		set_kind(m, MESSAGE_QUESTION, KIND_TCP_SYN);
	else if (opening == (PACKET_TCP_SYN | PACKET_TCP_ACK))
		set_kind(m, MESSAGE_ANSWER, KIND_TCP_SYN_ACK);
	else if ((flags & PACKET_TCP_RST) && !(flags & PACKET_TCP_SYN))
		set_kind(m, MESSAGE_ANSWER, KIND_TCP_RST);
	else if (opening == PACKET_TCP_ACK)
		set_kind(
		    m, MESSAGE_EITHER, data ? KIND_TCP_DATA : KIND_TCP_ACK);
	else if (opening == (PACKET_TCP_FIN | PACKET_TCP_ACK))
		set_kind(
		    m, MESSAGE_EITHER, data ? KIND_TCP_DATA : KIND_TCP_MAIMON);
	else if (flags == PACKET_TCP_FIN)
		set_kind(m, MESSAGE_QUESTION, KIND_TCP_FIN);
	else if (flags == 0)
		set_kind(m, MESSAGE_QUESTION, KIND_TCP_NULL);
	else if (flags == TCP_XMAS)
		set_kind(m, MESSAGE_QUESTION, KIND_TCP_XMAS);
	else
		set_kind(m, MESSAGE_QUESTION, KIND_TCP_ODD);
}

static void read_tcp(const struct packet *p, struct message *m)
{
	m->id = p->tcp_seq;
	m->sport = p->sport;
	m->dport = p->dport;
	if (!p->has_tcp_flags)
		/* Ports without flags: a SYN cut into pieces, or the capture
		 * ended.  Data is never cut so small. */
		set_kind(m, p->fragment ? MESSAGE_QUESTION : MESSAGE_EITHER,
		    KIND_TCP_PART);
	else
		read_tcp_flags(p, m);
}

/* A request's type, of an ICMP message that is a request or its reply. */
struct icmp_pair {
	uint8_t request, reply;
};

static const struct icmp_pair icmp4_pairs[] = {
	{ 8, 0 },   /* echo: RFC 792 */
	{ 13, 14 }, /* timestamp: RFC 792 */
	{ 15, 16 }, /* information: RFC 792 */
	{ 17, 18 }, /* address mask: RFC 950 */
	{ 37, 38 }, /* domain name: RFC 1788 */
	{ 42, 43 }, /* extended echo: RFC 8335 */
};
static const struct icmp_pair icmp6_pairs[] = {
	{ 128, 129 }, /* echo: RFC 4443 */
	{ 139, 140 }, /* node information: RFC 4620 */
	{ 144, 145 }, /* home agent discovery: RFC 6275 */
	{ 146, 147 }, /* mobile prefix: RFC 6275 */
	{ 160, 161 }, /* extended echo: RFC 8335 */
};

static bool read_icmp_pair(const struct packet *p, struct message *m,
    const struct icmp_pair *pairs, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		uint16_t port = (uint16_t)(pairs[i].request << 8);
		if (p->icmp_type == pairs[i].request) {
			m->role = MESSAGE_QUESTION;
			m->dport = port | p->icmp_code;
		} else if (p->icmp_type == pairs[i].reply) {
			m->role = MESSAGE_ANSWER;
			m->sport = port;
		} else {
			continue;
		}
		return true;
	}
	return false;
}

/* What is neither a pair nor an error is between neighbours (RFC 4861, 2710,
 * 1256) or has no receiver any more. */
static void read_icmp(const struct packet *p, struct message *m)
{
	bool v6 = p->proto == PACKET_ICMP6;
	bool echo = v6 ? p->icmp_type == 128 || p->icmp_type == 129
		       : p->icmp_type == 8 || p->icmp_type == 0;
	m->protocol = v6 ? "icmp6" : "icmp";
	m->kind = echo ? KIND_ICMP_ECHO : KIND_ICMP_OTHER;
	m->id = p->icmp_rest;
	if (packet_is_icmp_error(p)) {
		m->role = MESSAGE_ERROR;
		return;
	}
	if (v6 ? read_icmp_pair(p, m, icmp6_pairs,
		     sizeof(icmp6_pairs) / sizeof(icmp6_pairs[0]))
	       : read_icmp_pair(p, m, icmp4_pairs,
		     sizeof(icmp4_pairs) / sizeof(icmp4_pairs[0])))
		return;
	bool neighbours =
	    v6 ? p->icmp_type >= 130 : p->icmp_type == 9 || p->icmp_type == 10;
	m->role = neighbours ? MESSAGE_LOCAL : MESSAGE_NONE;
}

enum {
	SCTP_HEADER_LEN = 12,
	CHUNK_INIT = 1,
	CHUNK_INIT_ACK = 2,
	CHUNK_ABORT = 6,
	CHUNK_SHUTDOWN_COMPLETE = 14
};

static void take_ports(const struct packet *p, struct message *m)
{
	if (p->payload_len < 4)
		return;
	m->sport = load_be16(p->payload);
	m->dport = load_be16(p->payload + 2);
}

/* An INIT is alone in its packet and has the verification tag 0 (RFC 9260
 * sections 8.5.1 and 6.10).  Of a closed port an ABORT comes back. */
static void read_sctp(const struct packet *p, struct message *m)
{
	set_kind(m, MESSAGE_EITHER, KIND_SCTP);
	m->protocol = "sctp";
	take_ports(p, m);
	if (p->payload_len < SCTP_HEADER_LEN + 4)
		return;
	uint32_t tag = load_be32(p->payload + 4);
	unsigned chunk = p->payload[SCTP_HEADER_LEN];
	m->id = tag;
	if (chunk == CHUNK_INIT) {
		set_kind(m, MESSAGE_QUESTION, KIND_SCTP_INIT);
		if (p->payload_len >= SCTP_HEADER_LEN + 8)
			m->id = load_be32(p->payload + SCTP_HEADER_LEN + 4);
	} else if (chunk == CHUNK_INIT_ACK || chunk == CHUNK_ABORT ||
	    chunk == CHUNK_SHUTDOWN_COMPLETE) {
		m->role = MESSAGE_ANSWER;
	}
}

/* A protocol that talks to routers of its own link, or to a group. */
static bool is_of_routers(unsigned proto)
{
	return proto == IP_IGMP || proto == IP_EIGRP || proto == IP_OSPF ||
	    proto == IP_PIM || proto == IP_ISIS || proto == IP_RSVP;
}

static void read_other(const struct packet *p, struct message *m)
{
	bool empty = p->payload_wire_len == 0;
	/* Without anything behind the IP header no protocol has a meaning but
	 * the one that says "nothing follows"; it is sent to find out which
	 * protocols a host has. */
	set_kind(m, empty ? MESSAGE_QUESTION : MESSAGE_EITHER,
	    empty ? KIND_IP_EMPTY : KIND_IP);
	m->id = p->ip_id;
	if (p->proto == IP_NO_NEXT)
		set_kind(m, MESSAGE_NONE, KIND_IP);
	else if (!empty && is_of_routers(p->proto))
		m->role = MESSAGE_NONE;
	else if (!empty && p->proto == IP_VRRP)
		m->role = MESSAGE_LOCAL;
	else if (p->proto == IP_DCCP || p->proto == IP_UDP_LITE)
		take_ports(p, m);
}

static void read_upper(const struct packet *p, struct message *m)
{
	if (p->fragment && !p->first_fragment) {
		set_kind(m, MESSAGE_NONE, KIND_FRAGMENT);
		return;
	}
	switch (p->proto) {
	case PACKET_TCP: read_tcp(p, m); return;
	case PACKET_UDP: message_read_udp(p, m); return;
	case PACKET_ICMP:
		if (p->src.family == 4) {
			read_icmp(p, m);
			return;
		}
		break;
	case PACKET_ICMP6:
		if (p->src.family == 6) {
			read_icmp(p, m);
			return;
		}
		break;
	case IP_SCTP: read_sctp(p, m); return;
	default: break;
	}
	read_other(p, m);
}

void message_read(const struct packet *packet, struct message *message)
{
	*message = (struct message){ .kind = KIND_IP };
	read_upper(packet, message);
	message->source_scope = (uint8_t)message_scope_of(&packet->src);
	if (goes_to_many(packet))
		message->role = MESSAGE_LOCAL;
}
