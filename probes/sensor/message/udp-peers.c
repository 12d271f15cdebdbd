/* SPDX-License-Identifier: ISC */
/*
 * Peers that remember an address which another peer once had.  They go on
 * asking it for hours, each on its own, to its old port: no one of them looks
 * for anything.
 */
#include "probes/sensor/message/datagram.h"

/* Peers choose ports that no service has. */
static bool is_between_peers(const struct datagram *d)
{
	return d->sport >= 1024 && d->dport >= 1024;
}

/*
 * uTP: BEP 29.
 *
 * | type << 4 | 1 | extension | connection id |
 * | time, microseconds | difference | window | sequence | acknowledged |
 *
 * ST_SYN (4) has seen no time of the other side: difference 0.  The others
 * (data, FIN, state, reset) say little else than that their windows are of
 * sane sizes.
 */
#define UTP_HEADER_LEN 20
#define UTP_SYN 4
#define UTP_WINDOW_MAX (16u << 20)

static bool utp_is_stray(const struct datagram *d)
{
	if (!datagram_has(d, 0, UTP_HEADER_LEN) || !is_between_peers(d) ||
	    (d->at[0] & 15) != 1)
		return false;
	unsigned type = d->at[0] >> 4, extension = d->at[1];
	if (type == UTP_SYN)
		return extension <= 3 && datagram_be32(d, 8) == 0;
	return type < UTP_SYN && d->wire == UTP_HEADER_LEN && extension == 0 &&
	    datagram_be32(d, 12) <= UTP_WINDOW_MAX;
}

const struct udp_protocol udp_utp = {
	.name = "utp",
	.bits = 20,
	.is_stray = utp_is_stray,
};

/*
 * The distributed hash table: BEP 5, with whatever extensions: a dictionary in
 * bencoding with a key y that says query, response or error (q, r, e) and a
 * transaction t, in any order, among any others.  The walk is linear: nested
 * values only count how deep they are.
 */
#define DHT_DEPTH 16

/* Steps over a number or a string.  Where the capture ends, it does. */
static bool dht_skip_scalar(const struct datagram *d, size_t *at)
{
	bool number = d->at[*at] == 'i';
	size_t i = *at + number, value = 0;
	i += number && datagram_has(d, i, 1) && d->at[i] == '-';
	size_t digits = i;
	for (; datagram_has(d, i, 1) && i < digits + 10; i++) {
		if (d->at[i] < '0' || d->at[i] > '9')
			break;
		value = value * 10 + d->at[i] - '0';
	}
	if (!datagram_has(d, i, 1)) {
		*at = d->len;
		return d->len < d->wire;
	}
	if (i == digits || d->at[i] != (number ? 'e' : ':'))
		return false;
	*at = i + 1 + (number ? 0 : value);
	return *at <= d->wire;
}

/* Steps over one value; false: it is none.  Moves on by an octet at least, or
 * to the end of the capture. */
static bool dht_skip_value(const struct datagram *d, size_t *at)
{
	unsigned depth = 0;
	do {
		if (!datagram_has(d, *at, 1))
			return d->len < d->wire;
		uint8_t c = d->at[*at];
		if (c == 'd' || c == 'l') {
			(*at)++;
			depth++;
		} else if (c == 'e' && depth > 0) {
			(*at)++;
			depth--;
		} else if (!dht_skip_scalar(d, at)) {
			return false;
		}
	} while (depth > 0 && depth <= DHT_DEPTH);
	return depth == 0;
}

/* The key of one octet that stands at `at`; 0: another. */
static uint8_t dht_short_key(const struct datagram *d, size_t at)
{
	return DATAGRAM_AT(d, at, "1:") && datagram_has(d, at, 3)
	    ? d->at[at + 2]
	    : 0;
}

static bool dht_is_stray(const struct datagram *d)
{
	bool kind = false, transaction = false;
	size_t at = 1;
	if (!DATAGRAM_STARTS(d, "d") || d->wire < 12)
		return false;
	while (datagram_has(d, at, 1) && d->at[at] != 'e') {
		uint8_t key = dht_short_key(d, at);
		if (d->at[at] < '0' || d->at[at] > '9' ||
		    !dht_skip_value(d, &at))
			return false;
		if (key == 'y')
			kind = DATAGRAM_AT(d, at, "1:q") ||
			    DATAGRAM_AT(d, at, "1:r") ||
			    DATAGRAM_AT(d, at, "1:e");
		transaction |= key == 't';
		if (!dht_skip_value(d, &at))
			return false;
	}
	/* y stands last: where the capture ends before, the arguments or
	 * values with the node's id stand first. */
	if (d->len < d->wire && at >= d->len && !kind)
		return datagram_contains(d, "d2:id20:", 64);
	return kind && transaction;
}

const struct udp_protocol udp_dht = {
	.name = "dht",
	.bits = 48,
	.is_stray = dht_is_stray,
};

/* A tracker asked over UDP: BEP 15: the number that begins each first
 * request, action 0. */
static bool tracker_is_stray(const struct datagram *d)
{
	return DATAGRAM_STARTS(
	    d, "\x00\x00\x04\x17\x27\x10\x19\x80\x00\x00\x00\x00");
}

