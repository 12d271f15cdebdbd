/* SPDX-License-Identifier: ISC */
/* Time, management, directories, files: the services of a network's
 * operators. */
#include "probes/sensor/message/datagram.h"

/*
 * NTP: RFC 5905 section 7.3; control messages (mode 6) RFC 9327 section 2;
 * private ones (mode 7) by ntpd's ntp_request.h.
 *
 * mode 1 to 5  |LI| VN |Mode|  Stratum  |  Poll  |  Precision  |
 *              |    root delay, 16.16    | root dispersion, 16.16 | ...
 * mode 6       |0 | VN | 6  |R|E|M| Op  |     Sequence         |
 *              |   Status   | Association |  Offset  |  Count  |
 * mode 7       |R|M| VN | 7 |A| Sequence | Implementation | Request |
 *              |Err| items  |MBZ|item size|
 */
enum ntp_mode {
	NTP_ACTIVE = 1,
	NTP_PASSIVE = 2,
	NTP_CLIENT = 3,
	NTP_SERVER = 4,
	NTP_BROADCAST = 5,
	NTP_CONTROL = 6,
	NTP_PRIVATE = 7
};
#define NTP_LEN 48
#define NTP_CONTROL_LEN 12
#define NTP_RESPONSE 0x80

/* A clock is no more than 256 seconds away from its root. */
static bool ntp_is_near(const struct datagram *d)
{
	unsigned delay = d->at[4];
	return d->at[1] <= 16 && (delay == 0 || delay == 0xff) &&
	    d->at[8] == 0 && d->wire % 4 == 0;
}

/* 0: it is not NTP. */
static unsigned ntp_mode(const struct datagram *d)
{
	if (!datagram_has(d, 0, 8))
		return 0;
	unsigned version = d->at[0] >> 3 & 7, mode = d->at[0] & 7;
	if (version < 1 || version > 4)
		return 0;
	if (mode == NTP_PRIVATE) {
		bool known = d->at[2] <= 3 && d->at[2] != 1 && d->at[3] <= 45;
		size_t items = datagram_be16(d, 4) & 0xfff;
		size_t size = datagram_be16(d, 6);
		return known && items * size <= d->wire && size <= 500 ? mode
								       : 0;
	}
	if (mode == NTP_CONTROL) {
		if (!datagram_has(d, 0, NTP_CONTROL_LEN))
			return 0;
		size_t count = datagram_be16(d, 10);
		unsigned op = d->at[1] & 31;
		bool fits = NTP_CONTROL_LEN + count <= d->wire &&
		    NTP_CONTROL_LEN + count + 28 >= d->wire;
		return fits && (op <= 12 || op == 31) ? mode : 0;
	}
	return d->wire >= NTP_LEN && datagram_has(d, 0, 12) && ntp_is_near(d)
	    ? mode
	    : 0;
}

static bool ntp_is_question(const struct datagram *d)
{
	switch (ntp_mode(d)) {
	case NTP_ACTIVE:
	case NTP_CLIENT: return true;
	case NTP_CONTROL: return !(d->at[1] & 0xe0) && datagram_be16(d, 4) == 0;
	case NTP_PRIVATE: return !(d->at[0] & 0xc0) && (d->at[4] & 0xf0) == 0;
	default: return false;
	}
}

static bool ntp_is_answer(const struct datagram *d)
{
	switch (ntp_mode(d)) {
	case NTP_PASSIVE:
	case NTP_SERVER: return true;
	case NTP_CONTROL: return d->at[1] & NTP_RESPONSE;
	case NTP_PRIVATE: return d->at[0] & NTP_RESPONSE;
	default: return false;
	}
}

static bool ntp_is_broadcast(const struct datagram *d)
{
	return ntp_mode(d) == NTP_BROADCAST;
}

static bool ntp_amplifies(const struct datagram *d)
{
	return (d->at[0] & 7) >= NTP_CONTROL;
}

const struct udp_protocol udp_ntp = {
	.name = "ntp",
	.bits = 12,
	.is_question = ntp_is_question,
	.is_answer = ntp_is_answer,
	.is_other = ntp_is_broadcast,
	.other = MESSAGE_LOCAL,
	.amplifies = ntp_amplifies,
};

/*
 * SNMP: RFC 1157, RFC 3416 (PDUs), RFC 3412 section 6 (version 3).
 * SEQUENCE { version, community, PDU }, or
 * SEQUENCE { 3, { id, size, flags, model }, parameters, scoped PDU }.
 */
