/* SPDX-License-Identifier: ISC */
/*
 * usage: gen-pcap --packets COUNT FILE [mix | mixed]
 * A capture for measuring, the same bytes for the same arguments: a forged
 * SYN flood, nearly a source per packet, the worst case for whatever
 * remembers sources.  With mix: scans, backscatter, worm probes and their
 * repetitions from 20,000 sources.  With mixed: what passes an ordinary border,
 * from 300,000 sources: connections and datagrams with their answers, pings,
 * scans with retransmissions, backscatter.  Payloads are what a signature
 * matches and inert filler.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/buf.h"
#include "lib/packet/packet.h"

static uint64_t state = 20030125;

static uint32_t next_random(void)
{
	state = state * UINT64_C(6364136223846793005) +
	    UINT64_C(1442695040888963407);
	return (uint32_t)(state >> 32);
}

static void le32(FILE *f, uint32_t v)
{
	uint8_t b[4] = { (uint8_t)v, (uint8_t)(v >> 8), (uint8_t)(v >> 16),
		(uint8_t)(v >> 24) };
	fwrite(b, 1, sizeof(b), f);
}

static void patch(struct buf *b, size_t at, uint16_t v)
{
	b->data[at] = (uint8_t)(v >> 8);
	b->data[at + 1] = (uint8_t)v;
}

static void put_ip(struct buf *b, uint8_t proto, uint32_t src, uint32_t dst)
{
	static const uint8_t ethernet[] = { 2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2,
		8, 0 };
	buf_clear(b);
	buf_bytes(b, ethernet, sizeof(ethernet));
	buf_be32(b, 0x45000000);
	buf_be32(b, next_random() & 0xffff0000u);
	buf_u8(b, (uint8_t)(40 + src % 24));
	buf_u8(b, proto);
	buf_be16(b, 0);
	buf_be32(b, src);
	buf_be32(b, dst);
}

static void put_tcp(struct buf *b, uint16_t dport, uint32_t seq, uint8_t flags)
{
	buf_be16(b, (uint16_t)(1024 + next_random() % 60000));
	buf_be16(b, dport);
	buf_be32(b, seq);
	buf_be32(b, 0);
	buf_u8(b, 5 << 4);
	buf_u8(b, flags);
	buf_be32(b, 0x72100000);
	buf_be16(b, 0);
}

static void put_udp(
    struct buf *b, uint16_t dport, const void *payload, size_t len)
{
	buf_be16(b, (uint16_t)(1024 + next_random() % 60000));
	buf_be16(b, dport);
	buf_be16(b, (uint16_t)(8 + len));
	buf_be16(b, 0);
	buf_bytes(b, payload, len);
}

static void put_slammer(struct buf *b)
{
	uint8_t payload[376];
	memset(payload, 'A', sizeof(payload));
	memset(payload, 1, 97);
	payload[0] = 4;
	memcpy(payload + 150, "\x81\xf1\x03\x01\x04\x9b\x81\xf1\x01", 9);
	memcpy(payload + 200, "sock", 4);
	memcpy(payload + 220, "send", 4);
	put_udp(b, 1434, payload, sizeof(payload));
}

static void build_flood(struct buf *b)
{
	put_ip(b, PACKET_TCP, next_random() % 0xdf000000u + 0x01000000u,
	    0xc0000205);
	put_tcp(b, 80, next_random(), PACKET_TCP_SYN);
}

static void build_mix(struct buf *b)
{
	uint32_t source = next_random() % 20000;
	uint32_t src = 0x0a000000u + source * 173;
	uint32_t dst = 0xc6336400u + next_random() % 1024;
	switch (source % 10) {
	case 0:
		put_ip(b, PACKET_UDP, src, dst);
		put_slammer(b);
		return;
	case 1:
	case 2:
		put_ip(b, PACKET_TCP, src, dst);
		put_tcp(b, 23, dst, PACKET_TCP_SYN);
		return;
	case 3:
	case 4:
		put_ip(b, PACKET_TCP, src, dst);
		put_tcp(b, (uint16_t)next_random(), next_random(),
		    PACKET_TCP_SYN | PACKET_TCP_ACK);
		patch(b, 34, 80); /* a web server under a forged flood */
		return;
	case 5:
		put_ip(b, PACKET_UDP, src, dst);
		put_udp(b, 53, "a question", 10);
		return;
	default:
		put_ip(b, PACKET_TCP, src, dst);
		put_tcp(b, (uint16_t)(source % 7 * 1111 + 22), next_random(),
		    PACKET_TCP_SYN);
		return;
	}
}

#define MIXED_SOURCES 300000
#define SERVERS 250
#define DARK 0xc6336400u   /* 198.51.100.0 */
#define SERVER 0xc6336001u /* 198.51.96.1 */

/* One conversation, or scan, each: how far it has come. */
static uint8_t mixed_steps[MIXED_SOURCES];

static void put_segment(struct buf *b, const uint32_t ends[2],
    const uint16_t ports[2], uint8_t flags, const uint32_t numbers[2])
{
	put_ip(b, PACKET_TCP, ends[0], ends[1]);
	put_tcp(b, ports[1], numbers[0], flags);
	patch(b, 34, ports[0]);
	patch(b, 42, (uint16_t)(numbers[1] >> 16));
	patch(b, 44, (uint16_t)numbers[1]);
}

