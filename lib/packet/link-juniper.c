/* SPDX-License-Identifier: ISC */
/*
 * Captures of Juniper's routers.  There is no specification: the layout is what
 * their captures and the notes of tcpdump's and Wireshark's authors show.
 *
 * | 4d 47 43 | flags 1 | length 2, extensions, if 80 is set |
 * | family 4 | IP |           if 02 is set: the link header was left out
 * | cookie of the interface card | what its link carries |
 */
#include <pcap/dlt.h>

#include "lib/packet/link.h"

enum { NO_LINK_HEADER = 0x02, HAS_EXTENSIONS = 0x80 };
/* The first octet of a cookie that is of another length than the card's. */
enum { LINK_SERVICES = 0x54, ADAPTIVE_SERVICES = 0x47 };

typedef enum packet_reason card_fn(
    struct peel *x, const uint8_t *cookie, size_t len);

static enum packet_reason card_ethernet(
    struct peel *x, const uint8_t *cookie, size_t len)
{
	(void)cookie;
	(void)len;
	return peel_ethernet(x);
}

static enum packet_reason card_ppp(
    struct peel *x, const uint8_t *cookie, size_t len)
{
	(void)cookie;
	(void)len;
	return peel_ppp_link(x);
}

static enum packet_reason card_hdlc(
    struct peel *x, const uint8_t *cookie, size_t len)
{
	(void)cookie;
	(void)len;
	return peel_hdlc(x);
}

static enum packet_reason card_relay(
    struct peel *x, const uint8_t *cookie, size_t len)
{
	(void)cookie;
	(void)len;
	return peel_relay(x);
}

static enum packet_reason card_ip(
    struct peel *x, const uint8_t *cookie, size_t len)
{
	(void)cookie;
	(void)len;
	return peel_ip(x, 0);
}

static enum packet_reason card_type(
    struct peel *x, const uint8_t *cookie, size_t len)
{
	(void)cookie;
	(void)len;
	if (x->s.captured < 2)
		return peel_short(x, 2, PACKET_CUT_LINK);
	unsigned type = load_be16(x->s.pos);
	span_skip(&x->s, 2);
	return peel_type(x, type);
}

/* An adaptive services card says in its cookie what follows. */
static enum packet_reason card_by_cookie(struct peel *x, const uint8_t *cookie)
{
	enum { PROTOCOL = 0x70, IP4 = 0, IP6 = 0x10, MPLS = 0x20 };
	enum { ROUTING_ENGINE = 0x0c };
	switch (cookie[5] & PROTOCOL) {
	case IP4:
		return cookie[4] == ROUTING_ENGINE ? peel_ppp(x)
						   : peel_ip(x, 4);
	case IP6: return peel_ip(x, 6);
	case MPLS: return peel_mpls(x);
	default: return PACKET_NOT_IP;
	}
}

static enum packet_reason card_mlppp(
    struct peel *x, const uint8_t *cookie, size_t len)
{
	enum { PPP_IP4 = 0x21, PPP_IP6 = 0x57 };
	if (len == 8)
		return card_by_cookie(x, cookie);
	/* A link of the bundle has no cookie: what was taken for one is PPP's
	 * protocol, or its address and control. */
	unsigned first = load_be16(cookie);
	if ((first == PPP_IP4 || first == PPP_IP6) &&
	    peel_likely_ip(&x->s, false))
		return peel_ip(x, 0);
	return peel_ppp(x);
}

static enum packet_reason card_mlfr(
    struct peel *x, const uint8_t *cookie, size_t len)
{
	enum { UNNUMBERED = 3 };
	if (len == 8)
		return card_by_cookie(x, cookie);
	if (len == 0)
		return peel_multilink_relay(x);
	if (x->s.captured < 1)
		return peel_short(x, 1, PACKET_CUT_LINK);
	if (x->s.pos[0] == UNNUMBERED)
		span_skip(&x->s, 1);
	return peel_nlpid(x);
}

static enum packet_reason card_atm(
    struct peel *x, const uint8_t *cookie, size_t len)
{
	enum { CELL_ATM1 = 0x80, CELL_ATM2 = 0x70 };
	bool cell =
	    len == 8 ? (cookie[7] & CELL_ATM2) != 0 : cookie[0] == CELL_ATM1;
	return cell ? PACKET_LINK_CONTROL : peel_atm(x);
}

