/* SPDX-License-Identifier: ISC */
/*
 * The real network: packets leave through raw sockets in batches, replies
 * come by a receiver, the kernel stamps both.  Every descriptor is opened here
 * once; afterwards no privilege, file or new socket is needed.
 */
#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/base/xalloc.h"
#include "lib/packet/packet.h"
#include "probes/net/live/live-addr.h"
#include "probes/net/live/live-bypass.h"
#include "probes/net/live/live-deny.h"
#include "probes/net/live/live-feed.h"
#include "probes/net/live/live-message.h"
#include "probes/net/live/live-ports.h"
#include "probes/net/live/live-receive.h"
#include "probes/net/live/live-route.h"
#include "probes/net/live/live-spec.h"
#include "probes/net/live/live-stamp.h"
#include "probes/net/live/live-user.h"
#include "probes/net/net.h"

#define BATCH 64
#define SEND_BYTES (4 << 20)

/* How long after the last probe what comes is still counted, as late. */
#define QUIET_NS (10 * NS_PER_S)

/* The mark is a socket's: setting it takes a privilege that is given up, so
 * there is a socket for each that may be wanted. */
struct live_out {
	uint32_t mark;
	int fd; /* raw */
	int family;
	struct live_stamps stamps;
	bool reset; /* numbering is in doubt */
};

struct live {
	/* IPv4 and IPv6 of the network's mark, then of each run's. */
	struct live_out *outs[2 + 2 * NET_RUN_MARKS_MAX]; /* owned */
	size_t out_count;
	struct live_addrs addrs;
	struct live_routes routes;
	struct live_bypass bypass;
	const struct live_receiver *receiver;
	void *receiver_ctx;
	struct live_ports ports, tcp_ports;
	int feed_fd;                 /* further sockets for ports; -1: none */
	struct monotime quiet_since; /* 0: a probe may be in the air */
	struct net_counters counters;
	struct {
		uint32_t cookie;
		int err;
		uint32_t mtu;
	} failed[BATCH]; /* reported at the next poll */
	size_t failed_count;
};

static const struct live_receiver *receive_by = &live_sockets;

void live_receive_by(const struct live_receiver *receiver)
{
	receive_by = receiver;
}

static int feed_at = -1;

void live_feed_by(int fd)
{
	feed_at = fd;
}

static int raw_open(int family, uint32_t mark, struct errmsg *msg)
{
	int fd = socket(
	    family, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_RAW);
	if (fd < 0)
		return live_deny(-errno, "raw socket", msg);
	int bytes = SEND_BYTES, on = 1;
	if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &bytes, sizeof(bytes)) !=
	    0)
		setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes));
	if (mark &&
	    setsockopt(fd, SOL_SOCKET, SO_MARK, &mark, sizeof(mark)) != 0) {
		int err = -errno;
		close(fd);
		return err_set(msg, err,
		    "mark: %s; setting one needs CAP_NET_RAW since Linux 5.17, "
		    "CAP_NET_ADMIN before",
		    strerror(-err));
	}
	if (family == AF_INET)
		setsockopt(
		    fd, SOL_SOCKET, SO_BROADCAST, &(int){ 0 }, sizeof(int));
	else
		setsockopt(fd, IPPROTO_IPV6, IPV6_HDRINCL, &on, sizeof(on));
	live_user_give(fd);
	return fd;
}

static struct live_out *find_out(
    const struct live *live, int family, uint32_t mark)
{
	for (size_t i = 0; i < live->out_count; i++)
		if (live->outs[i]->family == family &&
		    live->outs[i]->mark == mark)
			return live->outs[i];
	return NULL;
}

/* A host without IPv6 still measures by IPv4. */
static int open_outs(struct live *live, uint32_t mark, struct errmsg *msg)
{
	static const int families[] = { AF_INET, AF_INET6 };
	for (int i = 0; i < 2; i++) {
		if (find_out(live, 4 + 2 * i, mark))
			continue;
		int fd = raw_open(families[i], mark, msg);
		if (fd == -EAFNOSUPPORT && i == 1)
			break;
		if (fd < 0)
			return fd;
		struct live_out *out = xcalloc(1, sizeof(*out));
		live->outs[live->out_count++] = out;
		out->mark = mark;
		out->family = 4 + 2 * i;
		out->fd = fd;
		int err = live_stamps_open(&out->stamps, fd, msg);
		if (err)
			return err;
	}
	return 0;
}