const struct udp_protocol udp_tracker = {
	.name = "bittorrent-tracker",
	.bits = 60,
	.is_stray = tracker_is_stray,
};

/* eDonkey (e3), its extensions (c5, d4 packed), Kademlia (e4, e5 packed):
 * eMule's opcodes.h; the second octet is the operation.  Packed ones begin with
 * zlib's header (RFC 1950). */
static bool edonkey_is_stray(const struct datagram *d)
{
	static const uint8_t kad[] = { 0x00, 0x01, 0x08, 0x09, 0x10, 0x11, 0x18,
		0x19, 0x20, 0x21, 0x22, 0x28, 0x29, 0x30, 0x33, 0x34, 0x35,
		0x38, 0x3b, 0x40, 0x43, 0x44, 0x48, 0x4b, 0x50, 0x51, 0x52,
		0x53, 0x58, 0x59, 0x5a, 0x60, 0x61, 0x62 };
	if (!datagram_has(d, 0, 2) || !is_between_peers(d))
		return false;
	unsigned protocol = d->at[0], operation = d->at[1];
	if (protocol == 0xe4)
		return memchr(kad, (int)operation, sizeof(kad)) != NULL;
	if (protocol == 0xe5)
		return datagram_has(d, 2, 2) && (d->at[2] & 15) == 8 &&
		    datagram_be16(d, 2) % 31 == 0;
	if (protocol == 0xe3)
		return operation >= 0x90 && operation <= 0xa4;
	return protocol == 0xc5 && operation >= 0x90 && operation <= 0x95;
}

const struct udp_protocol udp_edonkey = {
	.name = "edonkey",
	.bits = 10,
	.is_stray = edonkey_is_stray,
};

/* Teredo: RFC 4380 section 5.1.1: perhaps an authentication (0001), perhaps an
 * origin (0000, 8 octets), then an IPv6 packet that fills the datagram, with an
 * end in 2001::/32 or a link's own. */
static bool teredo_is_stray(const struct datagram *d)
{
	size_t at = 0;
	if (DATAGRAM_STARTS(d, "\x00\x01") && datagram_has(d, 0, 4))
		at = 4 + 9 + (size_t)d->at[2] + d->at[3];
	if (DATAGRAM_AT(d, at, "\x00\x00"))
		at += 8;
	if (!datagram_has(d, at, 40) || d->at[at] >> 4 != 6 ||
	    at + 40 + datagram_be16(d, at + 4) > d->wire)
		return false;
	return DATAGRAM_AT(d, at + 8, "\x20\x01\x00\x00") ||
	    DATAGRAM_AT(d, at + 24, "\x20\x01\x00\x00") ||
	    DATAGRAM_AT(d, at + 8, "\xfe\x80\x00\x00");
}

const struct udp_protocol udp_teredo = {
	.name = "teredo",
	.bits = 34,
	.is_stray = teredo_is_stray,
};

/* WireGuard (its paper, section 5.4): type 1 to 4, three zeros; initiation of
 * 148 octets, response 92, cookie 64, data 32 and a multiple of 16. */
static unsigned wireguard_type(const struct datagram *d)
{
	if (!datagram_has(d, 0, 4) || d->at[1] || d->at[2] || d->at[3])
		return 0;
	switch (d->at[0]) {
	case 1: return d->wire == 148 ? 1 : 0;
	case 2: return d->wire == 92 ? 2 : 0;
	case 3: return d->wire == 64 ? 3 : 0;
	case 4: return d->wire >= 32 && d->wire % 16 == 0 ? 4 : 0;
	default: return 0;
	}
}

static bool wireguard_is_answer(const struct datagram *d)
{
	unsigned type = wireguard_type(d);
	return type == 2 || type == 3;
}

static bool wireguard_is_stray(const struct datagram *d)
{
	return wireguard_type(d) != 0;
}

const struct udp_protocol udp_wireguard = {
	.name = "wireguard",
	.bits = 30,
	.is_answer = wireguard_is_answer,
	.is_stray = wireguard_is_stray,
};

/* Ethereum's discovery: devp2p's discv4.md: hash 32, signature 64, its
 * recovery (0, 1), type 1 to 6, a list in RLP. */
static bool ethereum_is_stray(const struct datagram *d)
{
	return datagram_has(d, 0, 99) && d->wire <= 1280 &&
	    is_between_peers(d) && d->at[96] <= 1 && d->at[97] >= 1 &&
	    d->at[97] <= 6 && d->at[98] >= 0xc0;
}

const struct udp_protocol udp_ethereum = {
	.name = "ethereum",
	.bits = 13,
	.is_stray = ethereum_is_stray,
};

/* Tailscale (its disco package): six octets that begin each. */
static bool tailscale_is_stray(const struct datagram *d)
{
	return DATAGRAM_STARTS(d, "TS\xf0\x9f\x92\xac");
}

const struct udp_protocol udp_tailscale = {
	.name = "tailscale",
	.bits = 48,
	.is_stray = tailscale_is_stray,
};
