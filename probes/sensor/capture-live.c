/* SPDX-License-Identifier: ISC */
/*
 * Interfaces that are watched, each for itself, behind one descriptor.  What
 * happens to links comes over a netlink socket that is opened before rights are
 * given up; sockets for interfaces that come later, over the feed.
 */
#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if_arp.h>
#include <pcap/dlt.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "lib/base/xalloc.h"
#include "probes/sensor/capture-private.h"
#include "probes/sensor/live-interface.h"
#include "probes/sensor/packet-feed.h"

#define TICK_MS 100 /* while something waits for time to pass */
#define LIST_WAIT_MS 2000
#define NEWS_BYTES ((size_t)64 << 10) /* more than a message can have */
#define NEWS_BUFFER (1 << 20)
#define EVENTS 16
#define LOSSES_NS (1 * NS_PER_S)
#define FINISH_NS (2 * NS_PER_S)

struct capture_live {
	struct capture base;
	struct live_settings settings;
	struct live_interface interfaces[CAPTURE_INTERFACES_MAX];
	size_t count, next;
	int news_fd, timer_fd, feed_fd;
	bool ticking, listing, list_again, feed_busy;
	uint32_t list_seq;
	capture_notice_fn *notice;
	void *notice_arg;
	struct monotime losses_at; /* ask for the kernel's again then */
	bool finishing;
	struct monotime finish;
	uint8_t *news;
};

static struct capture_live *live_of(struct capture *base)
{
	return (struct capture_live *)base;
}

/* --- news of links --- */

static int ask_list(struct capture_live *c)
{
	uint8_t ask[NETLINK_ASK_MAX];
	size_t len =
	    netlink_ask_list(ask, NETLINK_LIST_LINKS, 0, ++c->list_seq);
	if (send(c->news_fd, ask, len, MSG_DONTWAIT) != (ssize_t)len)
		return -errno;
	for (size_t i = 0; i < c->count; i++)
		interface_list_begin(&c->interfaces[i].facts);
	c->listing = true;
	c->list_again = false;
	return 0;
}

static void take_link(struct capture_live *c, const struct netlink_link *link)
{
	struct monotime now = monotime_now();
	for (size_t i = 0; i < c->count; i++) {
		struct live_interface *one = &c->interfaces[i];
		live_interface_count_lost(one, link);
		if (interface_link(&one->facts, link))
			live_interface_follow(one, &c->settings, now);
	}
}

static void end_list(struct capture_live *c)
{
	c->listing = false;
	for (size_t i = 0; i < c->count; i++) {
		interface_list_end(&c->interfaces[i].facts);
		live_interface_follow(
		    &c->interfaces[i], &c->settings, monotime_now());
	}
}

/* When news were lost the whole list is read again. */
static void read_news(struct capture_live *c)
{
	struct netlink_message message;
	ssize_t n;
	while ((n = recv(c->news_fd, c->news, NEWS_BYTES, MSG_DONTWAIT)) > 0) {
		size_t at = 0;
		while (netlink_next(c->news, (size_t)n, &at, &message)) {
			if (message.kind == NETLINK_IS_LINK)
				take_link(c, &message.link);
			else if (message.kind == NETLINK_IS_DONE &&
			    message.seq == c->list_seq)
				end_list(c);
		}
	}
	if (n < 0 && errno == ENOBUFS)
		c->list_again = true;
	if (c->list_again && !c->listing)
		ask_list(c);
}

