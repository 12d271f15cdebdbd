/* SPDX-License-Identifier: ISC */
/*
 * The signatures.  Each worm rule answers yes, no, or that the capture ends
 * before the fact: a payload that is not there is never taken for a worm's.
 *
 * slammer: UDP to port 1434, 376 octets that begin with 04, hold the code's
 *     longest constant run and the names of the two calls it looks up.  When
 *     only the start was captured, the filler of 01 must fill it.
 * mirai:   TCP SYN whose sequence number is the address it goes to, and all
 *     else as its scanner.c fills it: no options of TCP or IP, nothing
 *     acknowledged, no data, from a port of 1024 and more.
 * welchia: ICMP echo in an IP packet of 92 octets, all data AA.
 * witty:   UDP from port 4000, an ICQ version 5 header and the message.
 * masscan: IP id = destination ^ port ^ sequence number, low 16 bits.
 * zmap:    IP id 54321 (before 4.1.0; later ones choose it at random).
 */
#include <string.h>

#include "probes/sensor/detect/builtin.h"
#include "probes/sensor/detect/detector.h"

enum match_outcome { NO, YES, CANNOT_SAY };

static const char *const names[SIGNATURES] = {
	[SIGNATURE_SLAMMER] = "slammer",
	[SIGNATURE_MIRAI] = "mirai",
	[SIGNATURE_WELCHIA] = "welchia",
	[SIGNATURE_WITTY] = "witty",
	[SIGNATURE_MASSCAN] = "masscan",
	[SIGNATURE_ZMAP] = "zmap",
	[SIGNATURE_NMAP] = "nmap",
};

/* Payloads count 64.  Mirai: a sequence number of 32 bits, and a header without
 * options, which innocent stacks do not send.  Welchia: a pattern that
 * anybody's ping can be told to send. */
static const uint8_t bits[SIGNATURES] = {
	[SIGNATURE_SLAMMER] = 64,
	[SIGNATURE_MIRAI] = 40,
	[SIGNATURE_WELCHIA] = 16,
	[SIGNATURE_WITTY] = 64,
};

const char *signature_name(enum signature signature)
{
	return signature < SIGNATURES ? names[signature] : NULL;
}

unsigned signature_bits(enum signature signature)
{
	return bits[signature];
}

/* For short payloads only: looks at each place where the first octet is. */
static bool payload_has(const struct packet *p, const void *bytes, size_t len)
{
	const uint8_t *at = p->payload, *end = p->payload + p->payload_len;
	uint8_t first = *(const uint8_t *)bytes;
	while ((size_t)(end - at) >= len) {
		at = memchr(at, first, (size_t)(end - at) - len + 1);
		if (!at || memcmp(at, bytes, len) == 0)
			return at != NULL;
		at++;
	}
	return false;
}

static bool payload_is_cut(const struct packet *p)
{
	return p->payload_len < p->payload_wire_len;
}

#define SLAMMER_LEN 376
#define SLAMMER_FILLER_LEN 97 /* the 04, then 96 times 01 */
#define SLAMMER_LEAST 16

static enum match_outcome match_slammer(const struct packet *p)
{
	static const uint8_t run[] = { 0x81, 0xf1, 0x03, 0x01, 0x04, 0x9b, 0x81,
		0xf1, 0x01 };
	if (p->dport != 1434 || p->payload_wire_len != SLAMMER_LEN)
		return NO;
	if (p->payload_len > 0 && p->payload[0] != 0x04)
		return NO;
	if (!payload_is_cut(p))
		return payload_has(p, run, sizeof(run)) &&
			payload_has(p, "sock", 4) && payload_has(p, "send", 4)
		    ? YES
		    : NO;
	if (p->payload_len < SLAMMER_LEAST)
		return CANNOT_SAY;
	for (size_t i = 1; i < p->payload_len && i < SLAMMER_FILLER_LEN; i++)
		if (p->payload[i] != 0x01)
			return CANNOT_SAY;
	return YES;
}

static enum match_outcome match_witty(const struct packet *p)
{
	static const char message[] =
	    "(^.^)      insert witty message here      (^.^)";
	if (p->sport != 4000 || p->payload_wire_len < 2 + sizeof(message) - 1)
		return NO;
	if (p->payload_len > 0 && p->payload[0] != 0x05)
		return NO;
	if (p->payload_len > 1 && p->payload[1] != 0x00)
		return NO;
	if (p->payload_len >= 2 &&
	    memmem(p->payload, p->payload_len, message, sizeof(message) - 1))
		return YES;
	return payload_is_cut(p) ? CANNOT_SAY : NO;
}

#define WELCHIA_IP_LEN 92
#define WELCHIA_LEAST 4

static enum match_outcome match_welchia(const struct packet *p)
{
	if (p->icmp_type != 8 || p->ip_len != WELCHIA_IP_LEN || p->ip_options)
		return NO;
	for (size_t i = 0; i < p->payload_len; i++)
		if (p->payload[i] != 0xaa)
			return NO;
	return p->payload_len >= WELCHIA_LEAST ? YES : CANNOT_SAY;
}

static bool is_bare_syn(const struct packet *p)
{
	return (p->tcp_flags &
		   (PACKET_TCP_SYN | PACKET_TCP_ACK | PACKET_TCP_RST |
		       PACKET_TCP_FIN)) == PACKET_TCP_SYN;
}

static bool is_mirai(const struct packet *p)
{
	return p->tcp_seq == addr_v4_value(&p->dst) &&
	    p->tcp_flags == PACKET_TCP_SYN && p->tcp_header_len == 20 &&
	    !p->ip_options && p->tcp_ack == 0 && p->payload_wire_len == 0 &&
	    p->sport >= 1024;
}

static void match_tcp(const struct packet *p, struct signature_match *match)
{
	uint32_t dst = addr_v4_value(&p->dst);
	if (!is_bare_syn(p))
		return;
	if (is_mirai(p))
		match->worm = SIGNATURE_MIRAI;
	match->masscan = p->ip_id == (uint16_t)(dst ^ p->dport ^ p->tcp_seq);
	match->zmap = p->ip_id == 54321;
}

static void apply_answer(struct signature_match *match,
    enum signature signature, enum match_outcome outcome)
{
	if (outcome == YES)
		match->worm = signature;
	if (outcome == CANNOT_SAY)
		match->undecided = true;
}

struct signature_match signature_match(const struct packet *p)
{
	struct signature_match match = { .worm = SIGNATURE_NONE };
	if (p->fragment || p->ip_damaged || p->src.family != 4)
		return match;
	switch (p->proto) {
	case PACKET_TCP: match_tcp(p, &match); break;
	case PACKET_UDP:
		apply_answer(&match, SIGNATURE_SLAMMER, match_slammer(p));
		apply_answer(&match, SIGNATURE_WITTY, match_witty(p));
		match.zmap = p->ip_id == 54321;
		break;
	case PACKET_ICMP:
		apply_answer(&match, SIGNATURE_WELCHIA, match_welchia(p));
		match.zmap = p->icmp_type == 8 && p->ip_id == 54321;
		break;
	default: break;
	}
	return match;
}

static bool read_builtin(const struct packet *p, struct reading *reading)
{
	reading->match = signature_match(p);
	if (reading->match.worm == SIGNATURE_NONE)
		return false;
	reading->class = CLASS_WORM;
	return true;
}

static enum verdict judge_builtin(const struct evidence *e)
{
	return e->class == CLASS_WORM ? VERDICT_WORM : VERDICTS;
}

const struct detector detector_builtin = {
	.name = "builtin",
	.packet = read_builtin,
	.judge = judge_builtin,
};
