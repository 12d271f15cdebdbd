/* SPDX-License-Identifier: ISC */
/*
 * Replies by raw sockets, one of each family and protocol (raw(7), ipv6(7)).
 * IPv4 packets come whole; of IPv6 the kernel gives what is behind the headers
 * and says in control messages what was in them, so the header is written
 * again from these (extension headers are gone).
 */
#include <errno.h>
#include <time.h>
#include <linux/errqueue.h>
#include <linux/net_tstamp.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/base/xalloc.h"
#include "lib/packet/packet.h"
#include "probes/net/live/live-deny.h"
#include "probes/net/live/live-filter.h"
#include "probes/net/live/live-receive.h"

#define BATCH 64 /* packets that are put in order of time */
#define ROUNDS 4 /* batches of one poll */
#define SNAPLEN 1600
#define IP6_HEADER 40
#ifndef IPV6_FLOWINFO
#define IPV6_FLOWINFO 11 /* <linux/in6.h>, which <netinet/in.h> rules out */
#endif

static const struct {
	int family, protocol;
	enum live_filter_form form;
} kinds[] = {
	{ AF_INET, PACKET_ICMP, LIVE_FILTER_ICMP },
	{ AF_INET, PACKET_UDP, LIVE_FILTER_UDP },
	{ AF_INET, PACKET_TCP, LIVE_FILTER_TCP },
	{ AF_INET6, PACKET_ICMP6, LIVE_FILTER_ICMP6 },
	{ AF_INET6, PACKET_UDP, LIVE_FILTER_UDP6 },
	{ AF_INET6, PACKET_TCP, LIVE_FILTER_TCP6 },
};
#define KINDS (sizeof(kinds) / sizeof(*kinds))

struct raw_arrival {
	int64_t wall_ns;
	enum net_clock clock;
	size_t caplen, wirelen, begin; /* the IP header's place in bytes */
	uint8_t bytes[IP6_HEADER + SNAPLEN];
};

struct sockets {
	struct live_filter filters[KINDS]; /* fd -1: none */
	struct raw_arrival arrivals[BATCH];
	size_t count;
	uint64_t kib;
};

static void sockets_close(void *ctx)
{
	struct sockets *s = ctx;
	if (!s)
		return;
	for (size_t i = 0; i < KINDS; i++)
		if (s->filters[i].fd >= 0)
			close(s->filters[i].fd);
	free(s);
}

static void set_on(int fd, int level, int option)
{
	const int on = 1; /* what cannot be had is absent from the replies */
	(void)setsockopt(fd, level, option, &on, sizeof(on));
}

static int open_kind(struct live_filter *filter, size_t kind,
    uint64_t buffer_bytes, struct errmsg *msg)
{
	const int stamps =
	    SOF_TIMESTAMPING_RX_SOFTWARE | SOF_TIMESTAMPING_SOFTWARE;
	int bytes = (int)(buffer_bytes / 2); /* the kernel doubles it */
	int fd = socket(kinds[kind].family,
	    SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, kinds[kind].protocol);
	if (fd < 0)
		return live_deny(-errno, "raw socket", msg);
	/* The filter first: nothing is let in before a probe left. */
	int err = live_filter_open(filter, fd, kinds[kind].form);
	if (err < 0)
		return err_set(msg, err, "filter: %s", strerror(-err));
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes)) !=
	    0)
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));
	if (setsockopt(
		fd, SOL_SOCKET, SO_TIMESTAMPING, &stamps, sizeof(stamps)) != 0)
		return err_set(
		    msg, -errno, "kernel timestamps: %s", strerror(errno));
	if (kinds[kind].family == AF_INET6) {
		set_on(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO);
		set_on(fd, IPPROTO_IPV6, IPV6_RECVHOPLIMIT);
		set_on(fd, IPPROTO_IPV6, IPV6_RECVTCLASS);
		set_on(fd, IPPROTO_IPV6, IPV6_FLOWINFO);
	}
	return 0;
}

/* A host without IPv6 still measures by IPv4. */
static int sockets_open(void **ctx, uint64_t buffer_bytes, struct errmsg *msg)
{
	struct sockets *s = xmalloc(sizeof(*s)); /* pages that are not used */
	s->kib = buffer_bytes >> 10;
	s->count = 0;
	for (size_t i = 0; i < KINDS; i++)
		s->filters[i] = (struct live_filter){ .fd = -1 };
	for (size_t i = 0; i < KINDS; i++) {
		int err = open_kind(&s->filters[i], i, buffer_bytes, msg);
		if (err == -EAFNOSUPPORT && kinds[i].family == AF_INET6)
			continue;
		if (err < 0) {
			sockets_close(s);
			return err;
		}
	}
	*ctx = s;
	return 0;
}

