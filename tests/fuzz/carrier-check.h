/* SPDX-License-Identifier: ISC */
/* What holds for every frame, whatever is in it. */
#pragma once

#include <stdlib.h>

#include "lib/base/buf.h"
#include "lib/base/err.h"
#include "lib/base/xalloc.h"
#include "lib/packet/packet.h"

/* Pointers lie in the frame, and an error has a reason and leaves no half of
 * a carrier. */
static inline void carrier_check_packet(const struct packet *p, int err,
    const uint8_t *bytes, size_t caplen, size_t wirelen)
{
	if (p->carriers > PACKET_CARRIERS_MOST || p->reason >= PACKET_REASONS)
		BUG("%d carriers, reason %d", p->carriers, p->reason);
	if ((err == 0) != (p->reason == PACKET_UNDERSTOOD))
		BUG("error %d, reason %d", err, p->reason);
	if (err == 0 && p->src.family != 4 && p->src.family != 6)
		BUG("a packet without a source");
	if (err == 0 && p->payload_len > 0 &&
	    (p->payload < bytes ||
		p->payload + p->payload_len > bytes + caplen))
		BUG("a payload outside the frame");
	if (err == 0 && p->payload_len > p->payload_wire_len)
		BUG("more captured than sent");
	if (err == ERR_MALFORMED && caplen < wirelen &&
	    p->reason >= PACKET_UNKNOWN_LINK)
		BUG("malformed for reason %d", p->reason);
}

/* The frame whole, and as it would be cut: an exact copy each, so that reading
 * past the end is seen.  A cut one never has another source than one of its
 * carriers. */
static inline void carrier_check_frame(
    int dlt, const uint8_t *bytes, size_t len, size_t cut)
{
	struct packet p;
	int err = packet_decode_link(&p, dlt, bytes, len, len);
	carrier_check_packet(&p, err, bytes, len, len);
	size_t caplen = cut < len ? len - cut : 0;
	uint8_t *exact = xmemdup(bytes, caplen);
	err = packet_decode_link(&p, dlt, exact, caplen, len);
	carrier_check_packet(&p, err, exact, caplen, len);
	free(exact);
}