/* SYN, SYN+ACK, ACK, question, answer, and both again. */
static void build_connection(
    struct buf *b, uint32_t source, uint32_t src, unsigned step)
{
	uint32_t server = SERVER + source % SERVERS;
	uint32_t out[] = { src, server }, in[] = { server, src };
	uint16_t there[] = { (uint16_t)(20000 + step / 8), 443 };
	uint16_t back[] = { 443, there[0] };
	uint32_t ours = source * 7919 + step / 8, theirs = ours ^ 0x5a5a5a5a;
	static const uint8_t data[512];
	switch (step % 8) {
	case 0:
		put_segment(
		    b, out, there, PACKET_TCP_SYN, (uint32_t[]){ ours, 0 });
		return;
	case 1:
		put_segment(b, in, back, PACKET_TCP_SYN | PACKET_TCP_ACK,
		    (uint32_t[]){ theirs, ours + 1 });
		return;
	case 2:
		put_segment(b, out, there, PACKET_TCP_ACK,
		    (uint32_t[]){ ours + 1, theirs + 1 });
		return;
	default: break;
	}
	bool from_server = step % 2 == 0;
	put_segment(b, from_server ? in : out, from_server ? back : there,
	    PACKET_TCP_ACK | PACKET_TCP_PSH,
	    from_server ? (uint32_t[]){ theirs + 1, ours + 1 }
			: (uint32_t[]){ ours + 1, theirs + 1 });
	buf_bytes(b, data, from_server ? sizeof(data) : 80);
}

static void build_query(
    struct buf *b, uint32_t source, uint32_t src, unsigned step)
{
	uint8_t dns[] = "\0\0\1\0\0\1\0\0\0\0\0\0\3www\7example\3org\0\0\1\0\1";
	uint32_t server = SERVER + source % SERVERS;
	dns[1] = (uint8_t)(step / 2);
	dns[2] = step % 2 ? 0x81 : 1;
	dns[3] = step % 2 ? 0x80 : 0;
	put_ip(b, PACKET_UDP, step % 2 ? server : src, step % 2 ? src : server);
	put_udp(b, (uint16_t)(step % 2 ? 20000 : 53), dns, sizeof(dns) - 1);
	patch(b, 34, step % 2 ? 53 : 20000);
}

static void build_ping(
    struct buf *b, uint32_t source, uint32_t src, unsigned step)
{
	static const uint8_t data[56];
	uint32_t server = SERVER + source % SERVERS;
	put_ip(
	    b, PACKET_ICMP, step % 2 ? server : src, step % 2 ? src : server);
	buf_be32(b, step % 2 ? 0 : 0x08000000);
	buf_be32(b, source << 16 | step / 2);
	buf_bytes(b, data, sizeof(data));
}

static void build_mixed(struct buf *b)
{
	uint32_t source = next_random() % MIXED_SOURCES;
	uint32_t src = 0x0b000000u + source * 173;
	unsigned step = mixed_steps[source]++;
	switch (source % 10) {
	case 0:
	case 1:
	case 2: /* a SYN, and the same again */
		put_ip(
		    b, PACKET_TCP, src, DARK + (source * 31 + step / 3) % 1024);
		put_tcp(b, (uint16_t)(source % 7 * 1111 + 22),
		    source * 7919 + step / 3, PACKET_TCP_SYN);
		return;
	case 3: /* a web server under a forged flood */
		put_ip(b, PACKET_TCP, src, DARK + next_random() % 1024);
		put_tcp(b, (uint16_t)next_random(), next_random(),
		    PACKET_TCP_SYN | PACKET_TCP_ACK);
		patch(b, 34, 80);
		return;
	case 4:
	case 5:
	case 6: build_connection(b, source, src, step); return;
	case 7:
	case 8: build_query(b, source, src, step); return;
	default: build_ping(b, source, src, step); return;
	}
}

static void finish(struct buf *b)
{
	patch(b, 16, (uint16_t)(b->len - 14));
	patch(b, 24, packet_fold(packet_sum(0, b->data + 14, 20)));
	while (b->len < 60)
		buf_u8(b, 0);
}

static void write_file(FILE *f, long count, void (*build)(struct buf *b))
{
	static const uint32_t header[] = { 0xa1b2c3d4, 0x00040002, 0, 0, 65535,
		1 };
	struct buf b = { 0 };
	for (size_t i = 0; i < sizeof(header) / sizeof(header[0]); i++)
		le32(f, header[i]);
	for (long i = 0; i < count; i++) {
		build(&b);
		finish(&b);
		le32(f, 1700000000u + (uint32_t)(i / 100000));
		le32(f, (uint32_t)(i % 100000) * 10);
		le32(f, (uint32_t)b.len);
		le32(f, (uint32_t)b.len);
		fwrite(b.data, 1, b.len, f);
	}
	buf_fini(&b);
}

int main(int argc, char **argv)
{
	bool usable = argc >= 4 && strcmp(argv[1], "--packets") == 0;
	long count = usable ? strtol(argv[2], NULL, 10) : 0;
	FILE *f = count > 0 ? fopen(argv[3], "wb") : NULL;
	if (!f) {
		fprintf(stderr,
		    "usage: gen-pcap --packets COUNT FILE [mix | mixed]\n");
		return 2;
	}
	const char *kind = argc > 4 ? argv[4] : "";
	write_file(f, count,
	    strcmp(kind, "mix") == 0         ? build_mix
		: strcmp(kind, "mixed") == 0 ? build_mixed
					     : build_flood);
	return fclose(f) == 0 ? 0 : 74;
}
