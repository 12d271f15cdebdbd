/* SPDX-License-Identifier: ISC */
#include "probes/net/live/live-ports.h"

#include <errno.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "lib/packet/octets.h"
#include "lib/packet/packet.h"

#define RETRY_NS NS_PER_MS
#define BEGINS_NS (200 * NS_PER_MS)
#define PATIENCE_NS (20 * NS_PER_MS)
#define RETRIED_NS (3 * NS_PER_S) /* since the port was used last */

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
	*ports = (struct live_ports){
		.six = true, .type = type, .opened = monotime_now()
	};
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
		ports->list[ports->open].fd = fd;
	}
}

/* What comes to one of UDP finds no room: a filter each would cost more than
 * the sockets do. */
static bool bind_port(const struct live_ports *ports, const struct live_port *p)
{
	const struct sockaddr_in any4 = { .sin_family = AF_INET,
		.sin_port = htons(p->port) };
	const struct sockaddr_in6 any6 = { .sin6_family = AF_INET6,
		.sin6_port = htons(p->port),
		.sin6_addr = IN6ADDR_ANY_INIT };
	const int no_room = 0;
	if (ports->type == SOCK_DGRAM)
		(void)setsockopt(
		    p->fd, SOL_SOCKET, SO_RCVBUF, &no_room, sizeof(no_room));
	if (bind(p->fd,
		ports->six ? (const struct sockaddr *)&any6
			   : (const struct sockaddr *)&any4,
		ports->six ? sizeof(any6) : sizeof(any4)) != 0)
		return false;
	if (ports->type == SOCK_STREAM)
		(void)listen(p->fd, 0);
	return true;
}

/* The predecessor lives for a moment after its command. */
static bool await_port(const struct live_ports *ports,
    const struct live_port *p, struct monotime now)
{
	static const struct timespec pause = { 0, 200 * NS_PER_US };
	bool held = bind_port(ports, p);
	while (!held && errno == EADDRINUSE &&
	    monotime_diff(now, ports->opened) < BEGINS_NS &&
	    monotime_diff(monotime_now(), now) < PATIENCE_NS) {
		nanosleep(&pause, NULL);
		held = bind_port(ports, p);
	}
	return held;
}

/* Where a port stands; NULL: nowhere. */
static struct live_port *find_port(struct live_ports *ports, uint16_t port)
{
	if (ports->last < ports->count && ports->list[ports->last].port == port)
		return &ports->list[ports->last];
	for (size_t i = 0; i < ports->count; i++)
		if (ports->list[i].port == port) {
			ports->last = i;
			return &ports->list[i];
		}
	return NULL;
}

void live_ports_hold(struct live_ports *ports, const uint8_t *packet,
    size_t len, struct monotime now)
{
	bool six = packet[0] >> 4 == 6;
	size_t upper = six ? 40 : 20;
	uint8_t proto = ports->type == SOCK_STREAM ? PACKET_TCP : PACKET_UDP;
	if (packet[six ? 6 : 9] != proto || len < upper + 8)
		return;
	uint16_t port = load_be16(packet + upper);
	if (port == 0)
		return;
	struct live_port *p = find_port(ports, port);
	if (!p && ports->count < ports->open) {
		p = &ports->list[ports->count++];
		p->port = port;
		p->held = await_port(ports, p, now);
		ports->missing += !p->held;
	}
	if (p)
		p->used = now;
}

void live_ports_retry(struct live_ports *ports, struct monotime now)
{
	if (ports->missing == 0 || monotime_diff(now, ports->tried) < RETRY_NS)
		return;
	ports->tried = now;
	for (size_t i = 0; i < ports->count; i++) {
		struct live_port *p = &ports->list[i];
		if (p->held || monotime_diff(now, p->used) > RETRIED_NS)
			continue;
		p->held = bind_port(ports, p);
		ports->missing -= p->held;
	}
}

void live_ports_close(struct live_ports *ports)
{
	while (ports->open > 0)
		close(ports->list[--ports->open].fd);
	ports->count = ports->missing = 0;
}
