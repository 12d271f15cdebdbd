/* SPDX-License-Identifier: ISC */
/*
 * A wire with delay, jitter and loss between two interfaces: frames that
 * come in at one end leave at the other later, or never.  Kernels without
 * netem have no other.  Frames travel with their virtio header, so checksum
 * and segmentation offload survive the way.
 */
#include <errno.h>
#include <linux/if_packet.h>
#include <linux/virtio_net.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <arpa/inet.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/err.h"
#include "lib/option/option.h"
#include "lib/base/xalloc.h"

#define FRAME_MAX 65600
#define QUEUE_MAX 4096 /* frames under way in one direction */

struct frame {
	struct monotime due;
	size_t len;
	uint8_t bytes[];
};

/* One direction: a FIFO, so jitter never reorders. */
struct direction {
	int from, to;
	struct frame *queue[QUEUE_MAX];
	size_t head, count;
	struct monotime last_due;
};

struct wire {
	int64_t delay_ns, jitter_ns;
	double loss;
	uint64_t random; /* xorshift state */
	struct direction ways[2];
};

static double uniform(struct wire *w)
{
	w->random ^= w->random << 13;
	w->random ^= w->random >> 7;
	w->random ^= w->random << 17;
	return (double)(w->random >> 11) / 9007199254740992.0;
}

static int end_open(const char *interface, struct errmsg *msg)
{
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return err_set(msg, -errno,
		    "%s: packet socket: %s (needs "
		    "root)",
		    interface, strerror(errno));
	struct sockaddr_ll at = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(ETH_P_ALL),
		.sll_ifindex = (int)if_nametoindex(interface),
	};
	int on = 1;
	if (setsockopt(fd, SOL_PACKET, PACKET_VNET_HDR, &on, sizeof(on)) ||
	    setsockopt(
		fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof(on)) ||
	    at.sll_ifindex == 0 ||
	    bind(fd, (struct sockaddr *)&at, sizeof(at)) != 0) {
		int err = -errno;
		close(fd);
		return err_set(msg, err, "%s: %s", interface, strerror(-err));
	}
	return fd;
}

static void accept_frames(struct wire *w, struct direction *way)
{
	static uint8_t bytes[FRAME_MAX];
	ssize_t len;
	while (
	    (len = recv(way->from, bytes, sizeof(bytes), MSG_DONTWAIT)) > 0) {
		if (way->count == QUEUE_MAX || uniform(w) < w->loss)
			continue;
		int64_t late =
		    w->delay_ns + (int64_t)((double)w->jitter_ns * uniform(w));
		struct frame *f = xmalloc(sizeof(*f) + (size_t)len);
		f->due = monotime_add(monotime_now(), late);
		if (monotime_before(f->due, way->last_due))
			f->due = way->last_due;
		way->last_due = f->due;
		f->len = (size_t)len;
		memcpy(f->bytes, bytes, f->len);
		way->queue[(way->head + way->count++) % QUEUE_MAX] = f;
	}
}

/* Sends what is due; returns the nanoseconds until the next, or -1. */
static int64_t release_frames(struct direction *way)
{
	while (way->count) {
		struct frame *f = way->queue[way->head];
		int64_t wait = monotime_diff(f->due, monotime_now());
		if (wait > 0)
			return wait;
		if (send(way->to, f->bytes, f->len, MSG_DONTWAIT) < 0 &&
		    errno != ENOBUFS && errno != EAGAIN && errno != ENETDOWN)
			fprintf(stderr, "wire: send: %s\n", strerror(errno));
		free(f);
		way->head = (way->head + 1) % QUEUE_MAX;
		way->count--;
	}
	return -1;
}

static int carry(struct wire *w)
{
	struct pollfd ends[2] = {
		{ .fd = w->ways[0].from, .events = POLLIN },
		{ .fd = w->ways[1].from, .events = POLLIN },
	};
	for (;;) {
		int64_t wait = -1;
		for (int i = 0; i < 2; i++) {
			accept_frames(w, &w->ways[i]);
			int64_t next = release_frames(&w->ways[i]);
			if (next >= 0 && (wait < 0 || next < wait))
				wait = next;
		}
		struct timespec ts = { wait / NS_PER_S, wait % NS_PER_S };
		if (ppoll(ends, 2, wait < 0 ? NULL : &ts, NULL) < 0 &&
		    errno != EINTR)
			return -errno;
	}
}

static const struct option_row rows[] = {
	{
	    "delay",
	    'd',
	    OPTION_DURATION,
	    "TIME",
	    NULL,
	    0,
	    1e10,
	    "0ms",
	    "one-way delay",
	},
	{ "jitter", 'j', OPTION_DURATION, "TIME", NULL, 0, 1e10, "0ms",
	    "extra delay, uniform up to this" },
	{ "loss", 'l', OPTION_NUMBER, "SHARE", NULL, 0, 1, "0",
	    "share of frames that are lost, each way" },
	{ "seed", 's', OPTION_INTEGER, "N", NULL, 1, 2147483647, "1",
	    "seed of the losses and the jitter" },
	{ 0 },
};

static const struct option_table table = {
	.program = "wire",
	.synopsis = "[--delay TIME] [--loss SHARE] IFACE IFACE",
	.summary = "join two interfaces by a slow or lossy wire",
	.examples = "wire --delay 40ms --loss 0.05 left right",
	.rows = rows,
	.operands_min = 2,
	.operands_max = 2,
};

int main(int argc, char **argv)
{
	struct errmsg msg = { "" };
	struct option_values *given = NULL;
	static struct wire w;
	int err = option_parse(&given, &table, argc, argv, &msg);
	if (err == 0 && option_help_asked(given)) {
		fputs(option_help_text(&table), stdout);
		return 0;
	}
	int ends[2] = { -1, -1 };
	const char *const *names = NULL;
	if (err == 0)
		option_operands(given, &names);
	for (int i = 0; err == 0 && i < 2; i++) {
		ends[i] = end_open(names[i], &msg);
		err = ends[i] < 0 ? ends[i] : 0;
	}
	if (err == 0) {
		w.delay_ns = option_duration_ns(given, "delay");
		w.jitter_ns = option_duration_ns(given, "jitter");
		w.loss = option_number(given, "loss");
		w.random = UINT64_C(0x9e3779b97f4a7c15) *
		    (uint64_t)option_integer(given, "seed");
		w.ways[0].from = w.ways[1].to = ends[0];
		w.ways[0].to = w.ways[1].from = ends[1];
		err = carry(&w);
	}
	fprintf(stderr, "wire: %s\n", msg.text[0] ? msg.text : err_str(err));
	option_free(given);
	return err_exit_code(err);
}
