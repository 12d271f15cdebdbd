/* SPDX-License-Identifier: ISC */
/*
 * What a train is compared with: a loop that sleeps by clock_nanosleep until
 * each packet's time and sends it from a connected UDP socket.
 *
 *   gap-loop ADDRESS PORT GAP_US COUNT
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>

int main(int argc, char **argv)
{
	struct sockaddr_in to = { .sin_family = AF_INET };
	if (argc != 5 || inet_pton(AF_INET, argv[1], &to.sin_addr) != 1) {
		fprintf(stderr, "gap-loop ADDRESS PORT GAP_US COUNT\n");
		return 2;
	}
	to.sin_port = htons((uint16_t)strtoul(argv[2], NULL, 10));
	long gap_ns = strtol(argv[3], NULL, 10) * 1000;
	long count = strtol(argv[4], NULL, 10);
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof(to)) != 0) {
		perror("gap-loop");
		return 1;
	}
	struct timespec at;
	clock_gettime(CLOCK_MONOTONIC, &at);
	for (long i = 0; i < count; i++) {
		static const char octets[8];
		at.tv_nsec += gap_ns;
		at.tv_sec += at.tv_nsec / 1000000000;
		at.tv_nsec %= 1000000000;
		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL);
		send(fd, octets, sizeof(octets), MSG_NOSIGNAL);
	}
	return 0;
}
