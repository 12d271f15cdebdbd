/* SPDX-License-Identifier: ISC */
/*
 * Wireless frames and what capture devices put before them.  Specification:
 * IEEE 802.11 clause 9, radiotap.org, tcpdump.org's LINKTYPE pages (AVS,
 * Prism, PPI).
 *
 * | control 2 | duration 2 | address 6 | address 6 | address 6 | sequence 2 |
 * | address 6, between two access points | QoS 2 | HT control 4 | LLC |
 */
#include <pcap/dlt.h>

#include "lib/packet/link.h"

enum { ADDRESS_LEN = 6, HEADER_LEN = 24, AMSDU_HEADER_LEN = 14, CHECK_LEN = 4 };
enum { /* the first octet of the control field */
	VERSION = 0x03,
	TYPE = 0x0c,
	TYPE_DATA = 0x08,
	NO_DATA = 0x40,
	QOS = 0x80
};
enum { /* the second */
	TO_DS = 0x01,
	FROM_DS = 0x02,
	PROTECTED = 0x40,
	HT_CONTROL = 0x80
};

static uint16_t load_le16(const uint8_t *p)
{
	return (uint16_t)(p[0] | p[1] << 8);
}

static uint32_t load_le32(const uint8_t *p)
{
	return __builtin_bswap32(load_be32(p));
}

static size_t wireless_len(unsigned first, unsigned second)
{
	size_t len = HEADER_LEN;
	if ((second & (TO_DS | FROM_DS)) == (TO_DS | FROM_DS))
		len += ADDRESS_LEN;
	if (first & QOS)
		len += second & HT_CONTROL ? 6 : 2;
	return len;
}

/* Several packets in one frame: the first is read. */
static enum packet_reason peel_aggregate(struct peel *x)
{
	if (x->s.captured < AMSDU_HEADER_LEN)
		return peel_short(x, AMSDU_HEADER_LEN, PACKET_CUT_LINK);
	x->cast = (uint8_t)peel_cast(x->s.pos);
	size_t len = load_be16(x->s.pos + 12);
	span_skip(&x->s, AMSDU_HEADER_LEN);
	peel_limit(x, len);
	return peel_llc(x);
}

static enum packet_reason peel_frame(struct peel *x, bool padded)
{
	if (x->s.captured < 2)
		return peel_short(x, 2, PACKET_CUT_LINK);
	unsigned first = x->s.pos[0], second = x->s.pos[1];
	if (first & VERSION)
		return PACKET_BAD_LINK;
	if ((first & TYPE) != TYPE_DATA || first & NO_DATA)
		return PACKET_LINK_CONTROL;
	if (second & PROTECTED)
		return PACKET_ENCRYPTED;
	size_t len = wireless_len(first, second), plain = len;
	if (padded)
		len = (len + 3) & ~(size_t)3;
	if (x->s.captured < len)
		return peel_short(x, len, PACKET_CUT_LINK);
	const uint8_t *h = x->s.pos;
	bool later_fragment = load_le16(h + 22) & 15;
	size_t qos_at = second & HT_CONTROL ? plain - 6 : plain - 2;
	bool aggregate = first & QOS && h[qos_at] & 0x80;
	x->cast = (uint8_t)peel_cast(h + (second & TO_DS ? 16 : 4));
	span_skip(&x->s, len);
	if (later_fragment)
		return PACKET_UNKNOWN_CARRIER;
	return aggregate ? peel_aggregate(x) : peel_llc(x);
}

enum packet_reason peel_wireless(struct peel *x)
{
	return peel_frame(x, false);
}

/* The second field, one octet, behind a time of eight that is aligned. */
static unsigned radiotap_flags(const uint8_t *h, size_t len)
{
	enum { HAS_TIME = 1, HAS_FLAGS = 2 };
	uint32_t present = load_le32(h + 4);
	size_t at = 8;
	for (uint32_t word = present; word >> 31 && at + 4 <= len; at += 4)
		word = load_le32(h + at);
	if (present & HAS_TIME)
		at = ((at + 7) & ~(size_t)7) + 8;
	return present & HAS_FLAGS && at < len ? h[at] : 0;
}

enum packet_reason peel_radiotap(struct peel *x)
{
	enum { HAS_CHECK = 0x10, IS_PADDED = 0x20 };
	if (x->s.captured < 8)
		return peel_short(x, 8, PACKET_CUT_LINK);
	size_t len = load_le16(x->s.pos + 2);
	if (x->s.pos[0] != 0 || len < 8)
		return PACKET_BAD_LINK;
	if (x->s.captured < len)
		return peel_short(x, len, PACKET_CUT_LINK);
	unsigned flags = radiotap_flags(x->s.pos, len);
	span_skip(&x->s, len);
	if (flags & HAS_CHECK && x->s.wire > CHECK_LEN)
		peel_limit(x, x->s.wire - CHECK_LEN);
	return peel_frame(x, flags & IS_PADDED);
}

enum packet_reason peel_avs(struct peel *x)
{
	if (x->s.captured < 8)
		return peel_short(x, 8, PACKET_CUT_LINK);
	enum packet_reason why = peel_link_header(x, load_be32(x->s.pos + 4));
	return why != PACKET_UNDERSTOOD ? why : peel_frame(x, false);
}

/* The length is in the byte order of the capturing machine. */
enum packet_reason peel_prism(struct peel *x)
{
	if (x->s.captured < 8)
		return peel_short(x, 8, PACKET_CUT_LINK);
	if (load_be32(x->s.pos) >> 12 == 0x80211)
		return peel_avs(x);
	size_t len = load_le32(x->s.pos + 4);
	if (len > UINT16_MAX)
		len = load_be32(x->s.pos + 4);
	enum packet_reason why = peel_link_header(x, len);
	return why != PACKET_UNDERSTOOD ? why : peel_frame(x, false);
}

enum packet_reason peel_ppi(struct peel *x)
{
	if (x->s.captured < 8)
		return peel_short(x, 8, PACKET_CUT_LINK);
	size_t len = load_le16(x->s.pos + 2);
	uint32_t dlt = load_le32(x->s.pos + 4);
	if (len < 8)
		return PACKET_BAD_LINK;
	enum packet_reason why = peel_link_header(x, len);
	if (why != PACKET_UNDERSTOOD)
		return why;
	return dlt == DLT_IEEE802_11 ? peel_frame(x, false)
	    : dlt == DLT_EN10MB      ? peel_ethernet(x)
				     : PACKET_UNKNOWN_LINK;
}
