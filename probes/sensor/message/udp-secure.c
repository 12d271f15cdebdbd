/* SPDX-License-Identifier: ISC */
/* Transports that encrypt, and tunnels. */
#include "probes/sensor/message/datagram.h"

/*
 * QUIC: RFC 8999 (what all versions share), RFC 9000 section 17.2, RFC 9369.
 *
 * |1| rest | Version, 32 | len | destination id | len | source id | ...
 * Initial: token length, token, length, ...
 *
 * A client's first destination id has 8 octets or more (RFC 9000 section 7.2),
 * and a datagram with a client's Initial has 1,200 or more (section 14.1): a
 * server drops smaller ones.  Only servers send version negotiation (version
 * 0) and Retry; only clients send a token.
 */
#define QUIC_LEAST_INITIAL 1200
#define QUIC_LEAST_FIRST_ID 8
#define QUIC_CID_MAX 20
#define QUIC_FIXED 0x40

enum quic_type { QUIC_INITIAL, QUIC_0RTT, QUIC_HANDSHAKE, QUIC_RETRY };

struct quic_header {
	uint32_t version;
	unsigned type;
	size_t destination_len, source_len;
	size_t end; /* behind the ids */
};

/* RFC 9000 section 15: 0x?a?a?a?a are reserved to make the other side
 * negotiate. */
static bool quic_is_reserved(uint32_t version)
{
	return (version & 0x0f0f0f0f) == 0x0a0a0a0a;
}

static bool quic_is_known(uint32_t version)
{
	return version == 1 || version == 0x6b3343cf ||
	    version == 0x709a50c4 || /* version 2, and its draft */
	    (version & 0xffffffc0) == 0xff000000 || /* drafts up to 63 */
	    (version & 0xfffffff0) == 0xfaceb000 || version == 0x51303436 ||
	    version == 0x51303530 || version == 0x54303530 ||
	    version == 0x54303531 || quic_is_reserved(version);
}

static bool read_quic(const struct datagram *d, struct quic_header *h)
{
	if (!datagram_has(d, 0, 7) || !(d->at[0] & 0x80))
		return false;
	h->version = datagram_be32(d, 1);
	h->type = d->at[0] >> 4 & 3;
	if (h->version == 0x6b3343cf || h->version == 0x709a50c4)
		h->type = (h->type + 3) & 3; /* RFC 9369 section 3.2 */
	h->destination_len = d->at[5];
	size_t at = 6 + h->destination_len;
	if (!datagram_has(d, at, 1))
		return false;
	h->source_len = d->at[at];
	h->end = at + 1 + h->source_len;
	if (h->version == 0)
		return h->end + 4 <= d->wire && (d->wire - h->end) % 4 == 0;
	return quic_is_known(h->version) && d->at[0] & QUIC_FIXED &&
	    h->destination_len <= QUIC_CID_MAX &&
	    h->source_len <= QUIC_CID_MAX && h->end < d->wire;
}

static bool quic_port_is_servers(uint16_t port)
{
	return port == 443 || port == 8443 || port == 853 || port == 784 ||
	    port == 80;
}

/* What a client's first datagram cannot be. */
static bool quic_is_no_first(
    const struct datagram *d, const struct quic_header *h)
{
	return d->wire < QUIC_LEAST_INITIAL ||
	    h->destination_len < QUIC_LEAST_FIRST_ID;
}

static bool quic_has_token(
    const struct datagram *d, const struct quic_header *h)
{
	return datagram_has(d, h->end, 1) && d->at[h->end] != 0;
}

/* Where a first datagram and a server's look alike, the port that servers have
 * decides; and one that a server would drop, sent to a server's port, may be a
 * client's mistake. */
static bool quic_is_question(const struct datagram *d)
{
	struct quic_header h;
	if (!read_quic(d, &h) || h.version == 0)
		return false;
	if (h.type == QUIC_0RTT || quic_is_reserved(h.version))
		return true;
	if (h.type != QUIC_INITIAL || quic_is_no_first(d, &h))
		return false;
	return quic_has_token(d, &h) || !quic_port_is_servers(d->sport);
}