static int sockets_admit(void *ctx, const uint8_t *packet, size_t len)
{
	struct sockets *s = ctx;
	int err = 0;
	bool six = packet[0] >> 4 == 6;
	for (size_t i = 0; i < KINDS; i++) {
		if (s->filters[i].fd < 0 ||
		    (kinds[i].family == AF_INET6) != six)
			continue;
		int one = live_filter_admit(&s->filters[i], packet, len);
		err = err ? err : one;
	}
	return err;
}

static void sockets_forget(void *ctx)
{
	struct sockets *s = ctx;
	for (size_t i = 0; i < KINDS; i++)
		if (s->filters[i].fd >= 0)
			live_filter_forget(&s->filters[i]);
}

/* What the control messages say of a packet. */
struct ancillary {
	int64_t wall_ns; /* 0: the kernel has not stamped it */
	const uint8_t *dst;
	uint32_t flow; /* traffic class and flow label */
	uint8_t hops;
};

static void read_control(struct ancillary *c, struct msghdr *message)
{
	struct scm_timestamping times;
	int hops = 0, class = 0;
	uint32_t flow = 0;
	*c = (struct ancillary){ 0 };
	for (struct cmsghdr *m = CMSG_FIRSTHDR(message); m;
	     m = CMSG_NXTHDR(message, m)) {
		const uint8_t *data = CMSG_DATA(m);
		if (m->cmsg_level == SOL_SOCKET &&
		    m->cmsg_type == SO_TIMESTAMPING) {
			memcpy(&times, data, sizeof(times));
			c->wall_ns =
			    times.ts[0].tv_sec * NS_PER_S + times.ts[0].tv_nsec;
		}
		if (m->cmsg_level != IPPROTO_IPV6)
			continue;
		switch (m->cmsg_type) {
		case IPV6_PKTINFO: c->dst = data; break;
		case IPV6_HOPLIMIT: memcpy(&hops, data, sizeof(hops)); break;
		case IPV6_TCLASS: memcpy(&class, data, sizeof(class)); break;
		case IPV6_FLOWINFO: memcpy(&flow, data, sizeof(flow)); break;
		default: break;
		}
	}
	c->hops = (uint8_t)hops;
	c->flow = (ntohl(flow) & 0xfffff) | (uint32_t)(class & 0xff) << 20;
}

/* Before the octets that were received. */
static void write_header6(uint8_t *at, const struct ancillary *c,
    uint8_t protocol, size_t len, const struct sockaddr_in6 *from)
{
	const uint32_t first = htonl(UINT32_C(6) << 28 | c->flow);
	const uint16_t length = htons((uint16_t)len);
	memcpy(at, &first, 4);
	memcpy(at + 4, &length, 2);
	at[6] = protocol;
	at[7] = c->hops;
	memcpy(at + 8, &from->sin6_addr, 16);
	memcpy(at + 24, c->dst, 16); /* in6_pktinfo begins with it */
}

/* The packet whose octets stand behind room for a header.  False: it cannot
 * be told where it went. */
static bool note_arrival(
    struct raw_arrival *a, size_t kind, struct mmsghdr *m, size_t size)
{
	struct ancillary c;
	read_control(&c, &m->msg_hdr);
	size_t len = m->msg_len, got = len < size ? len : size;
	a->wall_ns = c.wall_ns ? c.wall_ns : walltime_now().ns;
	a->clock = c.wall_ns ? NET_CLOCK_KERNEL_SOFTWARE : NET_CLOCK_USER;
	a->begin = IP6_HEADER;
	a->caplen = got;
	a->wirelen = len;
	if (kinds[kind].family == AF_INET)
		return true;
	if (!c.dst || len > UINT16_MAX)
		return false;
	write_header6(a->bytes, &c, (uint8_t)kinds[kind].protocol, len,
	    m->msg_hdr.msg_name);
	a->begin = 0;
	a->caplen += IP6_HEADER;
	a->wirelen += IP6_HEADER;
	return true;
}

