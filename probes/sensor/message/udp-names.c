/* SPDX-License-Identifier: ISC */
/* Names and services that are looked for by name. */
#include "probes/sensor/message/datagram.h"

#define DNS_HEADER_LEN 12
#define DNS_NAME_MAX 255
#define DNS_TYPE_ANY 255

/*
 * DNS: RFC 1035 section 4.1.1.
 *
 * |              ID               |QR| Opcode |AA|TC|RD|RA|Z|AD|CD| Rcode |
 * |           questions           |            answers            |
 * |          authorities          |          additional           |
 */
enum dns_flags {
	DNS_QR = 0x8000,
	DNS_RA = 0x0080,
	DNS_Z = 0x0040,
	DNS_RCODE = 0x000f
};

enum dns_opcode {
	DNS_QUERY = 0,
	DNS_INVERSE = 1,
	DNS_STATUS = 2,
	DNS_NOTIFY = 4,
	DNS_UPDATE = 5
};

struct dns_header {
	uint16_t flags, opcode;
	uint16_t questions, answers, authorities, additional;
};

static bool read_dns_header(const struct datagram *d, struct dns_header *h)
{
	if (!datagram_has(d, 0, DNS_HEADER_LEN))
		return false;
	h->flags = datagram_be16(d, 2);
	h->opcode = h->flags >> 11 & 15;
	h->questions = datagram_be16(d, 4);
	h->answers = datagram_be16(d, 6);
	h->authorities = datagram_be16(d, 8);
	h->additional = datagram_be16(d, 10);
	size_t records = (size_t)h->answers + h->authorities + h->additional;
	return h->opcode <= DNS_UPDATE && h->opcode != 3 &&
	    (h->flags & DNS_Z) == 0 &&
	    DNS_HEADER_LEN + h->questions * (size_t)5 + records * 11 <= d->wire;
}

/* Where the name at offset ends; 0: it is none.  One that the capture cuts ends
 * where the capture does. */
static size_t skip_dns_name(const struct datagram *d, size_t offset)
{
	size_t start = offset;
	while (datagram_has(d, offset, 1)) {
		size_t label = d->at[offset];
		if (label == 0)
			return offset + 1;
		if (label >> 6 == 3)
			return offset + 2;
		if (label >> 6 != 0 || offset - start + label >= DNS_NAME_MAX)
			return 0;
		offset += 1 + label;
	}
	return d->len < d->wire ? offset : 0;
}

/* IN, CH, HS, NONE, ANY; the top bit is mDNS's (RFC 6762 section 5.4). */
static bool is_dns_class(uint16_t class)
{
	class &= 0x7fff;
	return class == 1 || class == 3 || class == 4 || class == 254 ||
	    class == 255;
}

/* The first entry behind the header has a name and a class; 0: it has not,
 * 1: the capture ends before; else where the class ends. */
static size_t skip_dns_entry(const struct datagram *d)
{
	size_t end = skip_dns_name(d, DNS_HEADER_LEN);
	if (end == 0)
		return 0;
	if (!datagram_has(d, end, 4))
		return d->len < d->wire && end + 4 <= d->wire ? 1 : 0;
	return is_dns_class(datagram_be16(d, end + 2)) ? end + 4 : 0;
}

/* STATUS asks without a question section. */
static bool dns_is_question(const struct datagram *d)
{
	struct dns_header h;
	if (!read_dns_header(d, &h) || h.flags & (DNS_QR | DNS_RA | DNS_RCODE))
		return false;
	if (h.opcode == DNS_STATUS && h.questions == 0)
		return d->wire == DNS_HEADER_LEN;
	if (h.questions != 1 || h.additional > 4)
		return false;
	if (h.opcode == DNS_QUERY && h.answers + h.authorities > 0)
		return false;
	return skip_dns_entry(d) > 0;
}

/* An error may repeat nothing but the header. */
static bool dns_is_answer(const struct datagram *d)
{
	struct dns_header h;
	if (!read_dns_header(d, &h) || !(h.flags & DNS_QR) || h.questions > 1)
		return false;
	if (d->wire == DNS_HEADER_LEN)
		return h.flags & DNS_RCODE || h.flags & 0x0200; /* cut: TC */
	return skip_dns_entry(d) > 0;
}

static bool dns_amplifies(const struct datagram *d)
{
	size_t end = skip_dns_entry(d);
	return end > 1 && datagram_be16(d, end - 4) == DNS_TYPE_ANY;
}

const struct udp_protocol udp_dns = {
	.name = "dns",
	.bits = 24,
	.is_question = dns_is_question,
	.is_answer = dns_is_answer,
	.amplifies = dns_amplifies,
};

/* mDNS (RFC 6762): several questions, with the answers that are known; ids and
 * the other flags are 0.  LLMNR (RFC 4795) is as strict as DNS. */
static bool mdns_is_question(const struct datagram *d)
{
	struct dns_header h;
	return read_dns_header(d, &h) && (h.flags & ~0x0330) == 0 &&
	    h.questions > 0 && skip_dns_entry(d) > 0;
}

static bool mdns_is_answer(const struct datagram *d)
{
	struct dns_header h;
	return read_dns_header(d, &h) && (h.flags & ~0x0730) == DNS_QR &&
	    h.answers > 0 && skip_dns_entry(d) > 0;
}