static int open_news(struct capture_live *c, struct errmsg *msg)
{
	const struct sockaddr_nl at = { .nl_family = AF_NETLINK,
		.nl_groups = RTMGRP_LINK };
	const int size = NEWS_BUFFER;
	c->news = xmalloc(NEWS_BYTES);
	c->news_fd = socket(
	    AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);
	if (c->news_fd < 0 ||
	    bind(c->news_fd, (const struct sockaddr *)&at, sizeof(at)) != 0)
		return err_set(msg, -errno, "netlink: %s", strerror(errno));
	setsockopt(c->news_fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	int err = ask_list(c);
	if (err < 0)
		return err_set(msg, err, "netlink: %s", strerror(-err));
	struct pollfd p = { c->news_fd, POLLIN, 0 };
	while (c->listing && poll(&p, 1, LIST_WAIT_MS) > 0)
		read_news(c);
	if (c->listing)
		return err_set(msg, -ETIMEDOUT,
		    "netlink: the kernel does not list its interfaces");
	return 0;
}

/* --- sockets --- */

/* One is asked for at a time: an answer says of what type it is. */
static void ask_sockets(struct capture_live *c)
{
	struct monotime now = monotime_now();
	for (size_t i = 0; i < c->count && !c->feed_busy; i++) {
		struct live_interface *one = &c->interfaces[i];
		int type = live_interface_wants(one, &c->settings, now);
		if (type == 0 || c->feed_fd < 0 ||
		    packet_feed_ask(c->feed_fd, type) < 0)
			continue;
		one->asked = c->feed_busy = true;
	}
}

static void take_socket(struct capture_live *c)
{
	int type, fd = packet_feed_take(c->feed_fd, &type);
	if (fd == -EAGAIN || fd == -EINTR)
		return;
	if (fd == ERR_EOF) {
		epoll_ctl(c->settings.epoll_fd, EPOLL_CTL_DEL, c->feed_fd,
		    &(struct epoll_event){ 0 });
		c->feed_fd = -1;
	}
	c->feed_busy = false;
	for (size_t i = 0; i < c->count; i++) {
		if (!c->interfaces[i].asked)
			continue;
		live_interface_give(
		    &c->interfaces[i], &c->settings, fd, type, monotime_now());
		fd = -1;
	}
	if (fd >= 0)
		close(fd); /* one that a process before this one asked for */
	ask_sockets(c);
}

/* While the right to open any is still there. */
static int open_first(
    struct capture_live *c, struct live_interface *one, struct errmsg *msg)
{
	int type = live_interface_wants(one, &c->settings, monotime_now());
	int fd = packet_feed_open(type ? type : SOCK_DGRAM);
	if (fd == -EPERM || fd == -EACCES)
		return err_set(msg, -EPERM,
		    "%s: no permission to capture; grant it: sudo setcap "
		    "cap_net_raw+ep \"$(command -v sonde)\"",
		    one->facts.name);
	if (fd < 0)
		return err_set(msg, fd, "%s: %s", one->facts.name, err_str(fd));
	if (type == 0) {
		close(fd); /* it was only to know that we may */
		return 0;
	}
	live_interface_give(one, &c->settings, fd, type, monotime_now());
	if (one->facts.listening || !one->trouble.text[0])
		return 0;
	return err_set(msg, -EIO, "%s: %s", one->facts.name, one->trouble.text);
}

/* --- what is said --- */

static void report_state(struct capture_live *c, struct live_interface *one,
    enum interface_state state, bool at_start)
{
	char text[300];
	double blind_s =
	    (double)monotime_diff(monotime_now(), one->since) / NS_PER_S;
	if (at_start && state == INTERFACE_UP)
		return;
	if (state == INTERFACE_UP)
		snprintf(text, sizeof(text),
		    "%s: watched again; nothing was seen for %.1f s",
		    one->facts.name, blind_s);
	else
		snprintf(text, sizeof(text), "%s: %s; waiting for it",
		    one->facts.name,
		    one->trouble.text[0] ? one->trouble.text
					 : interface_why(&one->facts));
	if (c->notice)
		c->notice(c->notice_arg, text);
}

static void look_at_states(struct capture_live *c, bool at_start)
{
	for (size_t i = 0; i < c->count; i++) {
		struct live_interface *one = &c->interfaces[i];
		enum interface_state state = interface_state_of(&one->facts);
		if (state == one->said && !at_start)
			continue;
		report_state(c, one, state, at_start);
		/* From down to absent it stays blind. */
		if (at_start || state == INTERFACE_UP ||
		    one->said == INTERFACE_UP) {
			one->since = monotime_now();
			one->since_wall = walltime_now();
		}
		one->said = state;
	}
}

/* --- reading --- */

static void set_tick(struct capture_live *c, bool wanted)
{
	const int64_t tick_ns = TICK_MS * NS_PER_MS;
	struct itimerspec at = { 0 };
	if (c->ticking == wanted)
		return;
	if (wanted)
		at.it_value.tv_nsec = at.it_interval.tv_nsec = tick_ns;
	timerfd_settime(c->timer_fd, 0, &at, NULL);
	c->ticking = wanted;
}

static void tend_interfaces(struct capture_live *c)
{
	struct monotime now = monotime_now();
	bool again = c->finishing;
	for (size_t i = 0; i < c->count; i++) {
		struct live_interface *one = &c->interfaces[i];
		again |= live_interface_tend(one, &c->settings, now);
		again |= monotime_before(now, one->ask_again) ||
		    (interface_next(&one->facts) == INTERFACE_LISTEN &&
			!one->asked);
	}
	ask_sockets(c);
	set_tick(c, again);
}

static void take_events(struct capture_live *c)
{
	struct epoll_event events[EVENTS];
	uint64_t ticks;
	int n = epoll_wait(c->settings.epoll_fd, events, EVENTS, 0);
	for (int i = 0; i < n; i++) {
		int fd = events[i].data.fd;
		if (fd == c->news_fd)
			read_news(c);
		else if (fd == c->feed_fd)
			take_socket(c);
		else if (fd == c->timer_fd)
			(void)!read(c->timer_fd, &ticks, sizeof(ticks));
		else if (events[i].events & EPOLLERR)
			for (size_t k = 0; k < c->count; k++)
				live_interface_follow(&c->interfaces[k],
				    &c->settings, monotime_now());
	}
}

static void give_frame(
    void *arg, const struct live_frame *frame, struct walltime at)
{
	struct capture_live *c = arg;
	c->base.fn(c->base.arg, DLT_LINUX_SLL2, frame->bytes, frame->caplen,
	    frame->wirelen, at);
}

static bool is_finished(struct capture_live *c)
{
	if (!c->finishing)
		return false;
	bool empty = true;
	for (size_t i = 0; i < c->count; i++)
		empty &= live_interface_is_empty(&c->interfaces[i]);
	return empty || !monotime_before(monotime_now(), c->finish);
}

/* Of one interface at a time, in turns. */
static int read_live(struct capture *base, int count, struct errmsg *msg)
{
	struct capture_live *c = live_of(base);
	(void)msg;
	take_events(c);
	int given = 0;
	for (size_t i = 0; i < c->count && given == 0; i++) {
		c->base.current = c->next;
		c->next = (c->next + 1) % c->count;
		given = live_interface_read(&c->interfaces[c->base.current],
		    &c->settings, count, give_frame, c);
	}
	tend_interfaces(c);
	look_at_states(c, false);
	return given == 0 && is_finished(c) ? ERR_EOF : given;
}

static void finish_live(struct capture *base)
{
	struct capture_live *c = live_of(base);
	for (size_t i = 0; i < c->count; i++)
		live_interface_stop(&c->interfaces[i]);
	c->finishing = true;
	c->losses_at = (struct monotime){ 0 };
	c->finish = monotime_add(monotime_now(), FINISH_NS);
	set_tick(c, true);
}

/* The kernel's own losses come as an answer, so they are those of the last
 * time. */
static size_t coverage_live(
    struct capture *base, struct capture_coverage *to, size_t most)
{
	struct capture_live *c = live_of(base);
	static const enum capture_state states[] = { CAPTURE_ABSENT,
		CAPTURE_DOWN, CAPTURE_UP };
	size_t count = c->count < most ? c->count : most;
	struct monotime now = monotime_now();
	bool asks = !monotime_before(now, c->losses_at);
	if (asks)
		c->losses_at = monotime_add(now, LOSSES_NS);
	for (size_t i = 0; i < count; i++) {
		struct live_interface *one = &c->interfaces[i];
		struct live_counts counts;
		uint8_t ask[NETLINK_ASK_MAX];
		live_interface_counts(one, &counts);
		to[i] = (struct capture_coverage){
			.name = one->facts.name,
			.state = states[one->said],
			.why = interface_why(&one->facts),
			.since = one->since_wall,
			.captured = counts.captured,
			.dropped_kernel = counts.dropped_kernel,
			.dropped_ring = counts.dropped_ring,
			.dropped_own = counts.dropped_own,
			.ring_bytes = counts.ring_bytes,
		};
		if (asks && !one->facts.all && one->facts.index > 0) {
			size_t len = netlink_ask_link(ask, one->facts.index, 0);
			(void)!send(c->news_fd, ask, len, MSG_DONTWAIT);
		}
	}
	return count;
}

static uint64_t dropped_live(struct capture *base)
{
	struct capture_live *c = live_of(base);
	uint64_t dropped = 0;
	for (size_t i = 0; i < c->count; i++) {
		struct live_counts counts;
		live_interface_counts(&c->interfaces[i], &counts);
		dropped += counts.dropped_ring + counts.dropped_own;
	}
	return dropped;
}

static void close_live(struct capture *base)
{
	struct capture_live *c = live_of(base);
	for (size_t i = 0; i < c->count; i++)
		live_interface_close(&c->interfaces[i]);
	if (c->settings.epoll_fd >= 0)
		close(c->settings.epoll_fd);
	if (c->news_fd >= 0)
		close(c->news_fd);
	if (c->timer_fd >= 0)
		close(c->timer_fd);
	link_filter_free(c->settings.filter);
	free(c->news);
	free(c);
}

static const struct capture_source live_source = {
	.read = read_live,
	.dropped = dropped_live,
	.close = close_live,
	.coverage = coverage_live,
	.finish = finish_live,
};

static int watch_fd(struct capture_live *c, int fd)
{
	struct epoll_event event = { .events = EPOLLIN };
	event.data.fd = fd;
	return epoll_ctl(c->settings.epoll_fd, EPOLL_CTL_ADD, fd, &event) == 0
	    ? 0
	    : -errno;
}

static int open_descriptors(struct capture_live *c, struct errmsg *msg)
{
	c->settings.epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	c->timer_fd =
	    timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	if (c->settings.epoll_fd < 0 || c->timer_fd < 0)
		return err_set(msg, -errno, "epoll: %s", strerror(errno));
	c->base.fd = c->settings.epoll_fd;
	int err = open_news(c, msg);
	if (err < 0)
		return err;
	const int fds[] = { c->news_fd, c->timer_fd, c->feed_fd };
	for (size_t i = 0; i < sizeof(fds) / sizeof(*fds); i++) {
		err = fds[i] < 0 ? 0 : watch_fd(c, fds[i]);
		if (err < 0)
			return err_set(msg, err, "epoll: %s", err_str(err));
	}
	return 0;
}

/* For both forms that frames can have, though one may have no use for it. */
static int compile_filter(struct capture_live *c, struct errmsg *msg)
{
	struct link_filter *filter = c->settings.filter;
	int cooked = live_frame_check_filter(filter, UINT16_MAX, NULL);
	int ethernet = live_frame_check_filter(filter, ARPHRD_ETHER, msg);
	return ethernet < 0 && cooked < 0 ? ethernet : 0;
}

static int open_interfaces(struct capture_live *c, const char *const *names,
    size_t count, struct errmsg *msg)
{
	for (; c->count < count; c->count++) {
		struct live_interface *one = &c->interfaces[c->count];
		if (interface_begin(&one->facts, names[c->count]) < 0)
			return err_set(msg, ERR_USAGE,
			    "interface '%.60s': expected a name of 1 to %d "
			    "characters",
			    names[c->count], NET_DEVICE_LEN - 1);
	}
	int err = compile_filter(c, msg);
	if (err < 0)
		return err;
	err = open_descriptors(c, msg);
	for (size_t i = 0; i < count && err == 0; i++)
		err = open_first(c, &c->interfaces[i], msg);
	return err;
}

int capture_open_live(struct capture **capture, const char *const *interfaces,
    size_t count, const struct capture_config *config, struct errmsg *msg)
{
	struct capture_live *c = xcalloc(1, sizeof(*c));
	capture_init(&c->base, &live_source, interfaces[0], config);
	c->settings = (struct live_settings){ .snaplen = config->snaplen,
		.ring_bytes = config->buffer_bytes,
		.ring_most_bytes = config->buffer_most_bytes,
		.promiscuous = config->promiscuous,
		.epoll_fd = -1 };
	c->news_fd = c->timer_fd = -1;
	c->feed_fd = config->feed_fd;
	c->notice = config->notice;
	c->notice_arg = config->notice_arg;
	if (config->filter)
		c->settings.filter = link_filter_new(config->filter);
	int err = open_interfaces(c, interfaces, count, msg);
	if (err < 0) {
		capture_close(&c->base);
		return err;
	}
	look_at_states(c, true);
	*capture = &c->base;
	return 0;
}