enum snmp_pdu {
	SNMP_GET = 0xa0,
	SNMP_NEXT,
	SNMP_RESPONSE,
	SNMP_SET,
	SNMP_TRAP,
	SNMP_BULK,
	SNMP_INFORM,
	SNMP_TRAP2,
	SNMP_REPORT
};
#define BER_SEQUENCE 0x30
#define BER_INTEGER 0x02
#define BER_OCTETS 0x04
#define SNMP_REPORTABLE 4
/* An encrypted one: only its flags say what it is, and the port of those that
 * listen for traps. */
#define SNMP_HIDDEN_QUESTION 1
#define SNMP_HIDDEN_OTHER 2

/* Steps over a value with this tag. */
static bool skip_ber(const struct datagram *d, size_t *offset, int tag)
{
	size_t len;
	if (datagram_ber(d, offset, &len) != tag || len > d->wire - *offset)
		return false;
	*offset += len;
	return true;
}

/* The scoped PDU: context engine and name, then the PDU.  Confirmed PDUs have
 * the reportable flag, others have not (RFC 3412 section 6.4). */
static int snmp3_pdu(const struct datagram *d, size_t offset)
{
	size_t len;
	if (datagram_ber(d, &offset, &len) != BER_SEQUENCE)
		return 0;
	if (!skip_ber(d, &offset, BER_INTEGER))
		return 0;
	if (!skip_ber(d, &offset, BER_INTEGER) ||
	    !DATAGRAM_AT(d, offset, "\x04\x01") || !datagram_has(d, offset, 3))
		return 0;
	unsigned flags = d->at[offset + 2];
	offset += 3;
	if (!skip_ber(d, &offset, BER_INTEGER) ||
	    !skip_ber(d, &offset, BER_OCTETS))
		return 0;
	if (datagram_ber(d, &offset, &len) == BER_SEQUENCE &&
	    skip_ber(d, &offset, BER_OCTETS) &&
	    skip_ber(d, &offset, BER_OCTETS) && datagram_has(d, offset, 1))
		return d->at[offset];
	return flags & SNMP_REPORTABLE ? SNMP_HIDDEN_QUESTION
				       : SNMP_HIDDEN_OTHER;
}

static int snmp_pdu(const struct datagram *d)
{
	size_t offset = 0, len;
	if (datagram_ber(d, &offset, &len) != BER_SEQUENCE ||
	    !DATAGRAM_AT(d, offset, "\x02\x01") || !datagram_has(d, offset, 3))
		return 0;
	unsigned version = d->at[offset + 2];
	offset += 3;
	if (version == 3)
		return snmp3_pdu(d, offset);
	if (version > 1 || !skip_ber(d, &offset, BER_OCTETS) ||
	    !datagram_has(d, offset, 1))
		return 0;
	int pdu = d->at[offset];
	return pdu >= SNMP_GET && pdu <= SNMP_REPORT ? pdu : 0;
}

static bool snmp_is_question(const struct datagram *d)
{
	int pdu = snmp_pdu(d);
	return pdu == SNMP_GET || pdu == SNMP_NEXT || pdu == SNMP_SET ||
	    pdu == SNMP_BULK || pdu == SNMP_INFORM ||
	    pdu == SNMP_HIDDEN_QUESTION;
}

static bool snmp_is_answer(const struct datagram *d)
{
	int pdu = snmp_pdu(d);
	return pdu == SNMP_RESPONSE || pdu == SNMP_REPORT ||
	    (pdu == SNMP_HIDDEN_OTHER && d->dport != 162);
}

static bool snmp_is_trap(const struct datagram *d)
{
	int pdu = snmp_pdu(d);
	return pdu == SNMP_TRAP || pdu == SNMP_TRAP2 ||
	    pdu == SNMP_HIDDEN_OTHER;
}

static bool snmp_amplifies(const struct datagram *d)
{
	return snmp_pdu(d) == SNMP_BULK;
}

const struct udp_protocol udp_snmp = {
	.name = "snmp",
	.bits = 32,
	.is_question = snmp_is_question,
	.is_answer = snmp_is_answer,
	.is_other = snmp_is_trap,
	.other = MESSAGE_NONE,
	.amplifies = snmp_amplifies,
};

/* LDAP without a connection: RFC 1798, RFC 4511 section 4.2;
 * SEQUENCE { message id, [APPLICATION n] operation }. */
static unsigned ldap_operation(const struct datagram *d)
{
	size_t offset = 0, len;
	if (datagram_ber(d, &offset, &len) != BER_SEQUENCE ||
	    datagram_ber(d, &offset, &len) != BER_INTEGER || len < 1 ||
	    len > 4 || !datagram_has(d, offset, len + 1))
		return 0;
	return d->at[offset + len];
}