const struct udp_protocol udp_mdns = {
	.name = "mdns",
	.bits = 24,
	.is_question = mdns_is_question,
	.is_answer = mdns_is_answer,
};

const struct udp_protocol udp_llmnr = {
	.name = "llmnr",
	.bits = 24,
	.is_question = dns_is_question,
	.is_answer = dns_is_answer,
};

/* NetBIOS name service: RFC 1002 section 4.2.  A name is 32 letters from A to
 * P; opcodes are query, registration, release, WACK, refresh. */
#define NETBIOS_NAME_LEN 32
#define NETBIOS_STATUS 0x21

static bool netbios_is_named(const struct datagram *d)
{
	if (!datagram_has(d, 0, DNS_HEADER_LEN + 1 + NETBIOS_NAME_LEN))
		return false;
	unsigned opcode = datagram_be16(d, 2) >> 11 & 15;
	if (d->at[DNS_HEADER_LEN] != NETBIOS_NAME_LEN ||
	    (opcode != 0 && (opcode < 5 || opcode > 9)))
		return false;
	for (size_t i = 1; i <= NETBIOS_NAME_LEN; i++) {
		uint8_t c = d->at[DNS_HEADER_LEN + i];
		if (c < 'A' || c > 'P')
			return false;
	}
	return true;
}

static bool netbios_is_question(const struct datagram *d)
{
	return netbios_is_named(d) && !(d->at[2] & 0x80);
}

static bool netbios_is_answer(const struct datagram *d)
{
	return netbios_is_named(d) && d->at[2] & 0x80;
}

static bool netbios_amplifies(const struct datagram *d)
{
	size_t type = DNS_HEADER_LEN + 1 + NETBIOS_NAME_LEN + 1;
	return datagram_has(d, type, 2) &&
	    datagram_be16(d, type) == NETBIOS_STATUS;
}

const struct udp_protocol udp_netbios_ns = {
	.name = "netbios-ns",
	.bits = 64,
	.is_question = netbios_is_question,
	.is_answer = netbios_is_answer,
	.amplifies = netbios_amplifies,
};

/* Service location: RFC 2608 section 8.  Version 2, function, 24 bits of
 * length. */
static unsigned slp_function(const struct datagram *d)
{
	if (!datagram_has(d, 0, 14) || d->at[0] != 2 ||
	    (datagram_be32(d, 1) & 0xffffff) != d->wire)
		return 0;
	return d->at[1];
}

static bool slp_is_question(const struct datagram *d)
{
	unsigned f = slp_function(d);
	return f == 1 || f == 3 || f == 4 || f == 6 || f == 9;
}

static bool slp_is_answer(const struct datagram *d)
{
	unsigned f = slp_function(d);
	return f == 2 || f == 5 || f == 7 || f == 8 || f == 10 || f == 11;
}

const struct udp_protocol udp_slp = {
	.name = "slp",
	.bits = 32,
	.is_question = slp_is_question,
	.is_answer = slp_is_answer,
	.amplifies = slp_is_question,
};

/* SSDP: UPnP Device Architecture 2.0, section 1. */
static bool ssdp_is_question(const struct datagram *d)
{
	return DATAGRAM_STARTS(d, "M-SEARCH * HTTP/");
}

static bool ssdp_is_answer(const struct datagram *d)
{
	return DATAGRAM_STARTS(d, "HTTP/1.");
}

static bool ssdp_is_notice(const struct datagram *d)
{
	return DATAGRAM_STARTS(d, "NOTIFY * HTTP/");
}

const struct udp_protocol udp_ssdp = {
	.name = "ssdp",
	.bits = 48,
	.is_question = ssdp_is_question,
	.is_answer = ssdp_is_answer,
	.is_other = ssdp_is_notice,
	.other = MESSAGE_LOCAL,
	.amplifies = ssdp_is_question,
};

/* WS-Discovery 1.1 (OASIS) section 3.2, and the finders of cameras that copy
 * its words.  An envelope of SOAP; what matters is in its first header. */
#define WSD_LIMIT 1500

static bool wsd_is_answer(const struct datagram *d)
{
	return DATAGRAM_STARTS(d, "<") &&
	    (datagram_contains(d, "ProbeMatch", WSD_LIMIT) ||
		datagram_contains(d, "ResolveMatch", WSD_LIMIT));
}

static bool wsd_is_question(const struct datagram *d)
{
	return DATAGRAM_STARTS(d, "<") && !wsd_is_answer(d) &&
	    (datagram_contains(d, "Probe<", WSD_LIMIT) ||
		datagram_contains(d, "Probe>", WSD_LIMIT) ||
		datagram_contains(d, "Probe/", WSD_LIMIT) ||
		datagram_contains(d, "Probe ", WSD_LIMIT) ||
		datagram_contains(d, "Resolve<", WSD_LIMIT));
}

static bool wsd_is_notice(const struct datagram *d)
{
	return DATAGRAM_STARTS(d, "<") &&
	    (datagram_contains(d, "/discovery/Hello", WSD_LIMIT) ||
		datagram_contains(d, "/discovery/Bye", WSD_LIMIT));
}

const struct udp_protocol udp_wsd = {
	.name = "ws-discovery",
	.bits = 36,
	.is_question = wsd_is_question,
	.is_answer = wsd_is_answer,
	.is_other = wsd_is_notice,
	.other = MESSAGE_LOCAL,
	.amplifies = wsd_is_question,
};
