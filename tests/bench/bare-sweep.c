/* SPDX-License-Identifier: ISC */
/*
 * What a sweep is compared with: a loop that sends one echo request to so many
 * addresses by sendmmsg through a packet socket that goes past the queueing
 * discipline, and does nothing else.
 *
 *   bare-sweep DEVICE PEER_MAC COUNT
 */
#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define BATCH 64
#define LEN 36 /* as the sweep's: IP, ICMP and eight octets */

static uint16_t header_sum(const uint8_t *bytes)
{
	uint32_t sum = 0;
	for (int i = 0; i < 20; i += 2)
		sum += (uint32_t)bytes[i] << 8 | bytes[i + 1];
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

int main(int argc, char **argv)
{
	static uint8_t bytes[BATCH][LEN];
	struct mmsghdr messages[BATCH] = { 0 };
	struct iovec parts[BATCH];
	struct sockaddr_ll to = { .sll_family = AF_PACKET,
		.sll_protocol = htons(ETH_P_IP),
		.sll_halen = 6 };
	unsigned mac[6];
	int on = 1;
	if (argc != 4 ||
	    sscanf(argv[2], "%x:%x:%x:%x:%x:%x", &mac[0], &mac[1], &mac[2],
		&mac[3], &mac[4], &mac[5]) != 6) {
		fprintf(stderr, "bare-sweep DEVICE PEER_MAC COUNT\n");
		return 2;
	}
	for (int i = 0; i < 6; i++)
		to.sll_addr[i] = (uint8_t)mac[i];
	to.sll_ifindex = (int)if_nametoindex(argv[1]);
	uint32_t count = (uint32_t)strtoul(argv[3], NULL, 10);
	int fd = socket(AF_PACKET, SOCK_DGRAM, 0);
	if (fd < 0 ||
	    setsockopt(fd, SOL_PACKET, PACKET_QDISC_BYPASS, &on, sizeof(on)) !=
		0) {
		perror("bare-sweep");
		return 1;
	}
	for (int i = 0; i < BATCH; i++) {
		static const uint8_t start[] = { 0x45, 0, 0, LEN, 0, 1, 0x40, 0,
			64, 1, 0, 0, 11, 8, 0, 1 };
		memcpy(bytes[i], start, sizeof(start));
		bytes[i][20] = 8;
		parts[i] = (struct iovec){ bytes[i], LEN };
		messages[i].msg_hdr = (struct msghdr){ .msg_name = &to,
			.msg_namelen = sizeof(to),
			.msg_iov = &parts[i],
			.msg_iovlen = 1 };
	}
	for (uint32_t sent = 0; sent < count;) {
		for (uint32_t i = 0; i < BATCH; i++) {
			uint32_t dst = htonl(0x0b100000u + sent + i);
			memcpy(bytes[i] + 16, &dst, 4);
			bytes[i][10] = bytes[i][11] = 0;
			uint16_t sum = htons(header_sum(bytes[i]));
			memcpy(bytes[i] + 10, &sum, 2);
		}
		int n = sendmmsg(fd, messages, BATCH, 0);
		if (n < 0) {
			perror("sendmmsg");
			return 1;
		}
		sent += (uint32_t)n;
	}
	return 0;
}
