/* SPDX-License-Identifier: ISC */
/*
 * The table of protocols over UDP.  Both ports hint which of them to ask first,
 * the destination's before the source's; then all are asked whose content is
 * strong enough without a hint.  The first that knows the datagram decides.
 */
#include "lib/base/hash.h"
#include "probes/sensor/message/datagram.h"
#include "probes/sensor/message/message-udp.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* By port; a port with several has several rows, in the order of asking. */
static const struct udp_hint {
	uint16_t port;
	const struct udp_protocol *protocol;
} hints[] = {
	{ 13, &udp_daytime },
	{ 17, &udp_qotd },
	{ 19, &udp_chargen },
	{ 53, &udp_dns },
	{ 67, &udp_dhcp },
	{ 68, &udp_dhcp },
	{ 69, &udp_tftp },
	{ 80, &udp_quic },
	{ 88, &udp_kerberos },
	{ 111, &udp_rpc },
	{ 123, &udp_ntp },
	{ 137, &udp_netbios_ns },
	{ 138, &udp_netbios_dgm },
	{ 161, &udp_snmp },
	{ 162, &udp_snmp },
	{ 177, &udp_xdmcp },
	{ 319, &udp_ptp },
	{ 320, &udp_ptp },
	{ 389, &udp_ldap },
	{ 427, &udp_slp },
	{ 443, &udp_quic },
	{ 443, &udp_dtls },
	{ 500, &udp_ike },
	{ 514, &udp_syslog },
	{ 520, &udp_rip },
	{ 523, &udp_db2 },
	{ 546, &udp_dhcp6 },
	{ 547, &udp_dhcp6 },
	{ 623, &udp_ipmi },
	{ 784, &udp_quic },
	{ 853, &udp_quic },
	{ 1194, &udp_openvpn },
	{ 1434, &udp_ssrp },
	{ 1645, &udp_radius },
	{ 1646, &udp_radius },
	{ 1700, &udp_radius },
	{ 1701, &udp_l2tp },
	{ 1812, &udp_radius },
	{ 1813, &udp_radius },
	{ 1900, &udp_ssdp },
	{ 1985, &udp_hsrp },
	{ 2029, &udp_hsrp },
	{ 2055, &udp_netflow },
	{ 2123, &udp_gtp },
	{ 2152, &udp_gtp },
	{ 2222, &udp_enip_io },
	{ 3222, &udp_glbp },
	{ 3283, &udp_ard },
	{ 3389, &udp_rdp },
	{ 3478, &udp_stun },
	{ 3544, &udp_teredo },
	{ 3671, &udp_knx },
	{ 3702, &udp_wsd },
	{ 3784, &udp_bfd },
	{ 3785, &udp_bfd },
	{ 3799, &udp_radius },
	{ 4500, &udp_ike },
	{ 4500, &udp_keepalive },
	{ 4739, &udp_ipfix },
	{ 4784, &udp_bfd },
	{ 4800, &udp_moxa },
	{ 5060, &udp_sip },
	{ 5061, &udp_sip },
	{ 5350, &udp_pcp },
	{ 5351, &udp_pcp },
	{ 5353, &udp_mdns },
	{ 5353, &udp_dns },
	{ 5355, &udp_llmnr },
	{ 5632, &udp_pcanywhere },
	{ 5683, &udp_coap },
	{ 6343, &udp_sflow },
	{ 6784, &udp_bfd },
	{ 7000, &udp_rx },
	{ 7001, &udp_rx },
	{ 7002, &udp_rx },
	{ 7003, &udp_rx },
	{ 7005, &udp_rx },
	{ 7784, &udp_bfd },
	{ 8443, &udp_quic },
	{ 8612, &udp_bjnp },
	{ 9995, &udp_netflow },
	{ 9996, &udp_netflow },
	{ 10001, &udp_ubiquiti },
	{ 11211, &udp_memcached },
	{ 17500, &udp_dropbox },
	{ 19132, &udp_raknet },
	{ 20000, &udp_dnp3 },
	{ 27015, &udp_a2s },
	{ 27036, &udp_steam_lan },
	{ 27960, &udp_quake },
	{ 30303, &udp_ethereum },
	{ 30718, &udp_lantronix },
	{ 32414, &udp_ssdp },
	{ 37020, &udp_wsd },
	{ 37810, &udp_dahua },
	{ 44818, &udp_enip },
	{ 47808, &udp_bacnet },
	{ 51820, &udp_wireguard },
	{ 57621, &udp_spotify },
};

/* Those whose content alone is believed: the frequent ones first, and the
 * weakest last, for they take what no other knows.  Most begin with one of few
 * octets, which spares asking them. */
