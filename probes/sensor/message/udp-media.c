/* SPDX-License-Identifier: ISC */
/* Calls, streams and games. */
#include "probes/sensor/message/datagram.h"

/*
 * STUN: RFC 8489 section 5; RFC 3489 had no cookie.
 *
 * |0 0|     type      |            length             |
 * |                  cookie 2112a442                  |
 * |                transaction id, 12                 |
 *
 * Bits 4 and 8 of the type: request, indication, success, error.  Requests go
 * to a server's port, or between two peers of a call, from port to port as both
 * had offered: there a request to an address without a call is a stray.
 */
#define STUN_HEADER_LEN 20
#define STUN_COOKIE 0x2112a442
enum stun_class {
	STUN_REQUEST = 0x000,
	STUN_INDICATION = 0x010,
	STUN_SUCCESS = 0x100,
	STUN_ERROR = 0x110,
	STUN_NONE = 0x1000
};

static unsigned stun_class(const struct datagram *d)
{
	if (!datagram_has(d, 0, STUN_HEADER_LEN))
		return STUN_NONE;
	unsigned type = datagram_be16(d, 0), len = datagram_be16(d, 2);
	if (type >> 14 != 0 || len % 4 != 0 ||
	    len + (size_t)STUN_HEADER_LEN > d->wire)
		return STUN_NONE;
	if (datagram_be32(d, 4) == STUN_COOKIE)
		return type & 0x110;
	bool old = type == 0x001 || type == 0x101 || type == 0x111;
	return old && len + (size_t)STUN_HEADER_LEN == d->wire ? type & 0x110
							       : STUN_NONE;
}

static bool stun_goes_to_server(const struct datagram *d)
{
	return d->dport < 1024 || (d->dport >= 3478 && d->dport <= 3481) ||
	    d->dport == 5349 || d->dport == 5350 ||
	    (d->dport >= 19302 && d->dport <= 19309);
}

static bool stun_is_question(const struct datagram *d)
{
	return stun_class(d) == STUN_REQUEST && stun_goes_to_server(d);
}

static bool stun_is_answer(const struct datagram *d)
{
	unsigned class = stun_class(d);
	return class == STUN_SUCCESS || class == STUN_ERROR;
}

static bool stun_is_stray(const struct datagram *d)
{
	unsigned class = stun_class(d);
	return class == STUN_REQUEST || class == STUN_INDICATION;
}

const struct udp_protocol udp_stun = {
	.name = "stun",
	.bits = 28,
	.is_question = stun_is_question,
	.is_answer = stun_is_answer,
	.is_stray = stun_is_stray,
};

/* SIP: RFC 3261 section 7; methods of the RFCs that extend it. */
static bool sip_is_request(const struct datagram *d)
{
	static const char methods[] =
	    "OPTIONS \0INVITE \0REGISTER \0SUBSCRIBE \0NOTIFY \0MESSAGE \0"
	    "PUBLISH \0INFO \0REFER \0UPDATE \0PRACK \0BYE \0CANCEL \0ACK \0";
	return datagram_has_word(d, 0, methods) &&
	    (datagram_contains(d, " sip:", 16) ||
		datagram_contains(d, " sips:", 17) ||
		datagram_contains(d, " tel:", 16) ||
		datagram_contains(d, " SIP/2.0", 600));
}

/* Only an ACK gets no answer. */
static bool sip_is_question(const struct datagram *d)
{
	return sip_is_request(d) && !DATAGRAM_STARTS(d, "ACK ");
}

static bool sip_is_answer(const struct datagram *d)
{
	return DATAGRAM_STARTS(d, "SIP/2.0 ");
}

const struct udp_protocol udp_sip = {
	.name = "sip",
	.bits = 48,
	.is_question = sip_is_question,
	.is_answer = sip_is_answer,
	.is_other = sip_is_request,
	.other = MESSAGE_EITHER,
};

/* RTCP: RFC 3550 section 6.1, RFC 4585, RFC 5506: packets of version 2, types
 * 200 to 207, whose lengths (in words less one) fill the datagram. */
static bool rtcp_is_compound(const struct datagram *d)
{
	size_t at = 0;
	while (datagram_has(d, at, 4)) {
		if (d->at[at] >> 6 != 2 || d->at[at + 1] < 200 ||
		    d->at[at + 1] > 207)
			return false;
		at += ((size_t)datagram_be16(d, at + 2) + 1) * 4;
	}
	return at >= 8 && (at == d->wire || (at > d->len && at <= d->wire));
}

