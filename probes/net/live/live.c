/* SPDX-License-Identifier: ISC */
/*
 * The real network: packets leave through raw sockets in batches, replies
 * come by libpcap, the kernel stamps both.  Every descriptor is opened here
 * once; afterwards no privilege, file or new socket is needed.
 */
#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <pcap/pcap.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/packet/octets.h"
#include "lib/base/xalloc.h"
#include "probes/net/live/live-addr.h"
#include "probes/net/live/live-copies.h"
#include "probes/net/live/live-filter.h"
#include "probes/net/live/live-message.h"
#include "probes/net/live/live-ports.h"
#include "probes/net/live/live-route.h"
#include "probes/net/live/live-spec.h"
#include "probes/net/live/live-stamp.h"
#include "probes/net/net.h"

#define BATCH 64
#define SNAPLEN 1600
#define SEND_BYTES (4 << 20)
#define SLL2_HEADER 20

/* How long after the last probe what comes is still counted, as late. */
#define QUIET_NS (10 * NS_PER_S)

struct live {
	int out[2]; /* raw, by family: 0 is IPv4, 1 is IPv6 */
	struct live_stamps stamps[2];
	struct live_addrs addrs;
	struct live_routes routes;
	pcap_t *pcap;
	struct live_filter filter;
	struct live_copies copies;
	struct live_ports ports;
	struct monotime quiet_since; /* 0: a probe may be in the air */
	unsigned ring_kib;
	struct net_counters counters;
	struct {
		uint32_t cookie;
		int err;
		uint32_t mtu;
	} failed[BATCH]; /* reported at the next poll */
	size_t failed_count;
	bool reset[2]; /* numbering is in doubt */
};

/* The line that grants what is missing. */
static int deny(int err, const char *what, struct errmsg *msg)
{
	char program[128];
	ssize_t n = readlink("/proc/self/exe", program, sizeof(program));
	return err_set(msg, err,
	    "%s: %s; run as root, or once: "
	    "sudo setcap cap_net_raw+ep %.*s",
	    what, strerror(-err), n > 0 ? (int)n : 7,
	    n > 0 ? program : "PROGRAM");
}

static int raw_open(int family, uint32_t mark, struct errmsg *msg)
{
	int fd = socket(
	    family, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_RAW);
	if (fd < 0)
		return deny(-errno, "raw socket", msg);
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
	return fd;
}

/* A host without IPv6 still measures by IPv4. */
static int sockets_open(struct live *live, uint32_t mark, struct errmsg *msg)
{
	static const int families[] = { AF_INET, AF_INET6 };
	for (int i = 0; i < 2; i++) {
		live->out[i] = raw_open(families[i], mark, msg);
		if (live->out[i] == -EAFNOSUPPORT && i == 1)
			break;
		if (live->out[i] < 0)
			return live->out[i];
		int err = live_stamps_open(&live->stamps[i], live->out[i], msg);
		if (err)
			return err;
	}
	return 0;
}

static int pcap_fail(struct errmsg *msg, int err, pcap_t *pcap)
{
	if (err == -EPERM)
		return deny(err, "capture", msg);
	return err_set(msg, err, "capture: %s", pcap_geterr(pcap));
}

static void ignore(
    u_char *user, const struct pcap_pkthdr *head, const u_char *bytes)
{
	(void)user;
	(void)head;
	(void)bytes;
}

static int capture_open(
    struct live *live, uint64_t ring_bytes, struct errmsg *msg)
{
	char text[PCAP_ERRBUF_SIZE] = "";
	pcap_t *p = live->pcap = pcap_create("any", text);
	live->ring_kib = (unsigned)(ring_bytes >> 10);
	if (!p)
		return err_set(msg, -EIO, "capture: %.200s", text);
	if (pcap_set_snaplen(p, SNAPLEN) || pcap_set_immediate_mode(p, 1) ||
	    pcap_set_buffer_size(p, (int)ring_bytes) ||
	    pcap_set_tstamp_precision(p, PCAP_TSTAMP_PRECISION_NANO))
		return pcap_fail(msg, -EIO, p);
	int status = pcap_activate(p);
	if (status < 0)
		return pcap_fail(
		    msg, status == PCAP_ERROR_PERM_DENIED ? -EPERM : -EIO, p);
	if (pcap_set_datalink(p, DLT_LINUX_SLL2) != 0 ||
	    pcap_setnonblock(p, 1, text) != 0)
		return pcap_fail(msg, -EIO, p);
	int err = live_filter_open(&live->filter, pcap_fileno(p));
	if (err)
		return err_set(msg, err, "filter: %s", strerror(-err));
	/* What came before there was a filter. */
	pcap_dispatch(p, -1, ignore, NULL);
	return 0;
}

static void live_close(void *ctx)
{
	struct live *live = ctx;
	if (!live)
		return;
	if (live->pcap)
		pcap_close(live->pcap);
	live_addrs_close(&live->addrs);
	live_routes_close(&live->routes);
	live_ports_close(&live->ports);
	for (int i = 0; i < 2; i++) {
		if (live->out[i] >= 0)
			close(live->out[i]);
	}
	free(live);
}

/* Packets leave from this host's own addresses only. */
static int check_sources(
    const struct live *live, const struct live_wish *wish, struct errmsg *msg)
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