static bool quic_is_answer(const struct datagram *d)
{
	struct quic_header h;
	if (!read_quic(d, &h))
		return false;
	if (h.version == 0 || h.type == QUIC_RETRY)
		return true;
	if (quic_port_is_servers(d->dport))
		return false;
	if (h.type == QUIC_INITIAL)
		return quic_is_no_first(d, &h) ||
		    quic_port_is_servers(d->sport);
	return h.type == QUIC_HANDSHAKE && quic_port_is_servers(d->sport);
}

static bool quic_is_other(const struct datagram *d)
{
	struct quic_header h;
	return read_quic(d, &h);
}

const struct udp_protocol udp_quic = {
	.name = "quic",
	.bits = 22,
	.is_question = quic_is_question,
	.is_answer = quic_is_answer,
	.is_other = quic_is_other,
	.other = MESSAGE_EITHER,
};

/* Google's QUIC up to Q043: flags with a version (1) and an id of 8 octets
 * (8), the id, the version "Qddd".  A server's negotiation is a list of such
 * versions and nothing else. */
static bool gquic_is_versioned(const struct datagram *d)
{
	if (!datagram_has(d, 0, 13) || (d->at[0] & 0xc9) != 0x09 ||
	    d->at[9] != 'Q')
		return false;
	for (size_t i = 10; i < 13; i++)
		if (d->at[i] < '0' || d->at[i] > '9')
			return false;
	return true;
}

static bool gquic_is_list(const struct datagram *d)
{
	if (d->wire % 4 != 1)
		return false;
	for (size_t at = 9; datagram_has(d, at, 4); at += 4)
		if (d->at[at] != 'Q' && d->at[at] != 'T')
			return false;
	return true;
}

static bool gquic_is_answer(const struct datagram *d)
{
	return gquic_is_versioned(d) && gquic_is_list(d);
}

static bool gquic_is_question(const struct datagram *d)
{
	return gquic_is_versioned(d) && !gquic_is_list(d);
}

const struct udp_protocol udp_gquic = {
	.name = "gquic",
	.bits = 24,
	.is_question = gquic_is_question,
	.is_answer = gquic_is_answer,
};

/* DTLS: RFC 6347 section 4.1, RFC 9147.
 * | content type | version 2 | epoch 2 | sequence 6 | length 2 | message type
 */
#define DTLS_HEADER_LEN 13
#define DTLS_HANDSHAKE 22

static bool dtls_is_record(const struct datagram *d)
{
	if (!datagram_has(d, 0, DTLS_HEADER_LEN))
		return false;
	unsigned version = datagram_be16(d, 1);
	return d->at[0] >= 20 && d->at[0] <= 26 &&
	    (version == 0xfeff || version == 0xfefd || version == 0x0100) &&
	    datagram_be16(d, 11) + (size_t)DTLS_HEADER_LEN <= d->wire &&
	    datagram_be16(d, 5) == 0; /* fewer than 2^32 records */
}

/* The type of a handshake message that is not encrypted; 0: none. */
static unsigned dtls_handshake(const struct datagram *d)
{
	return dtls_is_record(d) && d->at[0] == DTLS_HANDSHAKE &&
		datagram_be16(d, 3) == 0 && datagram_has(d, 13, 1)
	    ? d->at[13]
	    : 0;
}

static bool dtls_is_question(const struct datagram *d)
{
	return dtls_handshake(d) == 1;
}

/* Server hello, hello verify request, certificate request, hello done. */
static bool dtls_is_answer(const struct datagram *d)
{
	unsigned type = dtls_handshake(d);
	return type == 2 || type == 3 || type == 13 || type == 14;
}

const struct udp_protocol udp_dtls = {
	.name = "dtls",
	.bits = 32,
	.is_question = dtls_is_question,
	.is_answer = dtls_is_answer,
	.is_other = dtls_is_record,
	.other = MESSAGE_EITHER,
};

