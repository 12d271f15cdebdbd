/* SPDX-License-Identifier: ISC */
/*
 * The real network as a user without privilege may use it: echo requests by
 * ICMP sockets of the datagram kind (net.ipv4.ping_group_range, icmp(7)).  The
 * kernel owns the identifier, so each one takes a socket of its own, bound to
 * it at its first probe.  It hands over ICMP messages without their IP header
 * and errors as their parts; both are put together again, so that the
 * guardian matches them as any other packet.  What the kernel does not tell
 * (a quote's time to live and type of service) is shown as it was sent.
 */
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/base/vec.h"
#include "lib/base/xalloc.h"
#include "lib/packet/octets.h"
#include "lib/packet/packet.h"
#include "probes/net/live/live-addr.h"
#include "probes/net/live/live-echo-message.h"
#include "probes/net/live/live-route.h"
#include "probes/net/live/live-spec.h"
#include "probes/net/live/live-user.h"
#include "probes/net/net.h"

#define SOCKETS 16 /* identifiers a family */
#define SEQUENCES 65536
#define READ_MOST 256 /* of a socket at one poll */
#define PACKET_BYTES 2048

struct echo_sent {
	struct addr src;
	uint8_t ttl, tos;
};

struct echo_net {
	int sockets[2][SOCKETS]; /* by family: 0 is IPv4; -1: none */
	int ids[2][SOCKETS];     /* that each is bound to; -1: none yet */
	int epoll;
	struct live_addrs addrs;
	struct live_routes routes;
	struct echo_sent *sent[2]; /* by sequence number: what a quote had */
	struct net_event *pending; /* of what was sent, or was not */
	size_t pending_count;
	struct net_counters counters;
};

static void echo_close(void *ctx)
{
	struct echo_net *e = ctx;
	if (!e)
		return;
	for (int f = 0; f < 2; f++) {
		for (int i = 0; i < SOCKETS; i++)
			if (e->sockets[f][i] >= 0)
				close(e->sockets[f][i]);
		free(e->sent[f]);
	}
	if (e->epoll >= 0)
		close(e->epoll);
	live_addrs_close(&e->addrs);
	live_routes_close(&e->routes);
	free(e->pending);
	free(e);
}

static void set_option(int fd, int level, int name, int value)
{
	setsockopt(fd, level, name, &value, sizeof(value));
}

static int socket_open(int six, struct errmsg *msg)
{
	int fd = socket(six ? AF_INET6 : AF_INET,
	    SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
	    six ? IPPROTO_ICMPV6 : IPPROTO_ICMP);
	if (fd < 0)
		return err_set(msg, -errno,
		    "ICMP socket: %s; this group is not in the range of "
		    "sysctl net.ipv4.ping_group_range",
		    strerror(errno));
	set_option(fd, SOL_SOCKET, SO_TIMESTAMPNS, 1);
	set_option(fd, SOL_SOCKET, SO_RCVBUF, 1 << 20);
	if (six) {
		set_option(fd, IPPROTO_IPV6, IPV6_RECVERR, 1);
		set_option(fd, IPPROTO_IPV6, IPV6_RECVHOPLIMIT, 1);
		set_option(fd, IPPROTO_IPV6, IPV6_RECVTCLASS, 1);
		set_option(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1);
	} else {
		set_option(fd, IPPROTO_IP, IP_RECVERR, 1);
		set_option(fd, IPPROTO_IP, IP_RECVTTL, 1);
		set_option(fd, IPPROTO_IP, IP_RECVTOS, 1);
		set_option(fd, IPPROTO_IP, IP_PKTINFO, 1);
	}
	live_user_give(fd);
	return fd;
}

/* A host without IPv6 still measures by IPv4. */
static int sockets_open(struct echo_net *e, struct errmsg *msg)
{
	for (int six = 0; six < 2; six++) {
		for (int i = 0; i < SOCKETS; i++) {
			int fd = socket_open(six, msg);
			if (fd < 0 && six && i == 0)
				return 0;
			if (fd < 0)
				return fd;
			e->sockets[six][i] = fd;
			struct epoll_event event = { .events = EPOLLIN,
				.data.u32 = (uint32_t)(six * SOCKETS + i) };
			if (epoll_ctl(e->epoll, EPOLL_CTL_ADD, fd, &event) != 0)
				return err_set(
				    msg, -errno, "epoll: %s", strerror(errno));
		}
	}
	return 0;
}

