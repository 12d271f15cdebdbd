/* SPDX-License-Identifier: ISC */
/*
 * SO_TIMESTAMPING (Documentation/networking/timestamping in Linux): each
 * packet of the socket gets the next number (OPT_ID), the error queue gives
 * number and time (OPT_TSONLY).  A device that makes no timestamp is answered
 * for by the clock that we read before the system call, and the event shows it.
 */
#include <errno.h>
#include <time.h>
#include <linux/errqueue.h>
#include <linux/net_tstamp.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "probes/net/live/live-stamp.h"

#define PATIENCE_NS (30 * NS_PER_MS)
#define FLAGS                                                       \
	(SOF_TIMESTAMPING_TX_SOFTWARE | SOF_TIMESTAMPING_SOFTWARE | \
	    SOF_TIMESTAMPING_OPT_TSONLY | SOF_TIMESTAMPING_OPT_CMSG)

static int switch_on(int fd)
{
	int flags = FLAGS;
	/* OPT_ID counts from 0 again each time that it is switched on. */
	if (setsockopt(
		fd, SOL_SOCKET, SO_TIMESTAMPING, &flags, sizeof(flags)) != 0)
		return -errno;
	flags |= SOF_TIMESTAMPING_OPT_ID;
	return setsockopt(
		   fd, SOL_SOCKET, SO_TIMESTAMPING, &flags, sizeof(flags)) != 0
	    ? -errno
	    : 0;
}

int live_stamps_open(struct live_stamps *stamps, int fd, struct errmsg *msg)
{
	memset(stamps, 0, sizeof(*stamps));
	stamps->fd = fd;
	int err = switch_on(fd);
	return err ? err_set(msg, err, "kernel timestamps: %s", strerror(-err))
		   : 0;
}

static void find_answer(struct live_stamps *stamps, uint32_t key,
    const struct walltime *kernel, net_event_fn *fn, void *arg)
{
	size_t at = key % LIVE_STAMPS_MAX;
	if (!stamps->ring[at].waiting)
		return;
	stamps->ring[at].waiting = 0;
	struct net_event event = {
	    .kind = NET_SENT,
	    .cookie = stamps->ring[at].cookie,
	    .stamp = {
		.wall = kernel ? *kernel : stamps->ring[at].wall,
		.clock = kernel ? NET_CLOCK_KERNEL_SOFTWARE : NET_CLOCK_USER,
	    },
	};
	fn(arg, &event);
}

void live_stamps_sent(struct live_stamps *stamps, uint32_t cookie,
    struct monotime now, struct walltime wall)
{
	size_t at = stamps->next_key++ % LIVE_STAMPS_MAX;
	if (stamps->next_key - stamps->oldest > LIVE_STAMPS_MAX)
		stamps->oldest = stamps->next_key - LIVE_STAMPS_MAX;
	stamps->ring[at].cookie = cookie;
	stamps->ring[at].waiting = 1;
	stamps->ring[at].sent = now;
	stamps->ring[at].wall = wall;
}

/* One message of the error queue: its key and time, or false. */
static bool read_stamp(
    struct msghdr *message, uint32_t *key, struct walltime *wall)
{
	bool has_key = false, has_time = false;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c;
	     c = CMSG_NXTHDR(message, c)) {
		if (c->cmsg_level == SOL_SOCKET &&
		    c->cmsg_type == SO_TIMESTAMPING) {
			struct scm_timestamping times;
			memcpy(&times, CMSG_DATA(c), sizeof(times));
			wall->ns =
			    times.ts[0].tv_sec * NS_PER_S + times.ts[0].tv_nsec;
			has_time = wall->ns != 0;
		} else if ((c->cmsg_level == SOL_IP &&
			       c->cmsg_type == IP_RECVERR) ||
		    (c->cmsg_level == SOL_IPV6 &&
			c->cmsg_type == IPV6_RECVERR)) {
			struct sock_extended_err err;
			memcpy(&err, CMSG_DATA(c), sizeof(err));
			*key = err.ee_data;
			has_key = err.ee_origin == SO_EE_ORIGIN_TIMESTAMPING;
		}
	}
	return has_key && has_time;
}

#define BATCH 64

static void drain_errors(
    struct live_stamps *stamps, net_event_fn *fn, void *arg)
{
	static _Alignas(struct cmsghdr) char control[BATCH][256];
	struct mmsghdr messages[BATCH];
	int n;
	do {
		memset(messages, 0, sizeof(messages));
		for (int i = 0; i < BATCH; i++) {
			messages[i].msg_hdr.msg_control = control[i];
			messages[i].msg_hdr.msg_controllen = sizeof(control[i]);
		}
		n = recvmmsg(stamps->fd, messages, BATCH,
		    MSG_ERRQUEUE | MSG_DONTWAIT, NULL);
		for (int i = 0; i < n; i++) {
			uint32_t key = 0;
			struct walltime wall = { 0 };
			if (read_stamp(&messages[i].msg_hdr, &key, &wall) &&
			    stamps->next_key - key - 1 < LIVE_STAMPS_MAX)
				find_answer(stamps, key, &wall, fn, arg);
		}
	} while (n == BATCH);
}

void live_stamps_poll(struct live_stamps *stamps, struct monotime now,
    net_event_fn *fn, void *arg)
{
	if (stamps->oldest == stamps->next_key)
		return;
	drain_errors(stamps, fn, arg);
	for (; stamps->oldest != stamps->next_key; stamps->oldest++) {
		size_t at = stamps->oldest % LIVE_STAMPS_MAX;
		if (stamps->ring[at].waiting &&
		    monotime_diff(now, stamps->ring[at].sent) < PATIENCE_NS)
			break;
		find_answer(stamps, stamps->oldest, NULL, fn, arg);
	}
}

void live_stamps_reset(struct live_stamps *stamps, net_event_fn *fn, void *arg)
{
	drain_errors(stamps, fn, arg);
	for (; stamps->oldest != stamps->next_key; stamps->oldest++)
		find_answer(stamps, stamps->oldest, NULL, fn, arg);
	stamps->next_key = stamps->oldest = 0;
	switch_on(stamps->fd);
}
