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

/* A socket of IPv6 speaks IPv4 too, where this host has IPv6. */
static int open_one(bool six, int type)
{
	const int off = 0;
	int fd = socket(
	    six ? AF_INET6 : AF_INET, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 || !six ||
	    setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off)) == 0)
		return fd;
	close(fd);
	return -1;
}

static bool make_deaf(int fd)
{
	struct sock_filter drop_all = { BPF_RET | BPF_K, 0, 0, 0 };
	const struct sock_fprog filter = { 1, &drop_all };
	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &filter,
		   sizeof(filter)) == 0;
}

void live_ports_open(struct live_ports *ports, int type, size_t count)
{
	*ports = (struct live_ports){ .six = true, .type = type };
	for (; ports->open < count; ports->open++) {
		int fd = open_one(ports->six, type);
		if (fd < 0 && ports->open == 0) {
			ports->six = false;
			fd = open_one(false, type);
		}
		if (fd < 0)
			break;
		/* A filter of TCP takes a privilege that is gone later. */
		if (type == SOCK_STREAM && !make_deaf(fd)) {
			close(fd);
			break;
		}
		ports->fds[ports->open] = fd;
	}
}

static bool is_held(const struct live_ports *ports, uint16_t port)
{
	for (size_t i = 0; i < ports->held; i++)
		if (ports->ports[i] == port)
			return true;
	return false;
}

/* Deaf first: most never get here, and a filter each costs more than the
 * sockets do. */
static void hold_port(const struct live_ports *ports, int fd, uint16_t port)
{
	const struct sockaddr_in any4 = { .sin_family = AF_INET,
		.sin_port = htons(port) };
	const struct sockaddr_in6 any6 = { .sin6_family = AF_INET6,
		.sin6_port = htons(port),
		.sin6_addr = IN6ADDR_ANY_INIT };
	if (ports->type == SOCK_DGRAM && !make_deaf(fd))
		return;
	if (bind(fd,
		ports->six ? (const struct sockaddr *)&any6
			   : (const struct sockaddr *)&any4,
		ports->six ? sizeof(any6) : sizeof(any4)) != 0)
		return;
	if (ports->type == SOCK_STREAM)
		(void)listen(fd, 0);
}

void live_ports_hold(
    struct live_ports *ports, const uint8_t *packet, size_t len)
{
	bool six = packet[0] >> 4 == 6;
	size_t upper = six ? 40 : 20;
	uint8_t proto = ports->type == SOCK_STREAM ? PACKET_TCP : PACKET_UDP;
	if (packet[six ? 6 : 9] != proto || len < upper + 8 ||
	    ports->held == ports->open)
		return;
	uint16_t port = load_be16(packet + upper);
	if (port == 0 || is_held(ports, port))
		return;
	hold_port(ports, ports->fds[ports->held], port);
	ports->ports[ports->held++] = port;
}

void live_ports_close(struct live_ports *ports)
{
	while (ports->open > 0)
		close(ports->fds[--ports->open]);
}