static int live_open(void **ctx, const char *spec, struct errmsg *msg)
{
	struct live_spec wanted;
	int err = live_spec_read(&wanted, spec, msg);
	if (err)
		return err;
	struct live *live = xcalloc(1, sizeof(*live));
	live->out[0] = live->out[1] = -1;
	live->addrs.fd = live->routes.ask_fd = live->routes.news_fd = -1;
	if (getrandom(&live->copies.key, sizeof(live->copies.key), 0) < 0)
		live->copies.key = (uint64_t)walltime_now().ns;
	live_ports_open(&live->ports);
	err = sockets_open(live, wanted.wish.mark, msg);
	if (err)
		goto failed;
	err = capture_open(live, wanted.ring_bytes, msg);
	if (err)
		goto failed;
	err = live_addrs_open(&live->addrs, msg);
	if (err)
		goto failed;
	err = live_routes_open(&live->routes, &wanted.wish, msg);
	if (err)
		goto failed;
	live->routes.no_protocol = !live_message_has_protocol(live->out[0]);
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
	if (live->out[flow->dst.family == 6] < 0)
		return -EAFNOSUPPORT;
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
static size_t send_run(
    struct live *live, int family, const struct net_send *packets, size_t count)
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
		int n = sendmmsg(live->out[family], heads + at,
		    (unsigned)(count - at), flags);
		for (int i = 0; i < n; i++)
			live_stamps_sent(&live->stamps[family],
			    packets[at + (size_t)i].cookie, now, wall);
		if (n > 0) {
			at += (size_t)n;
			left += (size_t)n;
			continue;
		}
		int err = n < 0 ? errno : EIO;
		struct pollfd full = { live->out[family], POLLOUT, 0 };
		if ((err == EAGAIN || err == ENOBUFS) && waits++ < 20) {
			poll(&full, 1, 1);
			continue;
		}
		note_failure(live, &packets[at++], -err);
		live->reset[family] = true;
	}
	return left;
}

static size_t live_send(void *ctx, const struct net_send *packets, size_t count)
{
	struct live *live = ctx;
	size_t sent = 0;
	live->quiet_since.ns = 0;
	for (size_t i = 0; i < count; i++) {
		live_filter_admit(
		    &live->filter, packets[i].bytes, packets[i].len);
		live_ports_hold(
		    &live->ports, packets[i].bytes, (uint32_t)packets[i].len);
	}
	for (size_t at = 0, run; at < count; at += run) {
		int family = packets[at].bytes[0] >> 4 == 6;
		int flags = live_message_flags(&packets[at]);
		for (run = 1; at + run < count && run < BATCH; run++)
			if ((packets[at + run].bytes[0] >> 4 == 6) != family ||
			    live_message_flags(&packets[at + run]) != flags)
				break;
		sent += send_run(live, family, packets + at, run);
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
	live_filter_forget(&live->filter);
}

struct delivery {
	struct live *live;
	net_event_fn *fn;
	void *arg;
};

/* DLT_LINUX_SLL2: protocol in the first two octets, the device's index in the
 * fifth to eighth. */
static void deliver(
    u_char *user, const struct pcap_pkthdr *head, const u_char *bytes)
{
	const struct delivery *to = (const struct delivery *)user;
	if (head->caplen <= SLL2_HEADER || head->len < head->caplen)
		return;
	uint16_t protocol = (uint16_t)(bytes[0] << 8 | bytes[1]);
	if (protocol != 0x0800 && protocol != 0x86dd)
		return;
	to->live->counters.received++;
	int64_t wall_ns = head->ts.tv_sec * NS_PER_S + head->ts.tv_usec;
	if (live_copies_is_copy(&to->live->copies, bytes + SLL2_HEADER,
		head->caplen - SLL2_HEADER, load_be32(bytes + 4), wall_ns))
		return;
	struct net_event event = {
	    .kind = NET_RECEIVED,
	    .stamp = {
		/* tv_usec counts nanoseconds at this precision. */
		.wall = {wall_ns},
		.clock = NET_CLOCK_KERNEL_SOFTWARE,
	    },
	    .bytes = bytes + SLL2_HEADER,
	    .caplen = head->caplen - SLL2_HEADER,
	    .wirelen = head->len - SLL2_HEADER,
	};
	to->fn(to->arg, &event);
}

static void live_poll(void *ctx, net_event_fn *fn, void *arg)
{
	struct live *live = ctx;
	live_addrs_update(&live->addrs);
	live_routes_update(&live->routes);
	/* Transmit times first: a reply's round trip needs its own. */
	for (int i = 0; i < 2; i++) {
		if (live->reset[i])
			live_stamps_reset(&live->stamps[i], fn, arg);
		else if (live->out[i] >= 0)
			live_stamps_poll(
			    &live->stamps[i], monotime_now(), fn, arg);
		live->reset[i] = false;
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
	pcap_dispatch(live->pcap, 256, deliver, (u_char *)&to);
	forget_what_is_late(live);
}

static size_t live_fds(void *ctx, int *fds, size_t size)
{
	struct live *live = ctx;
	int all[] = { pcap_get_selectable_fd(live->pcap), live->addrs.fd,
		live->routes.news_fd, live->out[0], live->out[1] };
	size_t count = 0;
	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++)
		if (all[i] >= 0 && count < size)
			fds[count++] = all[i];
	return count;
}

static void live_counters(void *ctx, struct net_counters *counters)
{
	struct live *live = ctx;
	struct pcap_stat stat;
	if (pcap_stats(live->pcap, &stat) == 0)
		live->counters.dropped = stat.ps_drop;
	*counters = live->counters;
}

static void live_describe(void *ctx, char *to, size_t size)
{
	const struct live *live = ctx;
	const char *families = live->out[1] >= 0 ? "IPv4 and IPv6" : "IPv4";
	snprintf(to, size,
	    "raw sockets for %s; libpcap on every interface (%s), nanosecond "
	    "stamps of the kernel, ring of %u KiB",
	    families, pcap_datalink_val_to_name(pcap_datalink(live->pcap)),
	    live->ring_kib);
}

const struct net_ops net_live = {
	.name = "live",
	.help = "this machine's network (needs CAP_NET_RAW)",
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
