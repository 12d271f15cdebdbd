/* SPDX-License-Identifier: ISC */
/*
 * Frames onto a wire at a steady rate, each of one of many sources in turn:
 *
 *	flood DEVICE PACKETS PACKETS_A_SECOND SOURCES slammer|mirai|mixed
 *
 * Prints how many the kernel took, and in how many seconds.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "lib/base/clock.h"
#include "lib/base/xalloc.h"
#include "lib/packet/packet.h"

#define BATCH 64
#define SLAMMER_LEN 376
#define FRAME_MOST (ETH_HLEN + 20 + 8 + SLAMMER_LEN)

struct worm_frame {
	uint8_t bytes[FRAME_MOST];
	size_t len;
};

static void put_be16(uint8_t *to, unsigned value)
{
	to[0] = (uint8_t)(value >> 8);
	to[1] = (uint8_t)value;
}

static void put_be32(uint8_t *to, uint32_t value)
{
	put_be16(to, value >> 16);
	put_be16(to + 2, value & 0xffff);
}

static void put_slammer(uint8_t *udp)
{
	static const uint8_t mark[] = { 0x81, 0xf1, 0x03, 0x01, 0x04, 0x9b,
		0x81, 0xf1, 0x01 };
	uint8_t *payload = udp + 8;
	put_be16(udp, 1434);
	put_be16(udp + 2, 1434);
	put_be16(udp + 4, 8 + SLAMMER_LEN);
	memset(payload, 'A', SLAMMER_LEN);
	payload[0] = 4;
	memset(payload + 1, 1, 96);
	memcpy(payload + 150, mark, sizeof(mark));
	memcpy(payload + 200, "sock", 4);
	memcpy(payload + 220, "send", 4);
}

static void put_syn(uint8_t *tcp, uint32_t dst, bool is_mirai, uint32_t n)
{
	put_be16(tcp, 1024 + n % 60000);
	put_be16(tcp + 2, is_mirai ? 23 : n % 1024);
	put_be32(tcp + 4, is_mirai ? dst : n * 2654435761u);
	tcp[12] = 5 << 4;
	tcp[13] = PACKET_TCP_SYN;
	put_be16(tcp + 14, 512);
}

static void make_frame(struct worm_frame *f, const char *kind, uint32_t n)
{
	static const uint8_t macs[] = { 2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2 };
	bool slammer = strcmp(kind, "slammer") == 0 ||
	    (strcmp(kind, "mixed") == 0 && n % 3 == 0);
	bool mirai = strcmp(kind, "mirai") == 0 ||
	    (strcmp(kind, "mixed") == 0 && n % 3 == 1);
	uint8_t *ip = f->bytes + ETH_HLEN;
	uint32_t dst = 0xc6336400 + n % 256; /* 198.51.100.0/24 */
	size_t len = 20 + (slammer ? 8 + SLAMMER_LEN : 20);
	memset(f, 0, sizeof(*f));
	memcpy(f->bytes, macs, sizeof(macs));
	put_be16(f->bytes + 12, ETH_P_IP);
	ip[0] = 0x45;
	put_be16(ip + 2, (unsigned)len);
	put_be16(ip + 4, n & 0xffff);
	ip[8] = 64;
	ip[9] = slammer ? PACKET_UDP : PACKET_TCP;
	put_be32(ip + 12, 0x2c000000 + n); /* 44.0.0.0/8 */
	put_be32(ip + 16, dst);
	put_be16(ip + 10, packet_fold(packet_sum(0, ip, 20)));
	if (slammer)
		put_slammer(ip + 20);
	else
		put_syn(ip + 20, dst, mirai, n);
	f->len = ETH_HLEN + len;
}

static int open_device(const char *name)
{
	struct sockaddr_ll at = { .sll_family = AF_PACKET,
		.sll_ifindex = (int)if_nametoindex(name) };
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof(at)) != 0) {
		fprintf(stderr, "flood: %s: %s\n", name, strerror(errno));
		exit(1);
	}
	return fd;
}

static uint64_t send_some(int fd, const struct worm_frame *frames,
    uint32_t sources, uint64_t first, unsigned count)
{
	struct iovec io[BATCH];
	struct mmsghdr m[BATCH];
	memset(m, 0, sizeof(m));
	for (unsigned i = 0; i < count; i++) {
		const struct worm_frame *f = &frames[(first + i) % sources];
		io[i] = (struct iovec){ (void *)f->bytes, f->len };
		m[i].msg_hdr.msg_iov = &io[i];
		m[i].msg_hdr.msg_iovlen = 1;
	}
	int n = sendmmsg(fd, m, count, 0);
	return n > 0 ? (uint64_t)n : 0;
}

int main(int argc, char **argv)
{
	if (argc != 6) {
		fprintf(
		    stderr, "usage: flood DEVICE PACKETS RATE SOURCES KIND\n");
		return 2;
	}
	uint64_t packets = strtoull(argv[2], NULL, 10);
	double rate = strtod(argv[3], NULL);
	uint32_t sources = (uint32_t)strtoul(argv[4], NULL, 10);
	int fd = open_device(argv[1]);
	struct worm_frame *frames = xcalloc(sources, sizeof(*frames));
	for (uint32_t n = 0; n < sources; n++)
		make_frame(&frames[n], argv[5], n);
	uint64_t sent = 0;
	const struct timespec pause = { 0, 200000 };
	struct monotime start = monotime_now();
	while (sent < packets) {
		double s =
		    (double)monotime_diff(monotime_now(), start) / NS_PER_S;
		uint64_t due = (uint64_t)(s * rate);
		if (due > packets)
			due = packets;
		if (due <= sent) {
			nanosleep(&pause, NULL);
			continue;
		}
		uint64_t count = due - sent;
		sent += send_some(fd, frames, sources, sent,
		    count < BATCH ? (unsigned)count : BATCH);
	}
	printf("%llu %.3f\n", (unsigned long long)sent,
	    (double)monotime_diff(monotime_now(), start) / NS_PER_S);
	free(frames);
	return 0;
}
