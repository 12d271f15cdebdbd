/* SPDX-License-Identifier: ISC */
/* Sockets with a filter that lets nothing in: the kernel neither queues a
 * datagram nor refuses it. */
#include "probes/net/live/live-ports.h"

#include <linux/filter.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/packet/octets.h"
#include "lib/packet/packet.h"

/* -1: none is to be had. */
static int open_deaf(int family)
{
	struct sock_filter drop_all = { BPF_RET | BPF_K, 0, 0, 0 };
	const struct sock_fprog filter = { 1, &drop_all };
	int on = 1;
	int fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -1;
	if (family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
	if (setsockopt(
		fd, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof(filter)) == 0)
		return fd;
	close(fd);
	return -1;
}

void live_ports_open(struct live_ports *ports)
{
	static const int families[2] = { AF_INET, AF_INET6 };
	*ports = (struct live_ports){ 0 };
	for (int i = 0; i < 2; i++) {
		struct live_ports_family *f = &ports->families[i];
		for (; f->open < LIVE_PORTS; f->open++) {
			f->fds[f->open] = open_deaf(families[i]);
			if (f->fds[f->open] < 0)
				break;
		}
	}
}

static bool is_held(const struct live_ports_family *f, uint16_t port)
{
	for (size_t i = 0; i < f->held; i++)
		if (f->ports[i] == port)
			return true;
	return false;
}

static void bind_port(int fd, bool six, uint16_t port)
{
	const struct sockaddr_in any4 = { .sin_family = AF_INET,
		.sin_port = htons(port) };
	const struct sockaddr_in6 any6 = { .sin6_family = AF_INET6,
		.sin6_port = htons(port),
		.sin6_addr = IN6ADDR_ANY_INIT };
	(void)bind(fd,
	    six ? (const struct sockaddr *)&any6
		: (const struct sockaddr *)&any4,
	    six ? sizeof(any6) : sizeof(any4));
}

void live_ports_hold(
    struct live_ports *ports, const uint8_t *packet, size_t len)
{
	bool six = packet[0] >> 4 == 6;
	size_t upper = six ? 40 : 20;
	struct live_ports_family *f = &ports->families[six];
	if (packet[six ? 6 : 9] != PACKET_UDP || len < upper + 8 ||
	    f->held == f->open)
		return;
	uint16_t port = load_be16(packet + upper);
	if (port == 0 || is_held(f, port))
		return;
	bind_port(f->fds[f->held], six, port);
	f->ports[f->held++] = port;
}

void live_ports_close(struct live_ports *ports)
{
	for (int i = 0; i < 2; i++)
		while (ports->families[i].open > 0)
			close(
			    ports->families[i].fds[--ports->families[i].open]);
}