static int open_all_outs(
    struct live *live, const struct live_spec *wanted, struct errmsg *msg)
{
	int err = open_outs(live, wanted->wish.mark, msg);
	for (size_t i = 0; i < wanted->run_mark_count && !err; i++)
		err = open_outs(live, wanted->run_marks[i], msg);
	return err;
}

static void live_close(void *ctx)
{
	struct live *live = ctx;
	if (!live)
		return;
	if (live->receiver_ctx)
		live->receiver->close(live->receiver_ctx);
	live_addrs_close(&live->addrs);
	live_routes_close(&live->routes);
	live_bypass_close(&live->bypass);
	live_ports_close(&live->ports);
	live_ports_close(&live->tcp_ports);
	if (live->feed_fd >= 0)
		close(live->feed_fd);
	for (size_t i = 0; i < live->out_count; i++) {
		close(live->outs[i]->fd);
		free(live->outs[i]);
	}
	free(live);
}

/* Packets leave from this host's own addresses only. */
static int check_sources(
    const struct live *live, const struct net_choice *wish, struct errmsg *msg)
{
	char text[ADDR_TEXT_LEN];
	for (int i = 0; i < 2; i++)
		if (wish->source[i].family &&
		    !live_addrs_own(&live->addrs, &wish->source[i]))
			return err_set(msg, ERR_USAGE,
			    "source: expected an address of this host, got "
			    "%s; `ip addr` lists those that it has",
			    addr_text(&wish->source[i], text));
	return 0;
}

/* Runs come and go for long where a ring receives; their descriptors and ours
 * need room too. */
static size_t count_ports(const struct live *live)
{
	struct rlimit files;
	return live->receiver == &live_ring &&
		getrlimit(RLIMIT_NOFILE, &files) == 0 &&
		files.rlim_cur >= LIVE_PORTS_LONG + 256
	    ? LIVE_PORTS_LONG
	    : LIVE_PORTS;
}

/* A guardian that runs long lives beside one that may have less privilege than
 * the filter of TCP takes. */
static void open_ports(struct live *live)
{
	size_t most = count_ports(live);
	bool fed = feed_at >= 0;
	live->feed_fd = feed_at;
	feed_at = -1;
	live_ports_open(
	    &live->ports, SOCK_DGRAM, fed ? LIVE_PORTS_FIRST : most, most);
	live_ports_open(&live->tcp_ports, SOCK_STREAM,
	    fed && live->receiver != &live_ring ? 0 : LIVE_TCP_PORTS,
	    LIVE_TCP_PORTS);
	live->ports.feed_fd = live->tcp_ports.feed_fd = live->feed_fd;
	live->ports.sibling = &live->tcp_ports;
	live->tcp_ports.sibling = &live->ports;
}

static int live_check(const char *spec, struct errmsg *msg)
{
	struct live_spec wanted;
	return live_spec_read(&wanted, spec, msg);
}

static int live_open(void **ctx, const char *spec, struct errmsg *msg)
{
	struct live_spec wanted;
	int err = live_spec_read(&wanted, spec, msg);
	if (err)
		return err;
	struct live *live = xcalloc(1, sizeof(*live));
	live->addrs.fd = -1;
	live->routes = LIVE_ROUTES_CLOSED;
	live->receiver = receive_by;
	open_ports(live);
	live_bypass_open(&live->bypass);
	err = open_all_outs(live, &wanted, msg);
	if (err)
		goto failed;
	err = live->receiver->open(&live->receiver_ctx, wanted.ring_bytes, msg);
	if (err)
		goto failed;
	err = live_addrs_open(&live->addrs, msg);
	if (err)
		goto failed;
	err = live_routes_open(&live->routes, &wanted.wish, msg);
	if (err)
		goto failed;
	live->routes.many_sources6 = live->addrs.global6 > 2;
	live->routes.by_uid =
	    live_user_differs(live->outs[0]->fd, &live->routes.uid);
	live->routes.no_protocol =
	    !live_message_has_protocol(live->outs[0]->fd);
	err = check_sources(live, &wanted.wish, msg);
	if (err)
		goto failed;
	*ctx = live;
	return 0;
failed:
	live_close(live);
	return err;
}

