/* SPDX-License-Identifier: ISC */
#include "probes/net/live/live-ports.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "lib/base/xalloc.h"
#include "lib/packet/octets.h"
#include "lib/packet/packet.h"
#include "probes/net/live/live-feed.h"

#define RETRY_NS NS_PER_MS
#define BEGINS_NS (200 * NS_PER_MS)
#define PATIENCE_NS (20 * NS_PER_MS)
#define RETRIED_NS (3 * NS_PER_S) /* since the port was used last */
#define FEW 8
#define WAIT_MS 20
#define STREAM_WAIT_MS 2000
#define STARVES_NS NS_PER_S

static size_t room(const struct live_ports *ports)
{
	return ports->most + LIVE_FEED_SOCKETS;
}

void live_ports_open(
    struct live_ports *ports, int type, size_t first, size_t most)
{
	*ports = (struct live_ports){ .six = true,
		.type = type,
		.most = most,
		.feed_fd = -1,
		.opened = monotime_now() };
	ports->list = xcalloc(most, sizeof(*ports->list));
	ports->spare = xcalloc(room(ports), sizeof(*ports->spare));
	while (ports->spare_count < first) {
		int fd = live_feed_open(&ports->six, type);
		if (fd < 0)
			break;
		ports->spare[ports->spare_count++] = fd;
	}
}

static void add_spares(
    struct live_ports *ports, const struct live_feed_answer *answer)
{
	ports->asked = false;
	if (answer->count > 0)
		ports->six = answer->six;
	for (size_t i = 0; i < answer->count; i++) {
		if (ports->spare_count < room(ports))
			ports->spare[ports->spare_count++] = answer->fds[i];
		else
			close(answer->fds[i]);
	}
}

/* What was asked for, for this set or its sibling. */
static void take_answers(struct live_ports *ports, int wait_ms)
{
	struct live_feed_answer answer;
	while (
	    ports->asked && live_feed_take(ports->feed_fd, wait_ms, &answer)) {
		struct live_ports *to =
		    answer.type == ports->type ? ports : ports->sibling;
		if (to && to->type == answer.type)
			add_spares(to, &answer);
	}
}

/* Those that are few are asked for before the last is gone.  Whose reset would
 * end what it is to measure waits for long, but not time and again. */
static int take_spare(struct live_ports *ports, struct monotime now)
{
	bool stream = ports->type == SOCK_STREAM;
	size_t few = stream ? 0 : FEW;
	if (ports->feed_fd >= 0 && ports->spare_count <= few && !ports->asked)
		ports->asked = live_feed_ask(ports->feed_fd, ports->type) == 0;
	take_answers(ports, 0);
	if (ports->asked && ports->spare_count == 0 &&
	    (ports->starved.ns == 0 ||
		monotime_diff(now, ports->starved) > STARVES_NS)) {
		take_answers(ports, stream ? STREAM_WAIT_MS : WAIT_MS);
		ports->starved =
		    ports->spare_count == 0 ? now : (struct monotime){ 0 };
	}
	return ports->spare_count > 0 ? ports->spare[--ports->spare_count] : -1;
}

/* The one of the full list that may give up its port; NULL: none. */
static struct live_port *find_idle(
    struct live_ports *ports, struct monotime now)
{
	if (ports->feed_fd < 0 || monotime_before(now, ports->idle))
		return NULL;
	struct live_port *oldest = &ports->list[0];
	for (size_t i = 1; i < ports->count; i++)
		if (monotime_before(ports->list[i].used, oldest->used))
			oldest = &ports->list[i];
	ports->idle = monotime_add(oldest->used, LIVE_PORTS_IDLE_NS);
	return monotime_before(now, ports->idle) ? NULL : oldest;
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

static struct live_port *add_port(
    struct live_ports *ports, uint16_t port, struct monotime now)
{
	struct live_port *p = ports->count < ports->most
	    ? &ports->list[ports->count]
	    : find_idle(ports, now);
	int fd = p ? take_spare(ports, now) : -1;
	if (fd < 0)
		return NULL;
	if (ports->count < ports->most) {
		ports->count++;
	} else {
		close(p->fd);
		ports->missing -= !p->held;
	}
	*p = (struct live_port){ .fd = fd, .port = port };
	p->held = await_port(ports, p, now);
	ports->missing += !p->held;
	return p;
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
	if (!p)
		p = add_port(ports, port, now);
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
	while (ports->count > 0)
		close(ports->list[--ports->count].fd);
	while (ports->spare_count > 0)
		close(ports->spare[--ports->spare_count]);
	ports->missing = 0;
	free(ports->list);
	free(ports->spare);
	ports->list = NULL;
	ports->spare = NULL;
}
