/* SPDX-License-Identifier: ISC */
/*
 * What packet filters and taps hand over, and links that have gone out of use.
 * Specification: tcpdump.org's LINKTYPE pages, linux/netfilter/
 * nfnetlink_log.h, IEEE 802.5, DOCSIS 3.0 (MULPI) section 6.
 *
 * NFLOG  | family 1 | 00 | resource 2 | length 2 | type 2 | value, padded |..
 * PFLOG  | length 1 | family 1 | ... | packet |   the length is rounded up
 * PKTAP  | length 4 | kind 4 | link 4 | ... | frame |
 */
#include "lib/packet/link.h"

enum { NFLOG_HEAD = 4, NFLOG_PACKET = 1, NFLOG_PAYLOAD = 9, HOOK_OUT = 3 };

static size_t load_16(const uint8_t *p, bool big)
{
	uint16_t v = load_be16(p);
	return big ? v : __builtin_bswap16(v);
}

/* Values stand in the byte order of the machine that captured.  Offset of the
 * payload's, or 0; *cut: the walk left what was captured. */
static size_t find_payload(struct peel *x, bool big, bool *cut)
{
	const struct span *s = &x->s;
	size_t at = NFLOG_HEAD;
	while (at + 4 <= s->captured) {
		size_t len = load_16(s->pos + at, big);
		size_t type = load_16(s->pos + at + 2, big) & 0x7fff;
		if (len < 4 || len > s->wire - at)
			return 0;
		if (type == NFLOG_PAYLOAD)
			return at;
		if (type == NFLOG_PACKET && len >= 7 && at + 7 <= s->captured &&
		    s->pos[at + 6] == HOOK_OUT)
			x->cast = PACKET_CAST_OUTGOING;
		at += (len + 3) & ~(size_t)3;
	}
	*cut = at + 4 <= s->wire;
	return 0;
}

enum packet_reason peel_nflog(struct peel *x)
{
	bool big = false, cut = false;
	if (x->s.captured < NFLOG_HEAD)
		return peel_short(x, NFLOG_HEAD, PACKET_CUT_LINK);
	if (x->s.pos[1] != 0)
		return PACKET_BAD_LINK;
	size_t at = find_payload(x, big, &cut);
	if (at == 0 && !cut) {
		big = true;
		at = find_payload(x, big, &cut);
	}
	if (at == 0)
		return cut ? PACKET_CUT_LINK : PACKET_BAD_LINK;
	size_t len = load_16(x->s.pos + at, big) - 4;
	span_skip(&x->s, at + 4);
	peel_limit(x, len);
	return peel_ip(x, 0);
}

enum packet_reason peel_pflog(struct peel *x)
{
	enum { LEAST = 28 };
	if (x->s.captured < 2)
		return peel_short(x, 2, PACKET_CUT_LINK);
	size_t len = ((size_t)x->s.pos[0] + 3) & ~(size_t)3;
	if (len < LEAST)
		return PACKET_BAD_LINK;
	enum packet_reason why = peel_link_header(x, len);
	return why != PACKET_UNDERSTOOD ? why : peel_ip(x, 0);
}

enum packet_reason peel_pktap(struct peel *x)
{
	enum { LEAST = 12 };
	if (x->s.captured < LEAST)
		return peel_short(x, LEAST, PACKET_CUT_LINK);
	size_t len = __builtin_bswap32(load_be32(x->s.pos));
	uint32_t dlt = __builtin_bswap32(load_be32(x->s.pos + 8));
	if (len < LEAST)
		return PACKET_BAD_LINK;
	if (!peel_deeper(x))
		return PACKET_TOO_DEEP;
	enum packet_reason why = peel_link_header(x, len);
	return why != PACKET_UNDERSTOOD ? why : peel_then_link(x, (int)dlt);
}

/* The first bit of the source says that the way of bridges follows. */
enum packet_reason peel_token_ring(struct peel *x)
{
	enum { LEN = 14, SOURCE_AT = 8 };
	if (x->s.captured < LEN)
		return peel_short(x, LEN, PACKET_CUT_LINK);
	bool routed = x->s.pos[SOURCE_AT] & 0x80;
	span_skip(&x->s, LEN);
	if (routed) {
		if (x->s.captured < 1)
			return peel_short(x, 1, PACKET_CUT_LINK);
		enum packet_reason why = peel_link_header(x, x->s.pos[0] & 31u);
		if (why != PACKET_UNDERSTOOD)
			return why;
	}
	return peel_llc(x);
}

enum packet_reason peel_docsis(struct peel *x)
{
	enum { KIND = 0xc0, EXTENDED = 1, LEN = 6 };
	if (x->s.captured < LEN)
		return peel_short(x, LEN, PACKET_CUT_LINK);
	unsigned control = x->s.pos[0];
	size_t more = control & EXTENDED ? x->s.pos[1] : 0;
	if (control & KIND)
		return PACKET_LINK_CONTROL;
	enum packet_reason why = peel_link_header(x, LEN + more);
	return why != PACKET_UNDERSTOOD ? why : peel_ethernet(x);
}
