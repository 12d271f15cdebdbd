/* SPDX-License-Identifier: ISC */
/* Things: devices, buildings, factories. */
#include "probes/sensor/message/datagram.h"

/*
 * CoAP: RFC 7252 section 3.
 *
 * |Ver| T |  TKL  |  class  detail |       message id       | token, options
 *
 * Class 0 is a request, or empty (a ping, or its reset); 2, 4 and 5 are
 * responses.  Options are numbered by differences, each with its length; ff
 * begins the payload.
 */
static bool coap_skip_extended(
    const struct datagram *d, size_t *at, size_t *value)
{
	if (*value < 13)
		return true;
	size_t octets = *value - 12;
	if (*value == 15 || !datagram_has(d, *at, octets))
		return false;
	*value = octets == 1 ? d->at[*at] + 13 : datagram_be16(d, *at) + 269;
	*at += octets;
	return true;
}

/* The options, as far as they were captured, are whole, and no number is too
 * large. */
static bool coap_options_are_sound(const struct datagram *d, size_t at)
{
	size_t number = 0;
	while (datagram_has(d, at, 1) && d->at[at] != 0xff) {
		size_t delta = d->at[at] >> 4, len = d->at[at] & 15;
		at++;
		if (!coap_skip_extended(d, &at, &delta) ||
		    !coap_skip_extended(d, &at, &len))
			return false;
		number += delta;
		at += len;
		if (number > 2100 || at > d->wire)
			return false;
	}
	return at != d->wire - 1; /* a marker and no payload */
}

/* Code's class; -1: it is not CoAP. */
static int coap_class(const struct datagram *d)
{
	if (!datagram_has(d, 0, 4) || d->at[0] >> 6 != 1)
		return -1;
	unsigned token = d->at[0] & 15, class = d->at[1] >> 5;
	unsigned detail = d->at[1] & 31;
	if (d->at[1] == 0)
		return token == 0 && d->wire == 4 ? 0 : -1;
	if (token > 8 || (class == 0 && detail > 7) ||
	    (class != 0 && detail > 15) || !datagram_has(d, 4, token))
		return -1;
	if (class != 0 && class != 2 && class != 4 && class != 5)
		return -1;
	return coap_options_are_sound(d, 4 + token) ? (int)class : -1;
}

#define COAP_TYPE 0x30
#define COAP_CONFIRMABLE 0x00
#define COAP_NON 0x10

static bool coap_is_question(const struct datagram *d)
{
	if (coap_class(d) != 0)
		return false;
	unsigned type = d->at[0] & COAP_TYPE;
	return type == COAP_CONFIRMABLE || (type == COAP_NON && d->at[1] != 0);
}

static bool coap_is_answer(const struct datagram *d)
{
	int class = coap_class(d);
	return class > 0 || (class == 0 && d->at[1] == 0 && (d->at[0] & 0x20));
}

static bool coap_amplifies(const struct datagram *d)
{
	return datagram_contains(d,
	    ".well-known\x04"
	    "core",
	    64);
}

const struct udp_protocol udp_coap = {
	.name = "coap",
	.bits = 6,
	.is_question = coap_is_question,
	.is_answer = coap_is_answer,
	.amplifies = coap_amplifies,
};

/*
 * BACnet/IP: ASHRAE 135 annex J and clauses 6, 20.
 *
 * | 81 | function | length 2 |, with a forwarded address (function 4) 6 more;
 * | 01 | control | [network 2, len, address] [the same of the source] [hops] |
 * | APDU type << 4 | ... | service |
 */
#define BACNET_FORWARDED 4
enum bacnet_apdu { BACNET_CONFIRMED = 0, BACNET_UNCONFIRMED = 1 };