static bool ldap_is_question(const struct datagram *d)
{
	switch (ldap_operation(d)) {
	case 0x60: /* bind */
	case 0x63: /* search */
	case 0x66: /* modify */
	case 0x68: /* add */
	case 0x4a: /* delete */
	case 0x6e: /* compare */
	case 0x77: /* extended */ return true;
	default: return false;
	}
}

static bool ldap_is_answer(const struct datagram *d)
{
	switch (ldap_operation(d)) {
	case 0x61:
	case 0x64: /* entry */
	case 0x65: /* done */
	case 0x67:
	case 0x69:
	case 0x6b:
	case 0x6f:
	case 0x73: /* referral */
	case 0x78: return true;
	default: return false;
	}
}

static bool ldap_amplifies(const struct datagram *d)
{
	return ldap_operation(d) == 0x63;
}

const struct udp_protocol udp_ldap = {
	.name = "cldap",
	.bits = 24,
	.is_question = ldap_is_question,
	.is_answer = ldap_is_answer,
	.amplifies = ldap_amplifies,
};

/* RADIUS: RFC 2865 section 3, RFC 2866, RFC 5176, RFC 5997.
 * |  Code  |   Id   |     Length      | authenticator, 16 | attributes ... */
#define RADIUS_HEADER_LEN 20

static unsigned radius_code(const struct datagram *d)
{
	if (!datagram_has(d, 0, RADIUS_HEADER_LEN) ||
	    datagram_be16(d, 2) != d->wire)
		return 0;
	size_t at = RADIUS_HEADER_LEN;
	while (datagram_has(d, at, 2)) {
		if (d->at[at + 1] < 2 || at + d->at[at + 1] > d->wire)
			return 0;
		at += d->at[at + 1];
	}
	return at >= d->len ? d->at[0] : 0;
}

static bool radius_is_question(const struct datagram *d)
{
	unsigned code = radius_code(d);
	return code == 1 || code == 4 || code == 12 || code == 40 || code == 43;
}

static bool radius_is_answer(const struct datagram *d)
{
	unsigned code = radius_code(d);
	return code == 2 || code == 3 || code == 5 || code == 11 ||
	    code == 41 || code == 42 || code == 44 || code == 45;
}

const struct udp_protocol udp_radius = {
	.name = "radius",
	.bits = 18,
	.is_question = radius_is_question,
	.is_answer = radius_is_answer,
};

/* ONC RPC, the portmapper and NFS among it: RFC 5531 section 9. */
#define RPC_CALL_LEN 40
#define RPC_PORTMAP 100000
#define RPC_PORTMAP_DUMP 4

static bool rpc_is_question(const struct datagram *d)
{
	return datagram_has(d, 0, 32) && d->wire >= RPC_CALL_LEN &&
	    datagram_be32(d, 4) == 0 && datagram_be32(d, 8) == 2 &&
	    datagram_be32(d, 24) <= 0xffffff && datagram_be32(d, 28) <= 400;
}

/* Accepted (0) with a verifier of a flavour that is in use, or denied (1) with
 * a reason. */
static bool rpc_is_answer(const struct datagram *d)
{
	if (!datagram_has(d, 0, 20) || datagram_be32(d, 4) != 1)
		return false;
	if (datagram_be32(d, 8) == 1)
		return datagram_be32(d, 12) <= 1;
	return d->wire >= 24 && datagram_be32(d, 8) == 0 &&
	    datagram_be32(d, 12) <= 6 && datagram_be32(d, 16) <= 400;
}

static bool rpc_amplifies(const struct datagram *d)
{
	return datagram_be32(d, 12) == RPC_PORTMAP &&
	    datagram_be32(d, 20) == RPC_PORTMAP_DUMP;
}

const struct udp_protocol udp_rpc = {
	.name = "rpc",
	.bits = 60,
	.is_question = rpc_is_question,
	.is_answer = rpc_is_answer,
	.amplifies = rpc_amplifies,
};

/* TFTP: RFC 1350 section 5, RFC 2347.  Only requests and errors say what they
 * are; data and acknowledgements are a conversation's. */
static bool tftp_is_question(const struct datagram *d)
{
	if (!datagram_has(d, 0, 4) || d->at[0] != 0 || d->at[1] < 1 ||
	    d->at[1] > 2)
		return false;
	const uint8_t *end = memchr(d->at + 2, 0, d->len - 2);
	if (!end || end == d->at + 2)
		return false;
	size_t mode = (size_t)(end - d->at) + 1;
	char word[9] = { 0 };
	for (size_t i = 0; i < 8 && datagram_has(d, mode + i, 1); i++)
		word[i] = (char)(d->at[mode + i] | 0x20);
	return strcmp(word, "netascii") == 0 ||
	    strncmp(word, "octet ", 6) == 0 || strncmp(word, "mail ", 5) == 0;
}