static int echo_open(void **ctx, const char *spec, struct errmsg *msg)
{
	struct live_spec wanted;
	int err = live_spec_read(&wanted, spec, msg);
	if (err < 0)
		return err;
	if (wanted.wish.mark || wanted.run_mark_count)
		return err_set(
		    msg, -EPERM, "mark: setting one needs privilege");
	struct echo_net *e = xcalloc(1, sizeof(*e));
	memset(e->sockets, 0xff, sizeof(e->sockets));
	memset(e->ids, 0xff, sizeof(e->ids));
	e->addrs.fd = -1;
	e->routes = LIVE_ROUTES_CLOSED;
	for (int f = 0; f < 2; f++)
		e->sent[f] = xcalloc(SEQUENCES, sizeof(*e->sent[f]));
	e->epoll = epoll_create1(EPOLL_CLOEXEC);
	err = e->epoll >= 0
	    ? sockets_open(e, msg)
	    : err_set(msg, -errno, "epoll: %s", strerror(errno));
	if (err < 0)
		goto failed;
	err = live_addrs_open(&e->addrs, msg);
	if (err < 0)
		goto failed;
	err = live_routes_open(&e->routes, &wanted.wish, msg);
	if (err < 0)
		goto failed;
	e->routes.by_uid = live_user_differs(e->sockets[0][0], &e->routes.uid);
	e->routes.many_sources6 = e->addrs.global6 > 2;
	for (int f = 0; f < 2; f++)
		if (wanted.wish.source[f].family &&
		    !live_addrs_own(&e->addrs, &wanted.wish.source[f])) {
			err = err_set(msg, ERR_USAGE,
			    "source: expected an address of this host");
			goto failed;
		}
	*ctx = e;
	return 0;
failed:
	echo_close(e);
	return err;
}

static int echo_route(
    void *ctx, const struct net_flow *flow, struct net_route *route)
{
	struct echo_net *e = ctx;
	*route = (struct net_route){ 0 };
	if (e->sockets[flow->dst.family == 6][0] < 0)
		return -EAFNOSUPPORT;
	if (flow->mark)
		return -EPERM;
	if (flow->src.family && !live_addrs_own(&e->addrs, &flow->src))
		return -EADDRNOTAVAIL;
	return live_routes_find(&e->routes, flow, monotime_now(), route);
}

static bool echo_is_own(void *ctx, const struct addr *a)
{
	struct echo_net *e = ctx;
	return live_addrs_own(&e->addrs, a);
}

static bool echo_is_broadcast(void *ctx, const struct addr *a)
{
	struct echo_net *e = ctx;
	return live_addrs_broadcast(&e->addrs, a);
}

static struct monotime echo_now(void *ctx)
{
	(void)ctx;
	return monotime_now();
}

static struct walltime echo_wall(void *ctx)
{
	(void)ctx;
	return walltime_now();
}

static socklen_t put_address(
    const struct addr *a, uint16_t port, struct sockaddr_storage *to)
{
	memset(to, 0, sizeof(*to));
	if (a->family == 4) {
		struct sockaddr_in *in = (struct sockaddr_in *)to;
		in->sin_family = AF_INET;
		in->sin_port = htons(port);
		memcpy(&in->sin_addr, a->bytes, 4);
		return sizeof(*in);
	}
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)to;
	in6->sin6_family = AF_INET6;
	in6->sin6_port = htons(port);
	memcpy(&in6->sin6_addr, a->bytes, 16);
	return sizeof(*in6);
}

/* The socket of an identifier; a negative errno. */
static int socket_of(struct echo_net *e, int six, uint16_t id)
{
	struct sockaddr_storage any;
	for (int i = 0; i < SOCKETS && id; i++) {
		if (e->ids[six][i] == id)
			return e->sockets[six][i];
		if (e->ids[six][i] >= 0)
			continue;
		struct addr all = { .family = six ? 6 : 4 };
		socklen_t len = put_address(&all, id, &any);
		if (bind(e->sockets[six][i], (void *)&any, len) != 0)
			return -errno;
		e->ids[six][i] = id;
		return e->sockets[six][i];
	}
	return id ? -EMFILE : -EINVAL;
}