static int live_route(
    void *ctx, const struct net_flow *flow, struct net_route *route)
{
	struct live *live = ctx;
	*route = (struct net_route){ 0 };
	if (!find_out(live, flow->dst.family, live->outs[0]->mark))
		return -EAFNOSUPPORT;
	if (flow->mark && !find_out(live, flow->dst.family, flow->mark))
		return -EPERM;
	/* IPv6 would route what carries any address. */
	if (flow->src.family && !live_addrs_own(&live->addrs, &flow->src))
		return -EADDRNOTAVAIL;
	return live_routes_find(&live->routes, flow, monotime_now(), route);
}

static bool live_is_own(void *ctx, const struct addr *a)
{
	struct live *live = ctx;
	return live_addrs_own(&live->addrs, a);
}

static bool live_is_broadcast(void *ctx, const struct addr *a)
{
	struct live *live = ctx;
	return live_addrs_broadcast(&live->addrs, a);
}

static struct monotime live_now(void *ctx)
{
	(void)ctx;
	return monotime_now();
}

static struct walltime live_wall(void *ctx)
{
	(void)ctx;
	return walltime_now();
}

static void note_failure(
    struct live *live, const struct net_send *packet, int err)
{
	live->counters.send_failed++;
	live_routes_doubt(&live->routes);
	if (live->failed_count == BATCH)
		return;
	uint32_t mtu = 0;
	if (err == -EMSGSIZE && packet->route) {
		struct addr dst = live_destination(packet->bytes);
		mtu = live_routes_mtu(&live->routes, packet->route, &dst);
	}
	live->failed[live->failed_count].cookie = packet->cookie;
	live->failed[live->failed_count].mtu = mtu;
	live->failed[live->failed_count++].err = err;
}

/* Sends a run that goes the same way to the kernel; waits a little when the
 * queue is full. */
static size_t send_run(struct live *live, struct live_out *out,
    const struct net_send *packets, size_t count)
{
	struct live_message messages[BATCH];
	struct mmsghdr heads[BATCH];
	memset(heads, 0, sizeof(heads));
	for (size_t i = 0; i < count; i++)
		live_message_fill(&messages[i], &heads[i].msg_hdr, &packets[i]);
	int flags = MSG_DONTWAIT | live_message_flags(&packets[0]);
	size_t left = 0, at = 0;
	for (int waits = 0; at < count;) {
		struct monotime now = monotime_now();
		struct walltime wall = walltime_now();
		int n = sendmmsg(
		    out->fd, heads + at, (unsigned)(count - at), flags);
		for (int i = 0; i < n; i++)
			live_stamps_sent(&out->stamps,
			    packets[at + (size_t)i].cookie, now, wall);
		if (n > 0) {
			at += (size_t)n;
			left += (size_t)n;
			continue;
		}
		int err = n < 0 ? errno : EIO;
		struct pollfd full = { out->fd, POLLOUT, 0 };
		if ((err == EAGAIN || err == ENOBUFS) && waits++ < 20) {
			poll(&full, 1, 1);
			continue;
		}
		note_failure(live, &packets[at++], -err);
		out->reset = true;
	}
	return left;
}

/* NULL: no socket of that kind, and so no route, was there. */
static struct live_out *out_of(
    const struct live *live, const struct net_send *packet)
{
	return find_out(live, packet->bytes[0] >> 4,
	    packet->route ? packet->route->mark : live->outs[0]->mark);
}

static size_t live_send(void *ctx, const struct net_send *packets, size_t count)
{
	struct live *live = ctx;
	size_t sent = 0;
	struct monotime now = monotime_now();
	live->quiet_since.ns = 0;
	for (size_t i = 0; i < count; i++) {
		live->receiver->admit(
		    live->receiver_ctx, packets[i].bytes, packets[i].len);
		live_ports_hold(
		    &live->ports, packets[i].bytes, packets[i].len, now);
		if (packets[i].hold)
			live_ports_hold(&live->tcp_ports, packets[i].bytes,
			    packets[i].len, now);
	}
	for (size_t at = 0, run; at < count; at += run) {
		run = live_bypass_run(&live->bypass, &live->routes,
		    packets + at, count - at, monotime_now());
		if (run > 0)
			run =
			    live_bypass_send(&live->bypass, packets + at, run);
		sent += run;
		if (run > 0)
			continue;
		struct live_out *out = out_of(live, &packets[at]);
		run = 1;
		if (!out) {
			note_failure(live, &packets[at], -EAFNOSUPPORT);
			continue;
		}
		int flags = live_message_flags(&packets[at]);
		for (run = 1; at + run < count && run < BATCH; run++)
			if (out_of(live, &packets[at + run]) != out ||
			    live_message_flags(&packets[at + run]) != flags)
				break;
		sent += send_run(live, out, packets + at, run);
	}
	live->counters.sent += sent;
	return sent;
}