static bool tftp_is_answer(const struct datagram *d)
{
	return d->wire >= 5 && datagram_has(d, 0, 4) &&
	    datagram_be16(d, 0) == 5 && datagram_be16(d, 2) <= 8 &&
	    d->len == d->wire && d->at[d->len - 1] == 0 &&
	    datagram_is_text(d, 4, d->len - 5);
}

const struct udp_protocol udp_tftp = {
	.name = "tftp",
	.bits = 30,
	.is_question = tftp_is_question,
	.is_answer = tftp_is_answer,
};

/* Kerberos: RFC 4120 section 5.4.  AS-REQ and TGS-REQ are [APPLICATION 10, 12]
 * with pvno in [1]; AS-REP, TGS-REP and KRB-ERROR 11, 13, 30 with it in [0]. */
static bool kerberos_is(
    const struct datagram *d, const char *tags, const char *version)
{
	size_t offset = 0, len;
	int tag = datagram_ber(d, &offset, &len);
	return tag > 0 && strchr(tags, tag) &&
	    datagram_ber(d, &offset, &len) == BER_SEQUENCE &&
	    datagram_matches(d, offset, version, 5);
}

static bool kerberos_is_question(const struct datagram *d)
{
	return kerberos_is(d, "\x6a\x6c", "\xa1\x03\x02\x01\x05");
}

static bool kerberos_is_answer(const struct datagram *d)
{
	return kerberos_is(d, "\x6b\x6d\x7e", "\xa0\x03\x02\x01\x05");
}

const struct udp_protocol udp_kerberos = {
	.name = "kerberos",
	.bits = 48,
	.is_question = kerberos_is_question,
	.is_answer = kerberos_is_answer,
};

/*
 * RMCP with ASF or IPMI: IPMI 2.0 section 13.1.3.
 * | 06 | 00 | sequence | class |, then ASF (6):  | 000011be | type | ...
 * or IPMI (7): | auth | ...; auth 6: | 06 | payload type |, else
 * | auth | sequence 4 | session 4 | len | target | function << 2 | ...
 * Functions and payload types that answer are odd.
 */
static int ipmi_direction(const struct datagram *d)
{
	if (!DATAGRAM_STARTS(d, "\x06\x00") || !datagram_has(d, 0, 9))
		return -1;
	if (d->at[3] == 6 && datagram_be32(d, 4) == 0x11be)
		return d->at[8] == 0x80 ? 0 : d->at[8] == 0x40 ? 1 : -1;
	if (d->at[3] != 7)
		return -1;
	if (d->at[4] == 6)
		return (d->at[5] & 0x30) == 0x10 ? d->at[5] & 1 : -1;
	if (d->at[4] > 5 || datagram_be32(d, 5) != 0 || !datagram_has(d, 0, 16))
		return -1;
	return d->at[15] >> 2 & 1;
}

static bool ipmi_is_question(const struct datagram *d)
{
	return ipmi_direction(d) == 0;
}

static bool ipmi_is_answer(const struct datagram *d)
{
	return ipmi_direction(d) == 1;
}

const struct udp_protocol udp_ipmi = {
	.name = "ipmi",
	.bits = 30,
	.is_question = ipmi_is_question,
	.is_answer = ipmi_is_answer,
};

/* RIP: RFC 1058, RFC 2453 section 3.6.  Entries have 20 octets; their family is
 * IPv4, unspecified ("all of your table"), or authentication. */
static unsigned rip_command(const struct datagram *d)
{
	if (!datagram_has(d, 0, 6) || d->wire < 24 || (d->wire - 4) % 20 != 0 ||
	    d->at[1] < 1 || d->at[1] > 2 || datagram_be16(d, 2) != 0)
		return 0;
	unsigned family = datagram_be16(d, 4);
	return family == 0 || family == 2 || family == 0xffff ? d->at[0] : 0;
}

static bool rip_is_question(const struct datagram *d)
{
	return rip_command(d) == 1;
}

static bool rip_is_answer(const struct datagram *d)
{
	return rip_command(d) == 2;
}

const struct udp_protocol udp_rip = {
	.name = "rip",
	.bits = 40,
	.is_question = rip_is_question,
	.is_answer = rip_is_answer,
	.amplifies = rip_is_question,
};

