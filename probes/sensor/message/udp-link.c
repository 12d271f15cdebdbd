/* SPDX-License-Identifier: ISC */
/* What stays on a link or in a site, whoever it is addressed to. */
#include "probes/sensor/message/datagram.h"

/* BOOTP and DHCP: RFC 951 section 3, RFC 2131 section 2; relays send from
 * server's port to server's port.  The cookie (RFC 1497) is DHCP's alone. */
#define BOOTP_LEN 236

static bool dhcp_is_message(const struct datagram *d)
{
	if (!datagram_has(d, 0, 4) || d->wire < BOOTP_LEN || d->at[0] < 1 ||
	    d->at[0] > 2 || d->at[2] > 16)
		return false;
	if (datagram_has(d, BOOTP_LEN, 4))
		return DATAGRAM_AT(d, BOOTP_LEN, "\x63\x82\x53\x63") ||
		    DATAGRAM_AT(d, BOOTP_LEN, "\0\0\0\0");
	return d->at[1] >= 1 && d->at[1] <= 32 && d->at[3] <= 16;
}

const struct udp_protocol udp_dhcp = {
	.name = "dhcp",
	.bits = 14,
	.is_other = dhcp_is_message,
	.other = MESSAGE_LOCAL,
};

/* DHCPv6: RFC 8415 sections 8 and 9: type and transaction, or a relay's (12,
 * 13) hops and two addresses; options fill the rest. */
static bool dhcp6_is_message(const struct datagram *d)
{
	if (!datagram_has(d, 0, 4) || d->at[0] < 1 || d->at[0] > 36)
		return false;
	size_t at = d->at[0] == 12 || d->at[0] == 13 ? 34 : 4;
	if (at >= d->wire)
		return false;
	while (datagram_has(d, at, 4)) {
		if (datagram_be16(d, at) == 0 || datagram_be16(d, at) > 255)
			return false;
		at += 4 + (size_t)datagram_be16(d, at + 2);
	}
	return at == d->wire || (at <= d->wire && d->len < d->wire);
}

const struct udp_protocol udp_dhcp6 = {
	.name = "dhcp6",
	.bits = 16,
	.is_other = dhcp6_is_message,
	.other = MESSAGE_LOCAL,
};

/* NetBIOS datagrams: RFC 1002 section 4.4: type, flags, id, address, port,
 * length, offset; then the source's name. */
static bool netbios_dgm_is_message(const struct datagram *d)
{
	return datagram_has(d, 0, 47) && d->at[0] >= 0x10 && d->at[0] <= 0x16 &&
	    datagram_be16(d, 8) == 138 && d->at[14] == 32 &&
	    d->at[47 - 1] >= 'A' && d->at[47 - 1] <= 'P';
}

const struct udp_protocol udp_netbios_dgm = {
	.name = "netbios-dgm",
	.bits = 30,
	.is_other = netbios_dgm_is_message,
	.other = MESSAGE_LOCAL,
};

/* BFD, between routers that watch each other: RFC 5880 section 4.1: version 1,
 * detect multiplier, a length that is the datagram's. */
static bool bfd_is_control(const struct datagram *d)
{
	return datagram_has(d, 0, 8) && d->at[0] >> 5 == 1 && d->at[2] > 0 &&
	    d->wire >= 24 && d->at[3] == d->wire && datagram_be32(d, 4) != 0;
}

const struct udp_protocol udp_bfd = {
	.name = "bfd",
	.bits = 10,
	.is_other = bfd_is_control,
	.other = MESSAGE_LOCAL,
};

/* HSRP: RFC 2281 section 5.1 (version 0); its version 2 begins with a TLV of
 * 40 octets. */
static bool hsrp_is_hello(const struct datagram *d)
{
	if (!datagram_has(d, 0, 3))
		return false;
	if (d->at[0] == 0)
		return d->wire == 20 && d->at[1] <= 3 && d->at[2] <= 16;
	return d->wire >= 42 && DATAGRAM_STARTS(d, "\x01\x28\x02");
}

const struct udp_protocol udp_hsrp = {
	.name = "hsrp",
	.bits = 17,
	.is_other = hsrp_is_hello,
	.other = MESSAGE_LOCAL,
};

/* GLBP (as Wireshark reads it): version 1, an unknown octet, group, two zeros,
 * the sender's MAC. */
static bool glbp_is_hello(const struct datagram *d)
{
	return datagram_has(d, 0, 12) && d->at[0] == 1 && d->at[1] == 0 &&
	    datagram_be16(d, 4) == 0;
}

const struct udp_protocol udp_glbp = {
	.name = "glbp",
	.bits = 32,
	.is_other = glbp_is_hello,
	.other = MESSAGE_LOCAL,
};

/* PTP: IEEE 1588-2008 clause 13.3: type, version 2, a length that is at most
 * the datagram's. */
static bool ptp_is_message(const struct datagram *d)
{
	return datagram_has(d, 0, 5) && d->wire >= 44 && (d->at[1] & 15) == 2 &&
	    datagram_be16(d, 2) >= 44 && datagram_be16(d, 2) <= d->wire &&
	    datagram_be16(d, 2) <= 256;
}

const struct udp_protocol udp_ptp = {
	.name = "ptp",
	.bits = 12,
	.is_other = ptp_is_message,
	.other = MESSAGE_LOCAL,
};

/* What applications say to their own link: Dropbox' JSON, Spotify's and
 * Steam's first octets, Canon's printers, BitTorrent's local search (BEP 14).
 */
static bool dropbox_is_hello(const struct datagram *d)
{
	return DATAGRAM_STARTS(d, "{\"") &&
	    datagram_contains(d, "\"host_int\"", 256);
}

const struct udp_protocol udp_dropbox = {
	.name = "dropbox",
	.bits = 60,
	.is_other = dropbox_is_hello,
	.other = MESSAGE_LOCAL,
};

static bool spotify_is_hello(const struct datagram *d)
{
	return DATAGRAM_STARTS(d, "SpotUdp0");
}

const struct udp_protocol udp_spotify = {
	.name = "spotify",
	.bits = 60,
	.is_other = spotify_is_hello,
	.other = MESSAGE_LOCAL,
};

static bool steam_lan_is_hello(const struct datagram *d)
{
	return DATAGRAM_STARTS(d, "\xff\xff\xff\xff!L_\xa0");
}

const struct udp_protocol udp_steam_lan = {
	.name = "steam-lan",
	.bits = 60,
	.is_other = steam_lan_is_hello,
	.other = MESSAGE_LOCAL,
};

static bool bjnp_is_message(const struct datagram *d)
{
	return DATAGRAM_STARTS(d, "BJNP") || DATAGRAM_STARTS(d, "BJNB") ||
	    DATAGRAM_STARTS(d, "MFNP");
}

const struct udp_protocol udp_bjnp = {
	.name = "bjnp",
	.bits = 30,
	.is_other = bjnp_is_message,
	.other = MESSAGE_LOCAL,
};

static bool lsd_is_hello(const struct datagram *d)
{
	return DATAGRAM_STARTS(d, "BT-SEARCH * HTTP/");
}

const struct udp_protocol udp_lsd = {
	.name = "bittorrent-lsd",
	.bits = 60,
	.is_other = lsd_is_hello,
	.other = MESSAGE_LOCAL,
};