static void live_quiet(void *ctx)
{
	struct live *live = ctx;
	live->quiet_since = monotime_now();
}

/* A packet to a port that was once ours wakes us once more. */
static void forget_what_is_late(struct live *live)
{
	if (live->quiet_since.ns == 0 ||
	    monotime_diff(monotime_now(), live->quiet_since) < QUIET_NS)
		return;
	live->quiet_since.ns = 0;
	live->receiver->forget(live->receiver_ctx);
}

/* What a receiver gives, counted. */
struct delivery {
	struct live *live;
	net_event_fn *fn;
	void *arg;
};

/* Captures and raw sockets give packets before the kernel looks at their upper
 * checksum, and the host itself would not take one that is wrong. */
static void deliver_counted(void *arg, const struct net_event *event)
{
	const struct delivery *to = arg;
	if (packet_is_damaged(event->bytes, event->caplen))
		return;
	to->live->counters.received++;
	to->fn(to->arg, event);
}

static void live_poll(void *ctx, net_event_fn *fn, void *arg)
{
	struct live *live = ctx;
	live_addrs_update(&live->addrs);
	live_ports_retry(&live->ports, monotime_now());
	live_ports_retry(&live->tcp_ports, monotime_now());
	live_routes_update(&live->routes, monotime_now());
	live->routes.many_sources6 = live->addrs.global6 > 2; /* with ::1 */
	/* Transmit times first: a reply's round trip needs its own. */
	for (size_t i = 0; i < live->out_count; i++) {
		struct live_out *out = live->outs[i];
		if (out->reset)
			live_stamps_reset(&out->stamps, fn, arg);
		else
			live_stamps_poll(&out->stamps, monotime_now(), fn, arg);
		out->reset = false;
	}
	for (size_t i = 0; i < live->failed_count; i++) {
		struct net_event event = {
			.kind = NET_SEND_FAILED,
			.stamp = { walltime_now(), NET_CLOCK_USER },
			.cookie = live->failed[i].cookie,
			.err = live->failed[i].err,
			.mtu = live->failed[i].mtu,
		};
		fn(arg, &event);
	}
	live->failed_count = 0;
	struct delivery to = { live, fn, arg };
	live->receiver->poll(live->receiver_ctx, deliver_counted, &to);
	forget_what_is_late(live);
}

static size_t live_fds(void *ctx, int *fds, size_t size)
{
	struct live *live = ctx;
	int others[] = { live->addrs.fd, live->routes.news_fd };
	size_t count = 0;
	for (size_t i = 0; i < 2; i++)
		if (others[i] >= 0 && count < size)
			fds[count++] = others[i];
	for (size_t i = 0; i < live->out_count && count < size; i++)
		fds[count++] = live->outs[i]->fd;
	return count +
	    live->receiver->fds(live->receiver_ctx, fds + count, size - count);
}

static void live_counters(void *ctx, struct net_counters *counters)
{
	struct live *live = ctx;
	live->counters.dropped = live->receiver->dropped(live->receiver_ctx);
	*counters = live->counters;
}

static void live_describe(void *ctx, char *to, size_t size)
{
	const struct live *live = ctx;
	char receiver[200];
	live->receiver->describe(
	    live->receiver_ctx, receiver, sizeof(receiver));
	snprintf(to, size, "%s; replies by %s",
	    find_out(live, 6, live->outs[0]->mark) ? "IPv4 and IPv6" : "IPv4",
	    receiver);
}

const struct net_ops net_live = {
	.name = "live",
	.help = "this machine's network (needs CAP_NET_RAW)",
	.check = live_check,
	.open = live_open,
	.close = live_close,
	.route = live_route,
	.is_own = live_is_own,
	.is_broadcast = live_is_broadcast,
	.now = live_now,
	.wall = live_wall,
	.send = live_send,
	.quiet = live_quiet,
	.poll = live_poll,
	.fds = live_fds,
	.counters = live_counters,
	.describe = live_describe,
};