/* Syslog: RFC 5424 section 6.2.1, "<PRI>" up to 191. */
static bool syslog_is_line(const struct datagram *d)
{
	unsigned value = 0;
	size_t i = 1;
	if (!DATAGRAM_STARTS(d, "<"))
		return false;
	for (; i < 4 && datagram_has(d, i, 1); i++) {
		if (d->at[i] < '0' || d->at[i] > '9')
			break;
		value = value * 10 + d->at[i] - '0';
	}
	return i > 1 && value <= 191 && DATAGRAM_AT(d, i, ">") &&
	    (i == 2 || d->at[1] != '0');
}

const struct udp_protocol udp_syslog = {
	.name = "syslog",
	.bits = 19,
	.is_other = syslog_is_line,
	.other = MESSAGE_NONE,
};

/* Flow records: NetFlow 5 (24 octets and 48 a flow) and 9 (RFC 3954 section 5),
 * IPFIX (RFC 7011 section 3.1), sFlow 5 (sflow.org, section 5). */
static bool netflow_is_export(const struct datagram *d)
{
	if (!datagram_has(d, 0, 24))
		return false;
	unsigned version = datagram_be16(d, 0), count = datagram_be16(d, 2);
	if (version == 5)
		return count >= 1 && count <= 30 &&
		    d->wire == 24 + (size_t)count * 48;
	if (version != 9 || count == 0 || count > 1500)
		return false;
	unsigned set = datagram_be16(d, 20), len = datagram_be16(d, 22);
	return (set <= 1 || set >= 256) && len >= 4 && len + 20 <= d->wire;
}

const struct udp_protocol udp_netflow = {
	.name = "netflow",
	.bits = 20,
	.is_other = netflow_is_export,
	.other = MESSAGE_NONE,
};

static bool ipfix_is_export(const struct datagram *d)
{
	return datagram_has(d, 0, 16) && datagram_be16(d, 0) == 10 &&
	    datagram_be16(d, 2) == d->wire;
}

const struct udp_protocol udp_ipfix = {
	.name = "ipfix",
	.bits = 32,
	.is_other = ipfix_is_export,
	.other = MESSAGE_NONE,
};

static bool sflow_is_export(const struct datagram *d)
{
	return datagram_has(d, 0, 8) && d->wire >= 28 &&
	    datagram_be32(d, 0) == 5 && datagram_be32(d, 4) >= 1 &&
	    datagram_be32(d, 4) <= 2;
}

const struct udp_protocol udp_sflow = {
	.name = "sflow",
	.bits = 62,
	.is_other = sflow_is_export,
	.other = MESSAGE_NONE,
};

/* NAT-PMP (RFC 6886 section 3) and PCP (RFC 6887 section 7): the top bit of the
 * operation is the response's. */
static bool pcp_is_sound(const struct datagram *d, unsigned response)
{
	if (!datagram_has(d, 0, 2))
		return false;
	unsigned operation = d->at[1] & 0x7f;
	if ((d->at[1] & 0x80) != response || operation > 3)
		return false;
	if (d->at[0] == 2)
		return d->wire >= 24 && datagram_has(d, 0, 3) &&
		    d->at[2] == 0 && d->wire % 4 == 0;
	if (d->at[0] != 0 || operation > 2)
		return false;
	if (response)
		return d->wire == (operation ? 16 : 12);
	return d->wire == (operation ? 12 : 2);
}

static bool pcp_is_question(const struct datagram *d)
{
	return pcp_is_sound(d, 0);
}

static bool pcp_is_answer(const struct datagram *d)
{
	return pcp_is_sound(d, 0x80);
}

const struct udp_protocol udp_pcp = {
	.name = "pcp",
	.bits = 13,
	.is_question = pcp_is_question,
	.is_answer = pcp_is_answer,
};

/* AFS' RPC: the Rx specification of its source (rx.h): epoch, connection, call,
 * sequence, serial, 4 octets each; type 1 to 13, flags (1: sent by the client),
 * status, security, checksum 2, service 2.  Service 0 has no meaning. */
#define RX_HEADER_LEN 28

static bool rx_is_packet(const struct datagram *d)
{
	return datagram_has(d, 0, RX_HEADER_LEN) && d->at[20] >= 1 &&
	    d->at[20] <= 13 && d->at[21] < 64 && d->at[22] == 0 &&
	    d->at[23] <= 4;
}

static bool rx_is_question(const struct datagram *d)
{
	return rx_is_packet(d) && d->at[21] & 1;
}

const struct udp_protocol udp_rx = {
	.name = "rx",
	.bits = 18,
	.is_question = rx_is_question,
	.is_answer = rx_is_packet,
};