static void control_add(
    struct echo_control *c, int level, int type, const void *data, size_t len)
{
	struct cmsghdr head = { CMSG_LEN(len), level, type };
	memcpy(c->bytes + c->len, &head, sizeof(head));
	memcpy(c->bytes + c->len + CMSG_LEN(0), data, len);
	c->len += CMSG_SPACE(len);
}

/* Time to live, class, source and device as in the packet and its route. */
static void control_fill(struct echo_control *c, const struct net_send *packet,
    const struct packet *p)
{
	int ttl = p->ttl, tos = p->tos, six = p->src.family == 6;
	int level = six ? IPPROTO_IPV6 : IPPROTO_IP;
	int device = packet->route ? (int)packet->route->device_index : 0;
	control_add(c, level, six ? IPV6_HOPLIMIT : IP_TTL, &ttl, sizeof(ttl));
	control_add(c, level, six ? IPV6_TCLASS : IP_TOS, &tos, sizeof(tos));
	if (six) {
		struct in6_pktinfo info = { .ipi6_ifindex = (unsigned)device };
		memcpy(&info.ipi6_addr, p->src.bytes, 16);
		control_add(c, level, IPV6_PKTINFO, &info, sizeof(info));
	} else {
		struct in_pktinfo info = { .ipi_ifindex = device };
		memcpy(&info.ipi_spec_dst, p->src.bytes, 4);
		control_add(c, level, IP_PKTINFO, &info, sizeof(info));
	}
}

static int send_packet(struct echo_net *e, const struct net_send *packet)
{
	struct packet p;
	struct sockaddr_storage to;
	struct echo_control control = { 0 };
	if (packet_decode_ip(&p, packet->bytes, packet->len, packet->len) != 0)
		return -EINVAL;
	int six = p.dst.family == 6;
	if (p.proto != (six ? PACKET_ICMP6 : PACKET_ICMP) ||
	    p.icmp_type != (six ? 128 : 8))
		return -EPERM;
	int fd = socket_of(e, six, p.icmp_id);
	if (fd < 0)
		return fd;
	e->sent[six][p.icmp_seq] = (struct echo_sent){ p.src, p.ttl, p.tos };
	control_fill(&control, packet, &p);
	size_t header = six ? 40 : 20;
	struct iovec part = { (void *)(packet->bytes + header),
		packet->len - header };
	struct msghdr message = { .msg_name = &to,
		.msg_namelen = put_address(&p.dst, 0, &to),
		.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = control.len };
	/* An error of an earlier probe is told once by the next call. */
	ssize_t n = sendmsg(fd, &message, MSG_DONTWAIT);
	if (n < 0)
		n = sendmsg(fd, &message, MSG_DONTWAIT);
	return n < 0 ? -errno : 0;
}

static size_t echo_send(void *ctx, const struct net_send *packets, size_t count)
{
	struct echo_net *e = ctx;
	size_t left = 0;
	for (size_t i = 0; i < count; i++) {
		struct net_event event = { .kind = NET_SENT,
			.stamp = { walltime_now(), NET_CLOCK_USER },
			.cookie = packets[i].cookie };
		event.err = send_packet(e, &packets[i]);
		if (event.err < 0) {
			event.kind = NET_SEND_FAILED;
			e->counters.send_failed++;
			live_routes_doubt(&e->routes);
		} else {
			e->counters.sent++;
			left++;
		}
		VEC_ROOM(e->pending, e->pending_count);
		e->pending[e->pending_count++] = event;
	}
	return left;
}

static void deliver(struct echo_net *e, const struct echo_arrival *a,
    const uint8_t *bytes, size_t len, net_event_fn *fn, void *arg)
{
	struct net_event event = { .kind = NET_RECEIVED,
		.stamp = a->stamp,
		.bytes = bytes,
		.caplen = len,
		.wirelen = len };
	e->counters.received++;
	fn(arg, &event);
}

static bool read_reply(
    struct echo_net *e, int six, int i, net_event_fn *fn, void *arg)
{
	uint8_t packet[PACKET_BYTES], header[40];
	struct echo_arrival a;
	size_t at = six ? 40 : 20;
	ssize_t n = echo_receive(
	    e->sockets[six][i], 0, &a, packet + at, sizeof(packet) - at);
	if (n < 0)
		/* An error that goes with the error queue is told once. */
		return errno != EAGAIN && errno != EINTR;
	echo_put_header(header, &a.from, &a.to, a.ttl, a.tos, (size_t)n);
	memcpy(packet, header, at);
	deliver(e, &a, packet, at + (size_t)n, fn, arg);
	return true;
}