/* A packet that goes into a tunnel or comes out of one, with or without what
 * the card needs to know. */
static enum packet_reason card_ipsec(
    struct peel *x, const uint8_t *cookie, size_t len)
{
	enum { REWRITE_LEN = 16 };
	(void)cookie;
	(void)len;
	if (!peel_likely_ip(&x->s, false) && x->s.captured > REWRITE_LEN)
		span_skip(&x->s, REWRITE_LEN);
	return peel_ip(x, 0);
}

static const struct {
	int dlt;
	uint8_t cookie_len;
	bool has_cookie; /* one of another length may stand there */
	card_fn *read;
} cards[] = {
	{ DLT_JUNIPER_ETHER, 0, false, card_ethernet },
	{ DLT_JUNIPER_PPPOE, 0, true, card_ethernet },
	{ DLT_JUNIPER_PPPOE_ATM, 0, true, card_type },
	{ DLT_JUNIPER_PPP, 0, false, card_ppp },
	{ DLT_JUNIPER_CHDLC, 0, false, card_hdlc },
	{ DLT_JUNIPER_FRELAY, 0, false, card_relay },
	{ DLT_JUNIPER_MLPPP, 2, true, card_mlppp },
	{ DLT_JUNIPER_MLFR, 2, true, card_mlfr },
	{ DLT_JUNIPER_MFR, 4, true, card_mlfr },
	{ DLT_JUNIPER_ATM1, 4, true, card_atm },
	{ DLT_JUNIPER_ATM2, 8, true, card_atm },
	{ DLT_JUNIPER_GGSN, 8, true, card_ip },
	{ DLT_JUNIPER_MONITOR, 8, true, card_ip },
	{ DLT_JUNIPER_SERVICES, 8, true, card_ip },
	{ DLT_JUNIPER_ES, 0, true, card_ipsec },
};
#define CARDS (sizeof(cards) / sizeof(cards[0]))

static size_t find_card(int dlt)
{
	size_t i = 0;
	while (i < CARDS && cards[i].dlt != dlt)
		i++;
	return i;
}

bool juniper_link_known(int dlt)
{
	return find_card(dlt) < CARDS;
}

/* Magic, flags, extensions. */
static enum packet_reason take_magic(struct peel *x, unsigned *flags)
{
	if (x->s.captured < 4)
		return peel_short(x, 4, PACKET_CUT_LINK);
	if (memcmp(x->s.pos, "MGC", 3) != 0)
		return PACKET_BAD_LINK;
	*flags = x->s.pos[3];
	span_skip(&x->s, 4);
	if (!(*flags & HAS_EXTENSIONS))
		return PACKET_UNDERSTOOD;
	if (x->s.captured < 2)
		return peel_short(x, 2, PACKET_CUT_LINK);
	return peel_link_header(x, 2 + (size_t)load_be16(x->s.pos));
}

static size_t measure_cookie(const struct peel *x, size_t card)
{
	enum { CHILD_LINK = 0xc0 };
	size_t len = cards[card].cookie_len;
	if (!cards[card].has_cookie || x->s.captured == 0)
		return len;
	uint8_t first = x->s.pos[0];
	if (cards[card].dlt == DLT_JUNIPER_MFR &&
	    (first & CHILD_LINK) == CHILD_LINK)
		return 0;
	if (first == ADAPTIVE_SERVICES)
		return 8;
	return first == LINK_SERVICES ? len + 2 : len;
}

enum packet_reason peel_juniper(struct peel *x, int dlt)
{
	size_t card = find_card(dlt);
	unsigned flags;
	enum packet_reason why = take_magic(x, &flags);
	if (why != PACKET_UNDERSTOOD)
		return why;
	if (flags & NO_LINK_HEADER) {
		why = peel_link_header(x, 4);
		return why != PACKET_UNDERSTOOD ? why : peel_ip(x, 0);
	}
	size_t len = measure_cookie(x, card);
	const uint8_t *cookie = x->s.pos;
	why = peel_link_header(x, len);
	return why != PACKET_UNDERSTOOD ? why
					: cards[card].read(x, cookie, len);
}
