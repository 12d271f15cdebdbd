/* SPDX-License-Identifier: ISC */
/* Packets for the sensor's tests: IPv4 and IPv6 with the fields that matter,
 * the rest inert.  No checksums: the sensor reads what was sent. */
#pragma once

#include <string.h>

#include "lib/base/addr.h"
#include "lib/base/buf.h"
#include "lib/packet/packet.h"

struct frame {
	const char *src, *dst;
	uint8_t proto, ttl, flags; /* 0: TTL 64, flags SYN */
	uint16_t ip_id, sport, dport, window, fragment; /* 0: sport 40000 */
	uint32_t seq, ack;
	uint8_t icmp_type, icmp_code;
	const void *payload, *options; /* options: TCP's */
	size_t payload_len, options_len;
};

static inline void frame_tcp(struct buf *b, const struct frame *f)
{
	buf_be16(b, f->sport ? f->sport : 40000);
	buf_be16(b, f->dport);
	buf_be32(b, f->seq);
	buf_be32(b, f->ack);
	buf_u8(b, (uint8_t)((20 + f->options_len) / 4 << 4));
	buf_u8(b, f->flags ? f->flags : PACKET_TCP_SYN);
	buf_be16(b, f->window);
	buf_be32(b, 0);
	buf_bytes(b, f->options, f->options_len);
}

static inline void frame_udp(struct buf *b, const struct frame *f)
{
	buf_be16(b, f->sport ? f->sport : 40000);
	buf_be16(b, f->dport);
	buf_be16(b, (uint16_t)(8 + f->payload_len));
	buf_be16(b, 0);
}

static inline void frame_upper(struct buf *b, const struct frame *f)
{
	if (f->proto == PACKET_TCP)
		frame_tcp(b, f);
	if (f->proto == PACKET_UDP)
		frame_udp(b, f);
	if (f->proto == PACKET_ICMP || f->proto == PACKET_ICMP6) {
		buf_u8(b, f->icmp_type);
		buf_u8(b, f->icmp_code);
		buf_be16(b, 0);
		buf_be32(b, 0x00010001);
	}
	buf_bytes(b, f->payload, f->payload_len);
}

static inline void frame_ip4(
    struct buf *b, const struct frame *f, const struct buf *upper)
{
	buf_be16(b, 0x4500);
	buf_be16(b, (uint16_t)(20 + upper->len));
	buf_be16(b, f->ip_id);
	buf_be16(b, f->fragment);
	buf_u8(b, f->ttl ? f->ttl : 64);
	buf_u8(b, f->proto);
	buf_be16(b, 0);
}

static inline void frame_ip6(
    struct buf *b, const struct frame *f, const struct buf *upper)
{
	buf_be32(b, 0x60000000);
	buf_be16(b, (uint16_t)upper->len);
	buf_u8(b, f->proto);
	buf_u8(b, f->ttl ? f->ttl : 64);
}

/* Appends the IP packet to b. */
static inline void frame_put(struct buf *b, const struct frame *f)
{
	struct addr src, dst;
	struct buf upper = { 0 };
	if (addr_parse(&src, f->src) != 0 || addr_parse(&dst, f->dst) != 0)
		BUG("frame: %s to %s", f->src, f->dst);
	frame_upper(&upper, f);
	if (src.family == 4)
		frame_ip4(b, f, &upper);
	else
		frame_ip6(b, f, &upper);
	buf_bytes(b, src.bytes, addr_len(&src));
	buf_bytes(b, dst.bytes, addr_len(&dst));
	buf_bytes(b, upper.data, upper.len);
	buf_fini(&upper);
}

/* The shape of SQL Slammer: the octets that its signature matches, the letter
 * A elsewhere.  len is 376 for the real one. */
static inline void frame_slammer(uint8_t *to, size_t len)
{
	memset(to, 'A', len);
	to[0] = 0x04;
	memset(to + 1, 0x01, 96);
	memcpy(to + 150, "\x81\xf1\x03\x01\x04\x9b\x81\xf1\x01", 9);
	memcpy(to + 200, "sock", 4);
	memcpy(to + 220, "send", 4);
}

#define FRAME_WITTY "(^.^)      insert witty message here      (^.^)"