/* Where the APDU begins; 0: it is no BACnet, or it has none. */
static size_t bacnet_apdu(const struct datagram *d)
{
	if (!datagram_has(d, 0, 6) || d->at[0] != 0x81 || d->at[1] > 0x0b ||
	    datagram_be16(d, 2) != d->wire)
		return 0;
	size_t at = d->at[1] == BACNET_FORWARDED ? 10 : 4;
	if (!datagram_has(d, at, 2) || d->at[at] != 1)
		return 0;
	unsigned control = d->at[at + 1];
	at += 2;
	for (unsigned bit = 0x20; bit >= 0x08; bit >>= 2) {
		if (!(control & bit))
			continue;
		if (!datagram_has(d, at, 3))
			return 0;
		at += 3 + (size_t)d->at[at + 2];
	}
	at += (control & 0x20) != 0;
	return !(control & 0x80) && datagram_has(d, at, 2) ? at : 0;
}

/* Who-is and who-has ask; i-am and i-have answer. */
static bool bacnet_is_question(const struct datagram *d)
{
	size_t at = bacnet_apdu(d);
	if (at == 0)
		return false;
	unsigned type = d->at[at] >> 4, service = d->at[at + 1];
	return type == BACNET_CONFIRMED ||
	    (type == BACNET_UNCONFIRMED && service >= 2);
}

static bool bacnet_is_answer(const struct datagram *d)
{
	size_t at = bacnet_apdu(d);
	if (at == 0)
		return false;
	unsigned type = d->at[at] >> 4, service = d->at[at + 1];
	return type >= 2 || (type == BACNET_UNCONFIRMED && service <= 1);
}

const struct udp_protocol udp_bacnet = {
	.name = "bacnet",
	.bits = 32,
	.is_question = bacnet_is_question,
	.is_answer = bacnet_is_answer,
	.amplifies = bacnet_is_question,
};

/* EtherNet/IP: ODVA's CIP volume 2, section 2-3: command, length, session,
 * status, context 8, options; little endian.  A list request has no data, its
 * reply has. */
#define ENIP_HEADER_LEN 24

static bool enip_is_list(const struct datagram *d)
{
	if (!datagram_has(d, 0, ENIP_HEADER_LEN))
		return false;
	unsigned command = datagram_le16(d, 0);
	return (command == 0x63 || command == 0x64 || command == 0x04) &&
	    datagram_le16(d, 2) + (size_t)ENIP_HEADER_LEN == d->wire &&
	    datagram_be32(d, 8) == 0;
}

static bool enip_is_question(const struct datagram *d)
{
	return enip_is_list(d) && d->wire == ENIP_HEADER_LEN;
}

const struct udp_protocol udp_enip = {
	.name = "enip",
	.bits = 60,
	.is_question = enip_is_question,
	.is_answer = enip_is_list,
	.amplifies = enip_is_question,
};

/* Its cyclic data: two items, the first a sequenced address of 8 octets. */
static bool enip_io_is_data(const struct datagram *d)
{
	return DATAGRAM_STARTS(d, "\x02\x00\x02\x80\x08\x00");
}

const struct udp_protocol udp_enip_io = {
	.name = "enip-io",
	.bits = 48,
	.is_other = enip_io_is_data,
	.other = MESSAGE_EITHER,
};

/* KNXnet/IP: ISO 22510 section 5: | 06 | 10 | service 2 | length 2 |.  Requests
 * of its core and tunnelling are odd (search, description, connect, state,
 * disconnect), responses even. */
static unsigned knx_service(const struct datagram *d)
{
	return DATAGRAM_STARTS(d, "\x06\x10") && datagram_has(d, 0, 6) &&
		datagram_be16(d, 4) == d->wire
	    ? datagram_be16(d, 2)
	    : 0;
}

static bool knx_is_question(const struct datagram *d)
{
	unsigned s = knx_service(d);
	return s >> 4 == 0x20 && (s & 1) && (s & 15) <= 11;
}

static bool knx_is_answer(const struct datagram *d)
{
	unsigned s = knx_service(d);
	return s >> 4 == 0x20 && s != 0x200 && !(s & 1) && (s & 15) <= 12;
}

static bool knx_is_other(const struct datagram *d)
{
	unsigned s = knx_service(d);
	return s >> 8 >= 2 && s >> 8 <= 9;
}