static const struct udp_content {
	const struct udp_protocol *protocol;
	uint8_t mask, first; /* of the first octet */
} contents[] = {
	{ &udp_quic, 0x80, 0x80 },
	{ &udp_netbios_ns, 0, 0 }, /* before DNS, whose header it has */
	{ &udp_dns, 0, 0 },
	{ &udp_dht, 0xff, 'd' },
	{ &udp_wireguard, 0xf8, 0 },
	{ &udp_stun, 0xc0, 0 },
	{ &udp_dtls, 0xf0, 0x10 },
	{ &udp_ssdp, 0xe0, 0x40 },
	{ &udp_sip, 0xe0, 0x40 },
	{ &udp_snmp, 0xff, 0x30 },
	{ &udp_ldap, 0xff, 0x30 },
	{ &udp_ike, 0, 0 },
	{ &udp_memcached, 0, 0 },
	{ &udp_rpc, 0, 0 },
	{ &udp_tftp, 0xff, 0 },
	{ &udp_teredo, 0x9f, 0 },
	{ &udp_tracker, 0xff, 0 },
	{ &udp_tailscale, 0xff, 'T' },
	{ &udp_gquic, 0xc9, 0x09 },
	{ &udp_a2s, 0xfe, 0xfe },
	{ &udp_quake, 0xff, 0xff },
	{ &udp_raknet, 0xe0, 0 },
	{ &udp_bacnet, 0xff, 0x81 },
	{ &udp_enip, 0x98, 0 },
	{ &udp_enip_io, 0xff, 0x02 },
	{ &udp_knx, 0xff, 0x06 },
	{ &udp_wsd, 0xff, '<' },
	{ &udp_slp, 0xff, 0x02 },
	{ &udp_kerberos, 0xe0, 0x60 },
	{ &udp_ipmi, 0xff, 0x06 },
	{ &udp_xdmcp, 0xff, 0 },
	{ &udp_rip, 0xfc, 0 },
	{ &udp_ipfix, 0xff, 0 },
	{ &udp_sflow, 0xff, 0 },
	{ &udp_netflow, 0xff, 0 },
	{ &udp_dahua, 0xff, 0x20 },
	{ &udp_l2tp, 0xcb, 0xc8 },
	{ &udp_db2, 0xff, 'D' },
	{ &udp_spotify, 0xff, 'S' },
	{ &udp_steam_lan, 0xff, 0xff },
	{ &udp_dropbox, 0xff, '{' },
	{ &udp_bjnp, 0xf0, 0x40 },
	{ &udp_lsd, 0xff, 'B' },
	{ &udp_rtcp, 0xc0, 0x80 },
	{ &udp_utp, 0x0f, 0x01 },
	{ &udp_edonkey, 0xc0, 0xc0 },
	{ &udp_rtp, 0xc0, 0x80 },
};

static bool asks(datagram_predicate *predicate, const struct datagram *d)
{
	return predicate && predicate(d);
}

static bool read_as(const struct udp_protocol *protocol,
    const struct datagram *d, struct message *m)
{
	if (asks(protocol->is_question, d)) {
		m->role = MESSAGE_QUESTION;
		m->amplifies = asks(protocol->amplifies, d);
	} else if (asks(protocol->is_answer, d)) {
		m->role = MESSAGE_ANSWER;
	} else if (asks(protocol->is_stray, d)) {
		m->role = MESSAGE_STRAY;
	} else if (asks(protocol->is_other, d)) {
		m->role = protocol->other;
	} else {
		return false;
	}
	m->protocol = protocol->name;
	return true;
}

/* The first row of this port, or where it would stand. */
static size_t find_hint(uint16_t port)
{
	size_t low = 0, high = COUNT(hints);
	while (low < high) {
		size_t middle = (low + high) / 2;
		if (hints[middle].port < port)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool read_by_hint(
    uint16_t port, const struct datagram *d, struct message *m)
{
	size_t i = find_hint(port);
	for (; i < COUNT(hints) && hints[i].port == port; i++)
		if (read_as(hints[i].protocol, d, m))
			return true;
	return false;
}

static void read_protocol(const struct datagram *d, struct message *m)
{
	m->role = MESSAGE_EITHER;
	if (d->len == 0 || read_by_hint(d->dport, d, m) ||
	    read_by_hint(d->sport, d, m))
		return;
	for (size_t i = 0; i < COUNT(contents); i++)
		if ((d->at[0] & contents[i].mask) == contents[i].first &&
		    read_as(contents[i].protocol, d, m))
			return;
}

/* As much of a payload as tells two requests apart. */
#define ID_OCTETS 32

static uint32_t hash_payload(const struct datagram *d)
{
	size_t len = d->len < ID_OCTETS ? d->len : ID_OCTETS;
	uint64_t h = hash_fnv(HASH_FNV_START, d->at, len);
	return (uint32_t)hash_finish(h ^ d->wire);
}

void message_read_udp(const struct packet *packet, struct message *message)
{
	struct datagram d = {
		.at = packet->payload,
		.len = packet->payload ? packet->payload_len : 0,
		.wire = packet->payload_wire_len,
		.sport = packet->sport,
		.dport = packet->dport,
	};
	if (d.wire < d.len)
		d.wire = d.len;
	message->kind = KIND_UDP;
	message->sport = packet->sport;
	message->dport = packet->dport;
	message->id = hash_payload(&d);
	read_protocol(&d, message);
}

const struct udp_protocol *message_udp_protocol(size_t i, uint16_t *port)
{
	if (i >= COUNT(hints) + COUNT(contents))
		return NULL;
	*port = i < COUNT(hints) ? hints[i].port : 0;
	return i < COUNT(hints) ? hints[i].protocol
				: contents[i - COUNT(hints)].protocol;
}
