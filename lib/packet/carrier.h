/* SPDX-License-Identifier: ISC */
/*
 * What link.c and the readers of carriers share: the way of one frame from its
 * link header, through what carries it, to its innermost IP packet.  Each
 * reader has x->s behind what led to it, takes its own header and calls the
 * reader of what follows; the reason of whatever stopped it comes back.
 */
#pragma once

#include "lib/packet/decode.h"
#include "lib/packet/octets.h"

struct peel {
	struct packet *packet; /* filled by peel_ip */
	struct span s;
	uint8_t cast;  /* enum packet_cast, of the last link header */
	uint8_t count; /* carriers so far */
};

/* By libpcap's DLT_* */
enum packet_reason peel_link(struct peel *x, int dlt);
/* From an Ethernet frame's destination on. */
enum packet_reason peel_ethernet(struct peel *x);
/* What an Ethernet type announces. */
enum packet_reason peel_type(struct peel *x, unsigned type);
/* An IP packet of this version (4, 6; 0: what it says), and what it carries. */
enum packet_reason peel_ip(struct peel *x, unsigned version);

/* Why a header of len octets cannot be taken. */
static inline enum packet_reason peel_short(
    const struct peel *x, size_t len, enum packet_reason cut)
{
	enum packet_reason bad =
	    cut == PACKET_CUT_LINK ? PACKET_BAD_LINK : PACKET_BAD_CARRIER;
	return len <= x->s.wire ? cut : bad;
}
