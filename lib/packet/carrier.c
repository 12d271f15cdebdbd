/* SPDX-License-Identifier: ISC */
/*
 * Ethernet types, and what they announce beside IP.  Specification: IEEE
 * 802.1Q.
 *
 * VLAN tag | TPID 2 | TCI 2 | type 2 |
 */
#include "lib/packet/carrier.h"

enum {
	TYPE_IP4 = 0x0800,
	TYPE_ARP = 0x0806,
	TYPE_VLAN = 0x8100,
	TYPE_IP6 = 0x86dd,
	TYPE_QINQ = 0x88a8,
	TYPE_LLDP = 0x88cc,
	TYPE_QINQ_OLD = 0x9100,
	TYPE_QINQ_OLDER = 0x9200
};

/* s is behind the type. */
enum packet_reason peel_type(struct peel *x, unsigned type)
{
	for (;;) {
		switch (type) {
		case TYPE_IP4: return peel_ip(x, 4);
		case TYPE_IP6: return peel_ip(x, 6);
		case TYPE_VLAN:
		case TYPE_QINQ:
		case TYPE_QINQ_OLD:
		case TYPE_QINQ_OLDER: break;
		case TYPE_ARP: return PACKET_ARP;
		case TYPE_LLDP: return PACKET_LINK_CONTROL;
		default: return PACKET_NOT_IP;
		}
		if (x->s.captured < 4)
			return peel_short(x, 4, PACKET_CUT_LINK);
		type = load_be16(x->s.pos + 2);
		span_skip(&x->s, 4);
	}
}

/* The link header may name the version that follows: the packet has to agree.
 */
enum packet_reason peel_ip(struct peel *x, unsigned version)
{
	struct packet *p = x->packet;
	if (version != 0 && x->s.captured > 0 && x->s.pos[0] >> 4 != version)
		return PACKET_BAD_IP;
	int err = decode_span(p, &x->s, DECODE_FRAME);
	p->link_cast = x->cast;
	p->carriers = x->count;
	return err == 0 ? PACKET_UNDERSTOOD : (enum packet_reason)p->reason;
}
