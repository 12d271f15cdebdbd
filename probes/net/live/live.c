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

#include "lib/option/option.h"
#include "lib/packet/octets.h"
#include "lib/base/xalloc.h"
#include "probes/net/live/live-addr.h"
#include "probes/net/live/live-copies.h"
#include "probes/net/live/live-filter.h"
#include "probes/net/live/live-ports.h"
#include "probes/net/live/live-stamp.h"
#include "probes/net/net.h"

#define BATCH 64
#define SNAPLEN 1600
#define RING_BYTES (4u << 20)
#define SEND_BYTES (4 << 20)
#define SLL2_HEADER 20

/* How long after the last probe what comes is still counted, as late. */
#define QUIET_NS (10 * NS_PER_S)

struct live {
	int out[2];   /* raw, by family: 0 is IPv4, 1 is IPv6 */
	int route[2]; /* UDP, connected only to ask for a route */
	struct live_stamps stamps[2];
	struct live_addrs addrs;
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

static int raw_open(int family, struct errmsg *msg)
{
	int fd = socket(
	    family, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_RAW);
	if (fd < 0)
		return deny(-errno, "raw socket", msg);
	int bytes = SEND_BYTES, on = 1;
	if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &bytes, sizeof(bytes)) !=
	    0)
		setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes));
	if (family == AF_INET)
		setsockopt(
		    fd, SOL_SOCKET, SO_BROADCAST, &(int){ 0 }, sizeof(int));
	else
		setsockopt(fd, IPPROTO_IPV6, IPV6_HDRINCL, &on, sizeof(on));
	return fd;
}

/* A host without IPv6 still measures by IPv4. */
static int sockets_open(struct live *live, struct errmsg *msg)
{
	static const int families[] = { AF_INET, AF_INET6 };
	for (int i = 0; i < 2; i++) {
		live->route[i] =
		    socket(families[i], SOCK_DGRAM | SOCK_CLOEXEC, 0);
		if (live->route[i] < 0 && i == 1)
			break;
		live->out[i] = raw_open(families[i], msg);
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
	live_ports_close(&live->ports);
	for (int i = 0; i < 2; i++) {
		if (live->out[i] >= 0)
			close(live->out[i]);
		if (live->route[i] >= 0)
			close(live->route[i]);
	}
	free(live);
}

/* spec: "buffer=SIZE" or nothing. */
static int read_spec(const char *spec, uint64_t *bytes, struct errmsg *msg)
{
	*bytes = RING_BYTES;
	if (!spec || !*spec)
		return 0;
	int err = strncmp(spec, "buffer=", 7) == 0
	    ? option_parse_size(bytes, spec + 7, msg)
	    : ERR_USAGE;
	if (err || *bytes < 65536 || *bytes > UINT64_C(1) << 30)
		return err_set(msg, ERR_USAGE,
		    "network: expected "
		    "'live' or 'live:buffer=SIZE' of 64k to 1G, got '%.80s'",
		    spec);
	return 0;
}

static int live_open(void **ctx, const char *spec, struct errmsg *msg)
{
	uint64_t ring_bytes;
	int err = read_spec(spec, &ring_bytes, msg);
	if (err)
		return err;
	struct live *live = xcalloc(1, sizeof(*live));
	live->out[0] = live->out[1] = live->route[0] = live->route[1] = -1;
	live->addrs.fd = -1;
	if (getrandom(&live->copies.key, sizeof(live->copies.key), 0) < 0)
		live->copies.key = (uint64_t)walltime_now().ns;
	live_ports_open(&live->ports);
	err = sockets_open(live, msg);
	if (err)
		goto failed;
	err = capture_open(live, ring_bytes, msg);
	if (err)
		goto failed;
	err = live_addrs_open(&live->addrs, msg);
	if (err)
		goto failed;
	*ctx = live;
	return 0;
failed:
	live_close(live);
	return err;
}

static socklen_t to_sockaddr(
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

/* The kernel's own choice: connecting a UDP socket sends nothing. */
static int live_route(
    void *ctx, const struct net_flow *flow, struct net_route *route)
{
	struct live *live = ctx;
	const struct addr *dst = &flow->dst;
	*route = (struct net_route){ 0 };
	int fd = live->route[dst->family == 6];
	if (fd < 0)
		return -EAFNOSUPPORT;
	struct sockaddr_storage at;
	struct sockaddr no_peer = { .sa_family = AF_UNSPEC };
	socklen_t len = to_sockaddr(dst, 33434, &at);
	(void)connect(fd, &no_peer, sizeof(no_peer));
	if (connect(fd, (struct sockaddr *)&at, len) != 0)
		return -errno;
	len = sizeof(at);
	if (getsockname(fd, (struct sockaddr *)&at, &len) != 0)
		return -errno;
	route->src = dst->family == 4
	    ? addr_from_bytes(&((struct sockaddr_in *)&at)->sin_addr, 4)
	    : addr_from_bytes(&((struct sockaddr_in6 *)&at)->sin6_addr, 16);
	return 0;
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

static void note_failure(struct live *live, uint32_t cookie, int err)
{
	live->counters.send_failed++;
	if (live->failed_count < BATCH) {
		live->failed[live->failed_count].cookie = cookie;
		live->failed[live->failed_count++].err = err;
	}
}

/* The destination is read back from the packet that the guardian built. */
static socklen_t destination(
    const struct net_send *packet, struct sockaddr_storage *to)
{
	bool v6 = packet->bytes[0] >> 4 == 6;
	struct addr dst = v6 ? addr_from_bytes(packet->bytes + 24, 16)
			     : addr_from_bytes(packet->bytes + 16, 4);
	return to_sockaddr(&dst, 0, to);
}

/* Sends a run of one family; waits a little when the queue is full. */
static size_t send_run(
    struct live *live, int family, const struct net_send *packets, size_t count)
{
	struct mmsghdr messages[BATCH];
	struct iovec parts[BATCH];
	struct sockaddr_storage to[BATCH];
	memset(messages, 0, sizeof(messages));
	for (size_t i = 0; i < count; i++) {
		parts[i] =
		    (struct iovec){ (void *)packets[i].bytes, packets[i].len };
		messages[i].msg_hdr = (struct msghdr){
			.msg_name = &to[i],
			.msg_namelen = destination(&packets[i], &to[i]),
			.msg_iov = &parts[i],
			.msg_iovlen = 1,
		};
	}
	size_t left = 0, at = 0;
	for (int waits = 0; at < count;) {
		struct monotime now = monotime_now();
		struct walltime wall = walltime_now();
		int n = sendmmsg(live->out[family], messages + at,
		    (unsigned)(count - at), MSG_DONTWAIT);
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
		note_failure(live, packets[at++].cookie, -err);
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
		for (run = 1; at + run < count && run < BATCH; run++)
			if ((packets[at + run].bytes[0] >> 4 == 6) != family)
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
		live->out[0], live->out[1] };
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