/* The quote's source is ours, as it was sent; its identifier and checksum are
 * there because the kernel hands over the ICMP header. */
static bool read_error(
    struct echo_net *e, int six, int i, net_event_fn *fn, void *arg)
{
	uint8_t quote[PACKET_BYTES / 2], packet[PACKET_BYTES];
	struct echo_arrival a;
	ssize_t n = echo_receive(
	    e->sockets[six][i], MSG_ERRQUEUE, &a, quote, sizeof(quote));
	if (n < 0)
		return false;
	uint8_t origin = six ? SO_EE_ORIGIN_ICMP6 : SO_EE_ORIGIN_ICMP;
	if (a.error.ee_origin != origin || n < 8 || a.offender.family == 0)
		return true;
	const struct echo_sent *sent = &e->sent[six][load_be16(quote + 6)];
	if (sent->src.family == 0)
		return true;
	size_t header = six ? 40 : 20, inner = header + 8;
	size_t len = 8 + header + (size_t)n;
	echo_put_header(packet, &a.offender, &sent->src, a.ttl, a.tos, len);
	uint8_t *icmp = packet + header;
	memset(icmp, 0, 8);
	icmp[0] = a.error.ee_type;
	icmp[1] = a.error.ee_code;
	if (six ? icmp[0] == 2 : icmp[0] == 3 && icmp[1] == 4)
		store_be16(icmp + 6, a.error.ee_info & 0xffff);
	echo_put_header(packet + inner, &sent->src, &a.from, sent->ttl,
	    sent->tos, (size_t)n);
	memcpy(packet + inner + header, quote, (size_t)n);
	if (!six)
		store_be16(icmp + 2, packet_fold(packet_sum(0, icmp, len)));
	deliver(e, &a, packet, header + len, fn, arg);
	return true;
}

static void echo_poll(void *ctx, net_event_fn *fn, void *arg)
{
	struct echo_net *e = ctx;
	struct epoll_event ready[2 * SOCKETS];
	live_addrs_update(&e->addrs);
	live_routes_update(&e->routes, monotime_now());
	e->routes.many_sources6 = e->addrs.global6 > 2; /* with ::1 */
	/* Transmit times first: a reply's round trip needs its own. */
	struct net_event *pending = e->pending;
	size_t pending_count = e->pending_count;
	e->pending = NULL;
	e->pending_count = 0;
	for (size_t i = 0; i < pending_count; i++)
		fn(arg, &pending[i]);
	free(pending);
	int count = epoll_wait(e->epoll, ready, 2 * SOCKETS, 0);
	for (int k = 0; k < count; k++) {
		int six = ready[k].data.u32 >= SOCKETS;
		int i = (int)ready[k].data.u32 % SOCKETS;
		for (int n = 0; n < READ_MOST; n++)
			if (!read_error(e, six, i, fn, arg))
				break;
		for (int n = 0; n < READ_MOST; n++)
			if (!read_reply(e, six, i, fn, arg))
				break;
	}
}

static size_t echo_fds(void *ctx, int *fds, size_t size)
{
	struct echo_net *e = ctx;
	int all[] = { e->epoll, e->addrs.fd, e->routes.news_fd };
	size_t count = 0;
	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++)
		if (all[i] >= 0 && count < size)
			fds[count++] = all[i];
	return count;
}

static void echo_counters(void *ctx, struct net_counters *counters)
{
	*counters = ((struct echo_net *)ctx)->counters;
}

static void echo_describe(void *ctx, char *to, size_t size)
{
	const struct echo_net *e = ctx;
	snprintf(to, size,
	    "ICMP sockets without privilege for %s: echo requests only, times "
	    "of sending by this program's clock",
	    e->sockets[1][0] >= 0 ? "IPv4 and IPv6" : "IPv4");
}

const struct net_ops net_echo = {
	.name = "echo",
	.help = "this machine's network, by ICMP echo without privilege",
	.open = echo_open,
	.close = echo_close,
	.route = echo_route,
	.is_own = echo_is_own,
	.is_broadcast = echo_is_broadcast,
	.now = echo_now,
	.wall = echo_wall,
	.send = echo_send,
	.poll = echo_poll,
	.fds = echo_fds,
	.counters = echo_counters,
	.describe = echo_describe,
};