const struct udp_protocol udp_knx = {
	.name = "knx",
	.bits = 36,
	.is_question = knx_is_question,
	.is_answer = knx_is_answer,
	.is_other = knx_is_other,
	.other = MESSAGE_EITHER,
};

/* DNP3: IEEE 1815 clause 9.2: | 05 64 | length | control | ...; the control's
 * top bit is set in what comes from the master. */
static bool dnp3_is_frame(const struct datagram *d)
{
	return DATAGRAM_STARTS(d, "\x05\x64") && datagram_has(d, 0, 10) &&
	    d->at[2] >= 5 && d->at[2] <= d->wire;
}

static bool dnp3_is_question(const struct datagram *d)
{
	return dnp3_is_frame(d) && d->at[3] & 0x80;
}

const struct udp_protocol udp_dnp3 = {
	.name = "dnp3",
	.bits = 16,
	.is_question = dnp3_is_question,
	.is_answer = dnp3_is_frame,
};

/* Dahua's discovery (as in the Netscout notice on DHDiscover, 2020): 32 octets
 * with "DHIP", then JSON with the method. */
static bool dahua_is_question(const struct datagram *d)
{
	return DATAGRAM_AT(d, 4, "DHIP") &&
	    datagram_contains(d, "DHDiscover.search", 120);
}

static bool dahua_is_answer(const struct datagram *d)
{
	return DATAGRAM_AT(d, 4, "DHIP") && !dahua_is_question(d);
}

const struct udp_protocol udp_dahua = {
	.name = "dahua",
	.bits = 32,
	.is_question = dahua_is_question,
	.is_answer = dahua_is_answer,
	.amplifies = dahua_is_question,
};

/* Ubiquiti's discovery (as in Rapid7's notice, 2019): version, command, length;
 * a question has no data. */
static bool ubiquiti_is_sound(const struct datagram *d)
{
	return datagram_has(d, 0, 4) && d->at[0] >= 1 && d->at[0] <= 2 &&
	    d->at[1] <= 11 && datagram_be16(d, 2) + (size_t)4 == d->wire;
}

static bool ubiquiti_is_question(const struct datagram *d)
{
	return ubiquiti_is_sound(d) && d->wire == 4;
}

const struct udp_protocol udp_ubiquiti = {
	.name = "ubiquiti",
	.bits = 24,
	.is_question = ubiquiti_is_question,
	.is_answer = ubiquiti_is_sound,
	.amplifies = ubiquiti_is_question,
};

/* Lantronix' set-up protocol: 000000f6 asks, f7 and others answer (nmap's
 * lantronix-config). */
static bool lantronix_is_question(const struct datagram *d)
{
	return DATAGRAM_STARTS(d, "\x00\x00\x00\xf6") ||
	    DATAGRAM_STARTS(d, "\x00\x00\x00\xf8");
}

static bool lantronix_is_answer(const struct datagram *d)
{
	return DATAGRAM_STARTS(d, "\x00\x00\x00\xf7") ||
	    DATAGRAM_STARTS(d, "\x00\x00\x00\xf9");
}

const struct udp_protocol udp_lantronix = {
	.name = "lantronix",
	.bits = 30,
	.is_question = lantronix_is_question,
	.is_answer = lantronix_is_answer,
};

/* Moxa's NPort: 01000008 00000000 asks, the top bit of the first octet answers
 * (nmap's nport and Metasploit's moxa_discover). */
static bool moxa_is_question(const struct datagram *d)
{
	return DATAGRAM_STARTS(d, "\x01\x00\x00\x08\x00\x00\x00\x00");
}

static bool moxa_is_answer(const struct datagram *d)
{
	return DATAGRAM_STARTS(d, "\x81\x00\x00");
}

const struct udp_protocol udp_moxa = {
	.name = "moxa",
	.bits = 24,
	.is_question = moxa_is_question,
	.is_answer = moxa_is_answer,
};
