/* SPDX-License-Identifier: ISC */
/* What the decoder's own files share; others include packet.h. */
#pragma once

#include "lib/packet/octets.h"
#include "lib/packet/packet.h"

/* Clears packet and decodes from the IP header on.  quoted: part of an ICMP
 * error, so lengths in the headers are reported but not believed. */
int decode_span(struct packet *packet, struct span *s, bool quoted);

/* Finds the quote and the RFC 4884 extensions in the payload of an ICMP
 * error. */
void decode_icmp_error(struct packet *packet);

/* An IPv6 extension header that the decoder steps over. */
bool decode_is_extension(unsigned proto);
