/* SPDX-License-Identifier: ISC */
/* Readers of link types, for link.c's table. */
#pragma once

#include "lib/packet/carrier.h"

/* link-serial.c: PPP, HDLC, frame relay, ATM */
enum packet_reason peel_ppp_link(struct peel *x);
enum packet_reason peel_ppp_directed(struct peel *x);
enum packet_reason peel_hdlc(struct peel *x);
enum packet_reason peel_hdlc_directed(struct peel *x);
enum packet_reason peel_relay(struct peel *x);
enum packet_reason peel_relay_directed(struct peel *x);
enum packet_reason peel_multilink_relay(struct peel *x);
enum packet_reason peel_atm(struct peel *x);
enum packet_reason peel_sun_atm(struct peel *x);

/* link-wireless.c */
enum packet_reason peel_wireless(struct peel *x);
enum packet_reason peel_radiotap(struct peel *x);
enum packet_reason peel_prism(struct peel *x);
enum packet_reason peel_avs(struct peel *x);
enum packet_reason peel_ppi(struct peel *x);

/* link-tap.c: what packet filters and hosts hand over */
enum packet_reason peel_nflog(struct peel *x);
enum packet_reason peel_pflog(struct peel *x);
enum packet_reason peel_pktap(struct peel *x);
enum packet_reason peel_token_ring(struct peel *x);
enum packet_reason peel_docsis(struct peel *x);

/* link-juniper.c: any DLT_JUNIPER_* */
bool juniper_link_known(int dlt);
enum packet_reason peel_juniper(struct peel *x, int dlt);

/* x->s behind len octets of the link's header. */
static inline enum packet_reason peel_link_header(struct peel *x, size_t len)
{
	if (x->s.captured < len)
		return peel_short(x, len, PACKET_CUT_LINK);
	span_skip(&x->s, len);
	return PACKET_UNDERSTOOD;
}
