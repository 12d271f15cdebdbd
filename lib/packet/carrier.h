/* SPDX-License-Identifier: ISC */
/*
 * What link.c and the readers of carriers share: the way of one frame from its
 * link header, through what carries it, to its innermost IP packet.  Each
 * reader has x->s behind what led to it, takes its own header and calls the
 * reader of what follows, or names it where that stands above it (peel_then);
 * the reason of whatever stopped it comes back.
 *
 * Hostile frames nest.  Every reader that may come to itself again either
 * loops over its octets or counts with peel_deeper, and none tries two ways
 * with what follows: it decides by a look (peel_likely_*) and then goes one.
 */
#pragma once

#include "lib/packet/decode.h"
#include "lib/packet/octets.h"

enum peel_next {
	PEEL_NOTHING,
	PEEL_LINK,     /* a frame of the link type in x->dlt */
	PEEL_NLPID,    /* from a network protocol's number (ISO 9577) on */
	PEEL_PPP,      /* with or without address and control; its protocol may
			  be one octet */
	PEEL_UPPER,    /* what the IP packet that was read carries */
	PEEL_DATAGRAM, /* what a UDP datagram carries */
	PEEL_TUNNEL    /* its payload, by x->tunnel */
};

struct peel;
typedef enum packet_reason peel_fn(struct peel *x);

struct peel {
	struct packet *packet; /* filled by peel_ip */
	struct span s;
	uint8_t cast;   /* enum packet_cast, of the last link header */
	uint8_t count;  /* carriers so far */
	bool in_llc;    /* LLC carries no LLC */
	bool seen_ip;   /* the first octet of an IP packet was there */
	bool by_number; /* the IP protocol says that it is a tunnel: a cut one
			   is cut; what a port says is believed when an IP
			   packet began */
	uint8_t next;   /* enum peel_next */
	int dlt;
	peel_fn *tunnel; /* reads the tunnel's header; where what follows is no
			    packet, the one that carries it stays */
};

/* What follows stands above the reader: link.c goes on with it. */
static inline enum packet_reason peel_then(struct peel *x, enum peel_next next)
{
	x->next = (uint8_t)next;
	return PACKET_UNDERSTOOD;
}

static inline enum packet_reason peel_then_link(struct peel *x, int dlt)
{
	x->dlt = dlt;
	return peel_then(x, PEEL_LINK);
}

/* From an Ethernet frame's destination on. */
enum packet_reason peel_ethernet(struct peel *x);
/* What an Ethernet type, or the length in its place, announces. */
enum packet_reason peel_type(struct peel *x, unsigned type);
enum packet_reason peel_llc(struct peel *x);
/* Behind LLC, or what stands for it: from the organisation's number on. */
enum packet_reason peel_snap(struct peel *x);
/* From a network protocol's number (ISO 9577) on. */
enum packet_reason peel_nlpid(struct peel *x);
/* PPPoE's session from its header on. */
enum packet_reason peel_pppoe(struct peel *x);
enum packet_reason peel_mpls(struct peel *x);
enum packet_reason peel_nsh(struct peel *x);
/* What NSH's next protocol (RFC 8300) says, which VXLAN-GPE's is too. */
#define PEEL_NSH_ETHERNET 3
enum packet_reason peel_nsh_next(struct peel *x, unsigned next);
/* PPP with or without address and control; its protocol may be one octet. */
enum packet_reason peel_ppp(struct peel *x);
/* An IP packet of this version (4, 6; 0: what it says), and what it carries. */
enum packet_reason peel_ip(struct peel *x, unsigned version);
enum packet_reason peel_upper(struct peel *x);
enum packet_reason peel_datagram(struct peel *x);
/* What follows an L2TPv3 session's number: cookie, sublayer and kind of link
 * are known to its two ends alone. */
enum packet_reason peel_session(struct peel *x);

/* Whom an Ethernet address names. */
enum packet_cast peel_cast(const uint8_t *destination);

/* Does a whole, consistent IP header stand here?  exact: its checksum is right,
 * or the length of IPv6 is that of what is here. */
bool peel_likely_ip(const struct span *s, bool exact);
/* A frame of a type that there is, with what it says behind it. */
bool peel_likely_ethernet(const struct span *s, bool exact);

/* One carrier more: false when that is too deep. */
static inline bool peel_deeper(struct peel *x)
{
	x->in_llc = false;
	return x->count++ < PACKET_CARRIERS_MOST;
}

/* Why a header of len octets cannot be taken. */
static inline enum packet_reason peel_short(
    const struct peel *x, size_t len, enum packet_reason cut)
{
	enum packet_reason bad =
	    cut == PACKET_CUT_LINK ? PACKET_BAD_LINK : PACKET_BAD_CARRIER;
	return len <= x->s.wire ? cut : bad;
}

/* What is beyond len octets is padding; a length that is larger than what was
 * sent is not believed. */
static inline void peel_limit(struct peel *x, size_t len)
{
	if (len < x->s.wire)
		span_limit(&x->s, len);
}
