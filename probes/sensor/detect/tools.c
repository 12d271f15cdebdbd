/* SPDX-License-Identifier: ISC */
/*
 * Fingerprints, as captured from nmap 7.93 and masscan 1.3.2 in a namespace
 * (tests/fixtures/tools.pcap) and read in the sources of ZMap and masscan.
 *
 * ZMap, before 4.1.0:  id 54321; TCP: window 65535, no options.  Later ones
 *     choose the id at random, and bear nothing.
 * masscan:  id = destination ^ port ^ sequence number, low 16 bits each; window
 *     1024 without options, or 1025 with a maximum segment size.  UDP: the
 *     third term is the number that the question carries: a transaction of DNS,
 *     NetBIOS or memcached at 0, CoAP's message id at 2, the end of SNMP's
 *     request id at 19.
 * nmap, raw probes:  window 1024; SYNs with a maximum segment size alone; no
 *     others with options.  ACK, window and Maimon scans and TCP pings leave
 *     the sequence number 0, which a connection has once in 2^32.
 * nmap -sI:  SYNs as above from the third host's service port (80 by default).
 * nmap -O:  a timestamp option of ffffffff that echoes 0.
 * nmap -sY:  INIT with 32,768 octets of window, 10 streams out, 2,048 in, no
 *     parameters; -sZ: a cookie of 4 octets.
 */
#include <string.h>

#include "lib/base/hash.h"
#include "lib/packet/octets.h"
#include "probes/sensor/detect/tools.h"

static const struct fingerprint_fact facts[FINGERPRINTS] = {
	[FINGERPRINT_NONE] = { NULL, SIGNATURE_NONE, 0, false },
	[FINGERPRINT_ZMAP] = { "zmap", SIGNATURE_ZMAP, 32, false },
	[FINGERPRINT_ZMAP_ID] = { "zmap-id", SIGNATURE_ZMAP, 16, false },
	[FINGERPRINT_MASSCAN] = { "masscan", SIGNATURE_MASSCAN, 32, false },
	[FINGERPRINT_MASSCAN_ID] = { "masscan-id", SIGNATURE_MASSCAN, 16,
	    false },
	[FINGERPRINT_MASSCAN_UDP] = { "masscan-udp", SIGNATURE_MASSCAN, 16,
	    false },
	[FINGERPRINT_NMAP_SYN] = { "nmap-syn", SIGNATURE_NMAP, 14, false },
	[FINGERPRINT_NMAP_IDLE] = { "nmap-idle", SIGNATURE_NMAP, 14, true },
	[FINGERPRINT_NMAP_ACK] = { "nmap-ack", SIGNATURE_NMAP, 40, false },
	[FINGERPRINT_NMAP_MAIMON] = { "nmap-maimon", SIGNATURE_NMAP, 40,
	    false },
	[FINGERPRINT_NMAP_FIN] = { "nmap-fin", SIGNATURE_NMAP, 24, false },
	[FINGERPRINT_NMAP_NULL] = { "nmap-null", SIGNATURE_NMAP, 24, false },
	[FINGERPRINT_NMAP_XMAS] = { "nmap-xmas", SIGNATURE_NMAP, 24, false },
	[FINGERPRINT_NMAP_OS] = { "nmap-os", SIGNATURE_NMAP, 40, false },
	[FINGERPRINT_NMAP_UDP] = { "nmap-udp", SIGNATURE_NMAP, 24, false },
	[FINGERPRINT_NMAP_SCTP] = { "nmap-sctp", SIGNATURE_NMAP, 24, false },
	[FINGERPRINT_NMAP_COOKIE] = { "nmap-sctp-cookie", SIGNATURE_NMAP, 24,
	    false },
	[FINGERPRINT_NMAP_PING] = { "nmap-ping", SIGNATURE_NMAP, 10, false },
	[FINGERPRINT_FIN] = { "fin", SIGNATURE_NONE, 12, false },
	[FINGERPRINT_NULL] = { "null", SIGNATURE_NONE, 16, false },
	[FINGERPRINT_XMAS] = { "xmas", SIGNATURE_NONE, 16, false },
	[FINGERPRINT_FLAGS] = { "tcp-flags", SIGNATURE_NONE, 12, false },
	[FINGERPRINT_PROTOCOL] = { "ip-protocol", SIGNATURE_NONE, 16, false },
};

const struct fingerprint_fact *fingerprint_fact(enum fingerprint fingerprint)
{
	return &facts[fingerprint];
}

#define ZMAP_ID 54321
#define ZMAP_WINDOW 65535
#define NMAP_WINDOW 1024
#define MASSCAN_WINDOW 1024       /* without options */
#define MASSCAN_WINDOW_LATER 1025 /* with one */
#define TCP_PLAIN_LEN 20
#define TCP_MSS_LEN 24 /* a maximum segment size alone */
#define SERVICE_PORTS 1024

/* Of 1460, as an Ethernet has it.  True where the capture lacks the options of
 * a header that has room for nothing else. */
