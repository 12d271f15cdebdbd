/* SPDX-License-Identifier: ISC */
/*
 * The payload of a UDP datagram, as the protocols' predicates read it, and the
 * row that a protocol has in the table of message-udp.c.  A predicate is pure
 * and says yes only to what it has seen: where the capture ends before the
 * fact, it goes by what is there.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "lib/packet/octets.h"
#include "probes/sensor/message/message.h"

struct datagram {
	const uint8_t *at;
	size_t len;  /* captured */
	size_t wire; /* sent; >= len */
	uint16_t sport, dport;
};

typedef bool datagram_predicate(const struct datagram *d);

struct udp_protocol {
	const char *name;
	/* A random payload of whatever length, between the ports that hint at
	 * this protocol, is taken for it at most once in 2^bits. */
	uint8_t bits;
	/* Asked in this order; NULL: never. */
	datagram_predicate *is_question, *is_answer, *is_stray;
	/* What is of this protocol and none of these, with its role. */
	datagram_predicate *is_other;
	enum message_role other;
	datagram_predicate *amplifies; /* of a question */
};

static inline bool datagram_has(
    const struct datagram *d, size_t offset, size_t len)
{
	return offset <= d->len && len <= d->len - offset;
}

static inline uint16_t datagram_be16(const struct datagram *d, size_t offset)
{
	return load_be16(d->at + offset);
}

static inline uint32_t datagram_be32(const struct datagram *d, size_t offset)
{
	return load_be32(d->at + offset);
}

static inline uint16_t datagram_le16(const struct datagram *d, size_t offset)
{
	return __builtin_bswap16(load_be16(d->at + offset));
}

static inline bool datagram_matches(
    const struct datagram *d, size_t offset, const void *octets, size_t len)
{
	return datagram_has(d, offset, len) &&
	    memcmp(d->at + offset, octets, len) == 0;
}

/* For string literals, without their end. */
#define DATAGRAM_STARTS(d, text) datagram_matches(d, 0, text, sizeof(text) - 1)
#define DATAGRAM_AT(d, offset, text) \
	datagram_matches(d, offset, text, sizeof(text) - 1)

/* Does one of the words, each up to a NUL and the last one empty, stand at
 * offset?  "VALUE \0STAT \0" */
bool datagram_has_word(
    const struct datagram *d, size_t offset, const char *words);
/* Within the first limit octets. */
bool datagram_contains(
    const struct datagram *d, const char *text, size_t limit);
/* Are `count` octets from offset on printable ASCII, CR, LF or TAB? */
bool datagram_is_text(const struct datagram *d, size_t offset, size_t count);
/* ASN.1's BER (ITU-T X.690): the tag at *offset, and moves *offset to its
 * contents.  -1: there is none here.  *len: of the contents, as it says. */
int datagram_ber(const struct datagram *d, size_t *offset, size_t *len);

/* udp-names.c */
extern const struct udp_protocol udp_dns, udp_mdns, udp_llmnr, udp_netbios_ns,
    udp_slp, udp_ssdp, udp_wsd;
/* udp-manage.c */
extern const struct udp_protocol udp_ntp, udp_snmp, udp_ldap, udp_radius,
    udp_rpc, udp_tftp, udp_kerberos, udp_ipmi, udp_rip, udp_syslog, udp_netflow,
    udp_ipfix, udp_sflow, udp_pcp, udp_rx;
/* udp-secure.c */
extern const struct udp_protocol udp_quic, udp_gquic, udp_dtls, udp_ike,
    udp_keepalive, udp_openvpn, udp_l2tp, udp_gtp, udp_rdp;
/* udp-media.c */
extern const struct udp_protocol udp_stun, udp_sip, udp_rtcp, udp_rtp, udp_a2s,
    udp_quake, udp_raknet;
/* udp-things.c */
extern const struct udp_protocol udp_coap, udp_bacnet, udp_enip, udp_enip_io,
    udp_knx, udp_dnp3, udp_dahua, udp_ubiquiti, udp_lantronix, udp_moxa;
/* udp-services.c */
extern const struct udp_protocol udp_memcached, udp_chargen, udp_qotd,
    udp_daytime, udp_ssrp, udp_xdmcp, udp_ard, udp_db2, udp_pcanywhere;
/* udp-peers.c */
extern const struct udp_protocol udp_utp, udp_dht, udp_tracker, udp_edonkey,
    udp_teredo, udp_wireguard, udp_ethereum, udp_tailscale;
/* udp-link.c */
extern const struct udp_protocol udp_dhcp, udp_dhcp6, udp_netbios_dgm, udp_bfd,
    udp_hsrp, udp_glbp, udp_ptp, udp_dropbox, udp_spotify, udp_steam_lan,
    udp_bjnp, udp_lsd;
