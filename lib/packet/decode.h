/* SPDX-License-Identifier: ISC */
/* What the decoder's own files share; others include packet.h. */
#pragma once

#include "lib/packet/octets.h"
#include "lib/packet/packet.h"

enum decode_mode {
	DECODE_WHOLE, /* headers that are not whole are errors */
	DECODE_QUOTE, /* part of an ICMP error: lengths are not believed */
	DECODE_FRAME  /* captured: part of an upper header is something */
};

/* Clears packet and decodes from the IP header on.  packet->reason is set with
 * an error. */
int decode_span(struct packet *packet, struct span *s, enum decode_mode mode);

/* Finds the quote and the RFC 4884 extensions in the payload of an ICMP
 * error. */
void decode_icmp_error(struct packet *packet);

/* An IPv6 extension header that the decoder steps over. */
bool decode_is_extension(unsigned proto);