static bool has_usual_mss_alone(const struct packet *p)
{
	static const uint8_t mss[] = { 2, 4, 0x05, 0xb4 };
	return p->tcp_header_len == TCP_MSS_LEN &&
	    (!p->tcp_options || memcmp(p->tcp_options, mss, 4) == 0);
}

/* The third term of masscan's id. */
static uint16_t masscan_term(const struct packet *p)
{
	return (uint16_t)(p->ip_id ^ addr_v4_value(&p->dst) ^ p->dport);
}

static enum fingerprint match_masscan_syn(const struct packet *p)
{
	if (p->src.family != 4 || masscan_term(p) != (uint16_t)p->tcp_seq)
		return FINGERPRINT_NONE;
	bool first = p->tcp_header_len == TCP_PLAIN_LEN &&
	    p->tcp_window == MASSCAN_WINDOW;
	bool later =
	    has_usual_mss_alone(p) && p->tcp_window == MASSCAN_WINDOW_LATER;
	return first || later ? FINGERPRINT_MASSCAN : FINGERPRINT_MASSCAN_ID;
}

static enum fingerprint match_zmap_syn(const struct packet *p)
{
	if (p->src.family != 4 || p->ip_id != ZMAP_ID)
		return FINGERPRINT_NONE;
	return p->tcp_window == ZMAP_WINDOW &&
		p->tcp_header_len == TCP_PLAIN_LEN
	    ? FINGERPRINT_ZMAP
	    : FINGERPRINT_ZMAP_ID;
}

/* A timestamp of ffffffff that echoes 0, at the places where the probes of -O
 * have it: anywhere. */
static bool has_nmap_timestamp(const struct packet *p)
{
	static const uint8_t stamp[] = { 8, 10, 0xff, 0xff, 0xff, 0xff, 0, 0, 0,
		0 };
	return p->tcp_options &&
	    memmem(p->tcp_options, p->tcp_header_len - TCP_PLAIN_LEN, stamp,
		sizeof(stamp)) != NULL;
}

/* From which scanners send (-g) because filters let its answers in: FTP's
 * data, DNS, DHCP, Kerberos. */
static bool is_passing_port(uint16_t port)
{
	return port == 20 || port == 53 || port == 67 || port == 88;
}

static enum fingerprint match_syn(const struct packet *p)
{
	if (has_nmap_timestamp(p))
		return FINGERPRINT_NMAP_OS;
	enum fingerprint f = match_zmap_syn(p);
	if (f == FINGERPRINT_ZMAP)
		return f;
	enum fingerprint masscan = match_masscan_syn(p);
	if (masscan != FINGERPRINT_NONE)
		return masscan;
	if (f != FINGERPRINT_NONE)
		return f;
	if (p->tcp_window != NMAP_WINDOW || !has_usual_mss_alone(p) ||
	    p->tcp_ack != 0 || p->payload_wire_len > 0)
		return FINGERPRINT_NONE;
	return p->sport < SERVICE_PORTS && !is_passing_port(p->sport)
	    ? FINGERPRINT_NMAP_IDLE
	    : FINGERPRINT_NMAP_SYN;
}

static bool is_nmap_plain(const struct packet *p)
{
	return p->tcp_window == NMAP_WINDOW &&
	    p->tcp_header_len == TCP_PLAIN_LEN && p->payload_wire_len == 0;
}

static enum fingerprint match_tcp(
    const struct packet *p, enum message_kind kind)
{
	bool plain = is_nmap_plain(p);
	switch (kind) {
	case KIND_TCP_SYN: return match_syn(p);
	case KIND_TCP_ACK:
		if (has_nmap_timestamp(p))
			return FINGERPRINT_NMAP_OS;
		return plain && p->tcp_seq == 0 ? FINGERPRINT_NMAP_ACK
						: FINGERPRINT_NONE;
	case KIND_TCP_MAIMON:
		return plain && p->tcp_seq == 0 ? FINGERPRINT_NMAP_MAIMON
						: FINGERPRINT_NONE;
	case KIND_TCP_FIN:
		return plain ? FINGERPRINT_NMAP_FIN : FINGERPRINT_FIN;
	case KIND_TCP_NULL:
		if (has_nmap_timestamp(p))
			return FINGERPRINT_NMAP_OS;
		return plain ? FINGERPRINT_NMAP_NULL : FINGERPRINT_NULL;
	case KIND_TCP_XMAS:
		if (has_nmap_timestamp(p))
			return FINGERPRINT_NMAP_OS;
		return plain ? FINGERPRINT_NMAP_XMAS : FINGERPRINT_XMAS;
	case KIND_TCP_ODD:
		return has_nmap_timestamp(p) ? FINGERPRINT_NMAP_OS
					     : FINGERPRINT_FLAGS;
	default: return FINGERPRINT_NONE;
	}
}

/* nmap's fixed questions, by FNV-1a of the whole: those of 12 octets and more
 * with a number or words in them that no client would choose.  What other
 * programs ask as well (M-SEARCH, a query for _services, A2S_INFO, RIP) is left
 * out. */
