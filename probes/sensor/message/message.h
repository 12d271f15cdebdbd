/* SPDX-License-Identifier: ISC */
/*
 * What one packet is in a conversation: does it ask, does it answer, or does
 * only who began tell?  Read from the packet's content.  A port is a hint which
 * protocol to try first, and never says who asked: a scanner chooses its source
 * port as it likes.  Pure: one packet in, what it says out; what was seen
 * before is the reader's business.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/packet/packet.h"

enum message_role {
	MESSAGE_QUESTION, /* opens an attempt: SYN, echo request, DNS query,
			     flags that no stack sends unasked */
	MESSAGE_ANSWER,   /* answers one: SYN+ACK, RST, echo reply, response */
	MESSAGE_EITHER,   /* the content does not say; who began decides */
	MESSAGE_ERROR,    /* an ICMP error, about the packet it quotes */
	MESSAGE_STRAY,    /* of a peer that remembers a former user */
	MESSAGE_LOCAL,    /* belongs to the link or the site: broadcast,
			     multicast, DHCP and its relays, health checks */
	MESSAGE_NONE,     /* nothing answers it and nobody asked: IGMP, OSPF,
			     flow records, a later fragment */
	MESSAGE_ROLES
};

enum message_kind {
	KIND_TCP_SYN,     /* SYN without ACK, RST, FIN */
	KIND_TCP_SYN_ACK, /* ... with ACK */
	KIND_TCP_RST,     /* RST without SYN */
	KIND_TCP_ACK,     /* ACK and no octet of data */
	KIND_TCP_DATA,    /* ACK and data */
	KIND_TCP_FIN,     /* FIN alone */
	KIND_TCP_NULL,    /* none of the six flags */
	KIND_TCP_XMAS,    /* FIN, PSH, URG */
	KIND_TCP_MAIMON,  /* FIN and ACK without data: an ordinary end, too */
	KIND_TCP_ODD,     /* another set that no stack sends */
	KIND_TCP_PART,    /* the flags were not captured or are in the next
			     fragment */
	KIND_UDP,
	KIND_ICMP_ECHO, /* request and reply, both versions */
	KIND_ICMP_OTHER,
	KIND_SCTP_INIT,
	KIND_SCTP,     /* another chunk, or not captured */
	KIND_IP,       /* another protocol */
	KIND_IP_EMPTY, /* another protocol, and nothing behind the IP header */
	KIND_FRAGMENT, /* not the first: no upper header */
	MESSAGE_KINDS
};

/* What a source address says of its way here. */
enum message_scope {
	SCOPE_PUBLIC,    /* documentation prefixes too */
	SCOPE_PRIVATE,   /* of a site or a link: no router of the Internet
			    forwards from there */
	SCOPE_IMPOSSIBLE /* no host has it: forged, or a host without address */
};

struct message {
	enum message_role role;
	enum message_kind kind;
	const char *protocol; /* "dns"; NULL: not known */
	/* What a retransmission repeats: TCP's sequence number, an echo's
	 * id << 16 | number; else a hash of how the payload begins (a request's
	 * id is there). */
	uint32_t id;
	/* TCP, UDP, SCTP, DCCP, UDP-Lite: the ports.  ICMP: a question's dport
	 * and its answer's sport are the question's type << 8 | code, the other
	 * is 0.  Else 0. */
	uint16_t sport, dport;
	/* A question whose answer is many times larger, as asked in a victim's
	 * name. */
	bool amplifies;
	uint8_t source_scope; /* enum message_scope */
};

/* For a packet that decoded with 0. */
void message_read(const struct packet *packet, struct message *message);

/* By the registries of IANA (RFC 6890). */
enum message_scope message_scope_of(const struct addr *addr);

/* Lower-case words, for reports: "question", "tcp-syn". */
const char *message_role_name(enum message_role role);
const char *message_kind_name(enum message_kind kind);