/*
 * IKE: RFC 7296 section 3.1, RFC 2408 section 3.1; behind four zeros on port
 * 4500 (RFC 3948).
 *
 * |             initiator's SPI or cookie, 8 octets               |
 * |             responder's SPI or cookie, 8 octets               |
 * | next payload  | version | exchange      |       flags         |
 * |      message id         |                length               |
 *
 * The responder's is zero in what opens an exchange.  Version 2 has a flag for
 * responses (0x20).  In version 1 a cookie of the responder shows that it has
 * answered; with a security association first (payload 1), or a notification
 * that is not encrypted, it is that answer.
 */
#define IKE_HEADER_LEN 28
#define IKE_RESPONSE 0x20
#define IKE_SA 1 /* payloads of version 1 */
#define IKE_NOTIFY 11

static bool ike_exchange_is_known(unsigned version, unsigned exchange)
{
	if (version == 0x20)
		return exchange >= 34 && exchange <= 44;
	return version == 0x10 &&
	    ((exchange >= 1 && exchange <= 6) || exchange == 32 ||
		exchange == 33);
}

/* Where its header begins; -1: it is none. */
static int ike_offset(const struct datagram *d)
{
	int at = DATAGRAM_STARTS(d, "\0\0\0\0") ? 4 : 0;
	size_t start = (size_t)at;
	if (!datagram_has(d, start, IKE_HEADER_LEN))
		return -1;
	bool known =
	    ike_exchange_is_known(d->at[start + 17], d->at[start + 18]);
	size_t len = datagram_be32(d, start + 24);
	return known && len + start == d->wire ? at : -1;
}

static bool ike_has_responder(const struct datagram *d, int at)
{
	return memcmp(d->at + at + 8, "\0\0\0\0\0\0\0", 8) != 0;
}

static bool ike_is_question(const struct datagram *d)
{
	int at = ike_offset(d);
	return at >= 0 && !ike_has_responder(d, at) &&
	    !(d->at[at + 17] == 0x20 && d->at[at + 19] & IKE_RESPONSE);
}

static bool ike_is_answer(const struct datagram *d)
{
	int at = ike_offset(d);
	if (at < 0)
		return false;
	if (d->at[at + 17] == 0x20)
		return d->at[at + 19] & IKE_RESPONSE;
	unsigned payload = d->at[at + 16];
	bool notifies = payload == IKE_NOTIFY && !(d->at[at + 19] & 1);
	return ike_has_responder(d, at) && (payload == IKE_SA || notifies);
}

static bool ike_is_other(const struct datagram *d)
{
	return ike_offset(d) >= 0;
}

const struct udp_protocol udp_ike = {
	.name = "ike",
	.bits = 40,
	.is_question = ike_is_question,
	.is_answer = ike_is_answer,
	.is_other = ike_is_other,
	.other = MESSAGE_EITHER,
};

/* What keeps a translator's entry alive (RFC 3948 section 2.3). */
static bool is_keepalive(const struct datagram *d)
{
	return d->wire == 1 && d->at[0] == 0xff;
}

const struct udp_protocol udp_keepalive = {
	.name = "nat-keepalive",
	.bits = 8,
	.is_stray = is_keepalive,
};

/* OpenVPN (doxygen of its network protocol): opcode << 3 | key, session id 8,
 * then perhaps an HMAC and a packet id; an array of acknowledged ids, and the
 * packet id of the first message, 0.  Hard resets: 1 and 2 (version 1), 7 and
 * 8 (version 2), 10 (version 3) of client and server. */
#define OPENVPN_LEAST_LEN 14

static bool openvpn_is_reset(const struct datagram *d, unsigned opcode)
{
	static const uint8_t zeros[4];
	return d->len == d->wire && d->len >= OPENVPN_LEAST_LEN &&
	    d->len <= 128 && d->at[0] == opcode << 3 &&
	    memcmp(d->at + d->len - 4, zeros, 4) == 0;
}

static bool openvpn_is_question(const struct datagram *d)
{
	return openvpn_is_reset(d, 7) || openvpn_is_reset(d, 1) ||
	    openvpn_is_reset(d, 10);
}