static const uint32_t nmap_questions[] = {
	0x0a3de358,
	0x0c1eef59,
	0x1167124c,
	0x128e8b24,
	0x159c39ee,
	0x1681b7cc,
	0x244994e4,
	0x29d1ae89,
	0x2ea3a3c5,
	0x348b449a,
	0x3d7232e5,
	0x43b09538,
	0x454fe5a2,
	0x4787b57b,
	0x58904b44,
	0x59a6e9db,
	0x5b2c2d3a,
	0x602c41a3,
	0x6e898e5d,
	0x768653ff,
	0x78de4bbd,
	0x7b593780,
	0x89be5686,
	0x8cab4837,
	0x8e74d412,
	0x9470ac47,
	0x99467308,
	0x9f0ec762,
	0xa7a817b1,
	0xae25974f,
	0xbd2edb87,
	0xbef1b9bf,
	0xc10a9708,
	0xcd408a2d,
	0xceb14025,
	0xd68a8535,
	0xd733725f,
	0xdcb0f6ea,
	0xde47e30b,
	0xe2a56028,
	0xefb0a1f1,
	0xf97bfee5,
	0xf99ae35d,
	0xfb0373d7,
	0xfc92fa5b,
};

#define NMAP_QUESTION_LEAST 12

static uint32_t hash_question(const struct packet *p)
{
	uint64_t h = hash_fnv(HASH_FNV_START, p->payload, p->payload_len);
	return (uint32_t)(h ^ h >> 32);
}

static bool is_nmap_question(const struct packet *p)
{
	if (p->payload_len < NMAP_QUESTION_LEAST || p->payload_len > 512 ||
	    p->payload_len < p->payload_wire_len)
		return false;
	uint32_t hash = hash_question(p);
	size_t low = 0, high = sizeof(nmap_questions) / sizeof(uint32_t);
	while (low < high) {
		size_t middle = (low + high) / 2;
		if (nmap_questions[middle] == hash)
			return true;
		if (nmap_questions[middle] < hash)
			low = middle + 1;
		else
			high = middle;
	}
	return false;
}

static bool is_masscan_question(const struct packet *p)
{
	size_t at = p->dport == 161 ? 19 : p->dport == 5683 ? 2 : 0;
	return p->src.family == 4 && p->payload_len >= at + 2 &&
	    p->payload_wire_len >= NMAP_QUESTION_LEAST &&
	    load_be16(p->payload + at) == masscan_term(p);
}

static enum fingerprint match_udp(
    const struct packet *p, const struct message *m)
{
	if (m->role == MESSAGE_ANSWER || m->role == MESSAGE_STRAY)
		return FINGERPRINT_NONE;
	if (is_nmap_question(p))
		return FINGERPRINT_NMAP_UDP;
	if (m->role == MESSAGE_QUESTION && is_masscan_question(p))
		return FINGERPRINT_MASSCAN_UDP;
	return p->src.family == 4 && p->ip_id == ZMAP_ID ? FINGERPRINT_ZMAP_ID
							 : FINGERPRINT_NONE;
}

/* Behind the common header of 12 octets: chunk type, flags, length; an INIT's
 * tag, window, streams out and in. */
static enum fingerprint match_sctp(
    const struct packet *p, enum message_kind kind)
{
	if (kind == KIND_SCTP_INIT)
		return p->payload_len >= 28 && p->payload_wire_len == 32 &&
			load_be32(p->payload + 20) == 32768 &&
			load_be32(p->payload + 24) == (10u << 16 | 2048)
		    ? FINGERPRINT_NMAP_SCTP
		    : FINGERPRINT_NONE;
	return p->payload_len >= 16 && p->payload_wire_len == 20 &&
		load_be32(p->payload + 12) == 0x0a000008
	    ? FINGERPRINT_NMAP_COOKIE
	    : FINGERPRINT_NONE;
}

static enum fingerprint match_icmp(const struct packet *p)
{
	if (p->src.family != 4)
		return FINGERPRINT_NONE;
	if (p->ip_id == ZMAP_ID && p->icmp_type == 8)
		return FINGERPRINT_ZMAP_ID;
	bool asks = (p->icmp_type == 13 || p->icmp_type == 17) &&
	    p->icmp_code == 0 && p->icmp_seq == 0;
	return asks ? FINGERPRINT_NMAP_PING : FINGERPRINT_NONE;
}

enum fingerprint tools_match(
    const struct packet *packet, const struct message *message)
{
	if (packet->fragment || packet->ip_damaged)
		return FINGERPRINT_NONE;
	switch (message->kind) {
	case KIND_UDP: return match_udp(packet, message);
	case KIND_ICMP_ECHO:
	case KIND_ICMP_OTHER:
		return message->role == MESSAGE_QUESTION ? match_icmp(packet)
							 : FINGERPRINT_NONE;
	case KIND_SCTP:
	case KIND_SCTP_INIT: return match_sctp(packet, message->kind);
	case KIND_IP_EMPTY: return FINGERPRINT_PROTOCOL;
	default: return match_tcp(packet, message->kind);
	}
}
