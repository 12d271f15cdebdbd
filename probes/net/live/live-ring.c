/* SPDX-License-Identifier: ISC */
/* Replies by libpcap: a ring shared with the kernel, on every interface. */
#include <errno.h>
#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "lib/base/xalloc.h"
#include "lib/packet/octets.h"
#include "probes/net/live/live-copies.h"
#include "probes/net/live/live-deny.h"
#include "probes/net/live/live-filter.h"
#include "probes/net/live/live-receive.h"

#define SNAPLEN 1600
#define SLL2_HEADER 20

struct ring {
	pcap_t *pcap;
	struct live_filter filter;
	struct live_copies copies;
	unsigned kib;
};

static void ring_close(void *ctx)
{
	struct ring *ring = ctx;
	if (!ring)
		return;
	if (ring->pcap)
		pcap_close(ring->pcap);
	free(ring);
}

static int ring_fail(struct errmsg *msg, int err, pcap_t *pcap)
{
	if (err == -EPERM)
		return live_deny(err, "capture", msg);
	return err_set(msg, err, "capture: %s", pcap_geterr(pcap));
}

static void ignore(
    u_char *user, const struct pcap_pkthdr *head, const u_char *bytes)
{
	(void)user;
	(void)head;
	(void)bytes;
}

static int activate_ring(struct ring *ring, uint64_t bytes, struct errmsg *msg)
{
	char text[PCAP_ERRBUF_SIZE] = "";
	pcap_t *p = ring->pcap = pcap_create("any", text);
	if (!p)
		return err_set(msg, -EIO, "capture: %.200s", text);
	if (pcap_set_snaplen(p, SNAPLEN) || pcap_set_immediate_mode(p, 1) ||
	    pcap_set_buffer_size(p, (int)bytes) ||
	    pcap_set_tstamp_precision(p, PCAP_TSTAMP_PRECISION_NANO))
		return ring_fail(msg, -EIO, p);
	int status = pcap_activate(p);
	if (status < 0)
		return ring_fail(
		    msg, status == PCAP_ERROR_PERM_DENIED ? -EPERM : -EIO, p);
	if (pcap_set_datalink(p, DLT_LINUX_SLL2) != 0 ||
	    pcap_setnonblock(p, 1, text) != 0)
		return ring_fail(msg, -EIO, p);
	int err =
	    live_filter_open(&ring->filter, pcap_fileno(p), LIVE_FILTER_IP);
	if (err)
		return err_set(msg, err, "filter: %s", strerror(-err));
	/* What came before there was a filter. */
	pcap_dispatch(p, -1, ignore, NULL);
	return 0;
}

static int ring_open(void **ctx, uint64_t bytes, struct errmsg *msg)
{
	struct ring *ring = xcalloc(1, sizeof(*ring));
	ring->kib = (unsigned)(bytes >> 10);
	if (getrandom(&ring->copies.key, sizeof(ring->copies.key), 0) < 0)
		ring->copies.key = (uint64_t)walltime_now().ns;
	int err = activate_ring(ring, bytes, msg);
	if (err < 0) {
		ring_close(ring);
		return err;
	}
	*ctx = ring;
	return 0;
}

static int ring_admit(void *ctx, const uint8_t *packet, size_t len)
{
	struct ring *ring = ctx;
	return live_filter_admit(&ring->filter, packet, len);
}

static void ring_forget(void *ctx)
{
	struct ring *ring = ctx;
	live_filter_forget(&ring->filter);
}

struct ring_delivery {
	struct ring *ring;
	net_event_fn *fn;
	void *arg;
};

/* DLT_LINUX_SLL2: protocol in the first two octets, the device's index in the
 * fifth to eighth. */
static void deliver_frame(
    u_char *user, const struct pcap_pkthdr *head, const u_char *bytes)
{
	const struct ring_delivery *to = (const struct ring_delivery *)user;
	if (head->caplen <= SLL2_HEADER || head->len < head->caplen)
		return;
	uint16_t protocol = (uint16_t)(bytes[0] << 8 | bytes[1]);
	if (protocol != 0x0800 && protocol != 0x86dd)
		return;
	/* tv_usec counts nanoseconds at this precision. */
	int64_t wall_ns = head->ts.tv_sec * NS_PER_S + head->ts.tv_usec;
	struct net_event event = {
		.kind = NET_RECEIVED,
		.stamp = { .wall = { wall_ns },
		    .clock = NET_CLOCK_KERNEL_SOFTWARE },
		.bytes = bytes + SLL2_HEADER,
		.caplen = head->caplen - SLL2_HEADER,
		.wirelen = head->len - SLL2_HEADER,
	};
	if (!live_copies_is_copy(&to->ring->copies, event.bytes, event.caplen,
		load_be32(bytes + 4), wall_ns))
		to->fn(to->arg, &event);
}

static void ring_poll(void *ctx, net_event_fn *fn, void *arg)
{
	struct ring *ring = ctx;
	struct ring_delivery to = { ring, fn, arg };
	pcap_dispatch(ring->pcap, 256, deliver_frame, (u_char *)&to);
}

static size_t ring_fds(void *ctx, int *fds, size_t size)
{
	struct ring *ring = ctx;
	if (size == 0)
		return 0;
	fds[0] = pcap_get_selectable_fd(ring->pcap);
	return 1;
}

static uint64_t ring_dropped(void *ctx)
{
	struct ring *ring = ctx;
	struct pcap_stat stat;
	return pcap_stats(ring->pcap, &stat) == 0 ? stat.ps_drop : 0;
}

static void ring_describe(void *ctx, char *to, size_t size)
{
	const struct ring *ring = ctx;
	snprintf(to, size,
	    "libpcap on every interface (%s), nanosecond stamps of the kernel, "
	    "ring of %u KiB",
	    pcap_datalink_val_to_name(pcap_datalink(ring->pcap)), ring->kib);
}

const struct live_receiver live_ring = {
	.open = ring_open,
	.close = ring_close,
	.admit = ring_admit,
	.forget = ring_forget,
	.poll = ring_poll,
	.fds = ring_fds,
	.dropped = ring_dropped,
	.describe = ring_describe,
};