/* Adds what a socket has, as far as there is room. */
static void read_kind(struct sockets *s, size_t kind)
{
	static _Alignas(struct cmsghdr) char control[BATCH][256];
	struct mmsghdr messages[BATCH];
	struct iovec parts[BATCH];
	struct sockaddr_in6 from[BATCH];
	size_t room = BATCH - s->count;
	for (size_t i = 0; i < room; i++) {
		parts[i] = (struct iovec){
			s->arrivals[s->count + i].bytes + IP6_HEADER, SNAPLEN
		};
		messages[i] =
		    (struct mmsghdr){ .msg_hdr = {
					  .msg_name = &from[i],
					  .msg_namelen = sizeof(from[i]),
					  .msg_iov = &parts[i],
					  .msg_iovlen = 1,
					  .msg_control = control[i],
					  .msg_controllen = sizeof(control[i]),
				      } };
	}
	int n = recvmmsg(s->filters[kind].fd, messages, (unsigned)room,
	    MSG_DONTWAIT | MSG_TRUNC, NULL);
	size_t first = s->count;
	for (size_t i = 0; n > 0 && i < (size_t)n; i++) {
		struct raw_arrival *a = &s->arrivals[first + i];
		if (!note_arrival(a, kind, &messages[i], SNAPLEN))
			a->caplen = 0;
		s->count++;
	}
}

/* Few, and mostly in order already. */
static void deliver_in_order(struct sockets *s, net_event_fn *fn, void *arg)
{
	uint8_t order[BATCH];
	for (size_t i = 0; i < s->count; i++) {
		size_t at = i;
		for (; at > 0 &&
		     s->arrivals[order[at - 1]].wall_ns >
			 s->arrivals[i].wall_ns;
		     at--)
			order[at] = order[at - 1];
		order[at] = (uint8_t)i;
	}
	for (size_t i = 0; i < s->count; i++) {
		const struct raw_arrival *a = &s->arrivals[order[i]];
		struct net_event event = {
			.kind = NET_RECEIVED,
			.stamp = { { a->wall_ns }, a->clock },
			.bytes = a->bytes + a->begin,
			.caplen = a->caplen,
			.wirelen = a->wirelen,
		};
		if (a->caplen > 0)
			fn(arg, &event);
	}
}

static bool is_read(const struct sockets *s, size_t kind)
{
	return s->filters[kind].fd >= 0 &&
	    live_filter_listens(&s->filters[kind]);
}

static void sockets_poll(void *ctx, net_event_fn *fn, void *arg)
{
	struct sockets *s = ctx;
	for (int round = 0; round < ROUNDS; round++) {
		s->count = 0;
		for (size_t i = 0; i < KINDS && s->count < BATCH; i++)
			if (is_read(s, i))
				read_kind(s, i);
		deliver_in_order(s, fn, arg);
		if (s->count < BATCH)
			return;
	}
}

static size_t sockets_fds(void *ctx, int *fds, size_t size)
{
	struct sockets *s = ctx;
	size_t count = 0;
	for (size_t i = 0; i < KINDS && count < size; i++)
		if (is_read(s, i))
			fds[count++] = s->filters[i].fd;
	return count;
}

static uint64_t sockets_dropped(void *ctx)
{
	enum {
		DROPS = 8,
		WORDS = 9
	}; /* SK_MEMINFO_DROPS of <linux/sock_diag.h> */
	struct sockets *s = ctx;
	uint64_t sum = 0;
	for (size_t i = 0; i < KINDS; i++) {
		uint32_t words[WORDS] = { 0 };
		socklen_t len = sizeof(words);
		if (s->filters[i].fd >= 0 &&
		    getsockopt(s->filters[i].fd, SOL_SOCKET, SO_MEMINFO, words,
			&len) == 0)
			sum += words[DROPS];
	}
	return sum;
}

static void sockets_describe(void *ctx, char *to, size_t size)
{
	const struct sockets *s = ctx;
	snprintf(to, size,
	    "raw sockets for ICMP, UDP and TCP, nanosecond stamps of the "
	    "kernel, buffers of %u KiB",
	    (unsigned)s->kib);
}

const struct live_receiver live_sockets = {
	.open = sockets_open,
	.close = sockets_close,
	.admit = sockets_admit,
	.forget = sockets_forget,
	.poll = sockets_poll,
	.fds = sockets_fds,
	.dropped = sockets_dropped,
	.describe = sockets_describe,
};