static bool openvpn_is_answer(const struct datagram *d)
{
	return openvpn_is_reset(d, 8) || openvpn_is_reset(d, 2);
}

const struct udp_protocol udp_openvpn = {
	.name = "openvpn",
	.bits = 36,
	.is_question = openvpn_is_question,
	.is_answer = openvpn_is_answer,
};

/* L2TP: RFC 2661 section 3.1.  Control messages: bits T, L, S, version 2,
 * length, tunnel, session, two numbers; the first AVP (RFC 2661 section 4.1)
 * is the message's type. */
static bool l2tp_is_control(const struct datagram *d)
{
	return datagram_has(d, 0, 12) &&
	    (datagram_be16(d, 0) & 0xcb0f) == 0xc802 &&
	    datagram_be16(d, 2) == d->wire;
}

static unsigned l2tp_message(const struct datagram *d)
{
	return l2tp_is_control(d) && datagram_has(d, 12, 8) &&
		datagram_be32(d, 14) == 0
	    ? datagram_be16(d, 18)
	    : 0;
}

static bool l2tp_is_question(const struct datagram *d)
{
	return l2tp_message(d) == 1; /* start-control-connection-request */
}

static bool l2tp_is_answer(const struct datagram *d)
{
	return l2tp_message(d) == 2;
}

const struct udp_protocol udp_l2tp = {
	.name = "l2tp",
	.bits = 26,
	.is_question = l2tp_is_question,
	.is_answer = l2tp_is_answer,
	.is_other = l2tp_is_control,
	.other = MESSAGE_EITHER,
};

/* GTP: 3GPP TS 29.060 section 6, TS 29.281 section 5.1 (version 1: flags, type,
 * length behind 8 octets), TS 29.274 section 5.1 (version 2: behind 4).
 * Requests have even numbers from 16 (32) on; 1 and 2 are echo. */
static int gtp_type(const struct datagram *d)
{
	if (!datagram_has(d, 0, 8))
		return -1;
	size_t len = datagram_be16(d, 2);
	if ((d->at[0] & 0xf8) == 0x30 && len + 8 == d->wire)
		return d->at[1];
	if ((d->at[0] & 0xe7) == 0x40 && len + 4 == d->wire)
		return d->at[1] < 32 ? d->at[1] : d->at[1] + 1;
	return -1;
}

static bool gtp_is_question(const struct datagram *d)
{
	int type = gtp_type(d);
	return type == 1 || type == 16 || type == 18 || type == 20 ||
	    type == 33 || type == 35 || type == 37;
}

/* 3: version not supported, 26: error indication. */
static bool gtp_is_answer(const struct datagram *d)
{
	int type = gtp_type(d);
	return type == 2 || type == 3 || type == 17 || type == 19 ||
	    type == 21 || type == 26 || type == 34 || type == 36 || type == 38;
}

static bool gtp_is_other(const struct datagram *d)
{
	return gtp_type(d) >= 0;
}

const struct udp_protocol udp_gtp = {
	.name = "gtp",
	.bits = 19,
	.is_question = gtp_is_question,
	.is_answer = gtp_is_answer,
	.is_other = gtp_is_other,
	.other = MESSAGE_EITHER,
};

/* RDP over UDP: MS-RDPEUDP section 2.2.2.1: acknowledged source number (-1 in
 * the first), window, flags: SYN 1, ACK 4. */
static bool rdp_is_question(const struct datagram *d)
{
	return datagram_has(d, 0, 8) && d->wire >= 1000 &&
	    datagram_be32(d, 0) == UINT32_MAX && (d->at[7] & 5) == 1;
}

static bool rdp_is_answer(const struct datagram *d)
{
	return datagram_has(d, 0, 8) && (d->wire == 1132 || d->wire == 1232) &&
	    (datagram_be16(d, 6) & 0xf0ff) == 5 && datagram_be16(d, 4) > 0;
}

const struct udp_protocol udp_rdp = {
	.name = "rdp",
	.bits = 12,
	.is_question = rdp_is_question,
	.is_answer = rdp_is_answer,
	.amplifies = rdp_is_question,
};