const struct udp_protocol udp_rtcp = {
	.name = "rtcp",
	.bits = 20,
	.is_other = rtcp_is_compound,
	.other = MESSAGE_EITHER,
};

/* RTP: RFC 3550 section 5.1.  One packet shows little: version 2, no padding,
 * no contributing sources, a payload type that is not RTCP's, ports that no
 * service has. */
static bool rtp_may_be(const struct datagram *d)
{
	if (!datagram_has(d, 0, 12) || d->wire <= 12 || d->sport < 1024 ||
	    d->dport < 1024 || (d->at[0] & 0xef) != 0x80)
		return false;
	unsigned type = d->at[1] & 0x7f;
	return type <= 34 || type >= 96;
}

const struct udp_protocol udp_rtp = {
	.name = "rtp",
	.bits = 7,
	.is_other = rtp_may_be,
	.other = MESSAGE_EITHER,
};

/* Source engine queries (developer.valvesoftware.com, Server queries): four
 * octets ff, then a letter.  Also whole answers in pieces: fffffffe. */
static bool a2s_is_letter(const struct datagram *d, const char *letters)
{
	return DATAGRAM_STARTS(d, "\xff\xff\xff\xff") &&
	    datagram_has(d, 4, 1) && d->at[4] != 0 &&
	    strchr(letters, d->at[4]) != NULL;
}

/* T info, U players, V rules (with a challenge of four octets), W challenge, i
 * ping. */
static bool a2s_is_question(const struct datagram *d)
{
	if (DATAGRAM_AT(d, 4, "TSource Engine Query"))
		return a2s_is_letter(d, "T");
	return (a2s_is_letter(d, "UV") && d->wire == 9) ||
	    (a2s_is_letter(d, "Wi") && d->wire <= 6);
}

static bool a2s_is_answer(const struct datagram *d)
{
	if (DATAGRAM_STARTS(d, "\xfe\xff\xff\xff"))
		return d->wire > 400;
	return a2s_is_letter(d, "IDEm") ||
	    (a2s_is_letter(d, "A") && d->wire == 9) ||
	    (a2s_is_letter(d, "j") && d->wire < 24);
}

const struct udp_protocol udp_a2s = {
	.name = "a2s",
	.bits = 30,
	.is_question = a2s_is_question,
	.is_answer = a2s_is_answer,
	.amplifies = a2s_is_question,
};

/* Quake 2 and 3 and what descends from them: four octets ff, then a word (the
 * protocol's description at caia.swin.edu.au, and its source). */
static bool quake_is_question(const struct datagram *d)
{
	return DATAGRAM_STARTS(d, "\xff\xff\xff\xff") &&
	    datagram_has_word(d, 4,
		"getstatus\0getinfo\0getservers\0getchallenge\0status\0"
		"connect\0rcon\0ping\0");
}

static bool quake_is_answer(const struct datagram *d)
{
	return DATAGRAM_STARTS(d, "\xff\xff\xff\xff") &&
	    datagram_has_word(d, 4,
		"statusResponse\0infoResponse\0getserversResponse\0"
		"getserversExtResponse\0challengeResponse\0connectResponse\0"
		"print\0disconnect\0ack\0");
}

static bool quake_asks(const struct datagram *d)
{
	return quake_is_question(d) && !quake_is_answer(d);
}

const struct udp_protocol udp_quake = {
	.name = "quake",
	.bits = 48,
	.is_question = quake_asks,
	.is_answer = quake_is_answer,
	.amplifies = quake_is_question,
};

/* RakNet (its source, MessageIdentifiers.h; Minecraft): a message's number and,
 * where it is offline, 16 octets that are always the same. */
static bool raknet_is(const struct datagram *d, unsigned id, size_t at)
{
	return datagram_has(d, 0, 1) && d->at[0] == id &&
	    DATAGRAM_AT(d, at,
		"\x00\xff\xff\x00\xfe\xfe\xfe\xfe\xfd\xfd\xfd\xfd\x12\x34\x56"
		"\x78");
}

static bool raknet_is_question(const struct datagram *d)
{
	return raknet_is(d, 1, 9) || raknet_is(d, 2, 9) || raknet_is(d, 5, 1) ||
	    raknet_is(d, 7, 1);
}

static bool raknet_is_answer(const struct datagram *d)
{
	return raknet_is(d, 0x1c, 17) || raknet_is(d, 6, 1) ||
	    raknet_is(d, 8, 1);
}

const struct udp_protocol udp_raknet = {
	.name = "raknet",
	.bits = 64,
	.is_question = raknet_is_question,
	.is_answer = raknet_is_answer,
	.amplifies = raknet_is_question,
};
