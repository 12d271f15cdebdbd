/* SPDX-License-Identifier: ISC */
/*
 * Frames of an interface, by libpcap.
 */
#include <errno.h>
#include <pcap/pcap.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/base/xalloc.h"
#include "probes/sensor/capture-private.h"

#define READ_TIMEOUT_MS 100

struct capture_live {
	struct capture base;
	pcap_t *pcap;
	int dlt;
	uint32_t last_drop; /* libpcap's counter, which wraps */
	uint64_t dropped;
};

static int set_filter(struct capture_live *c, struct errmsg *msg)
{
	struct bpf_program program;
	if (!c->base.filter)
		return 0;
	if (pcap_compile(c->pcap, &program, c->base.filter, 1,
		PCAP_NETMASK_UNKNOWN) != 0)
		return err_set(
		    msg, ERR_USAGE, "filter: %s", pcap_geterr(c->pcap));
	int err = pcap_setfilter(c->pcap, &program);
	pcap_freecode(&program);
	return err
	    ? capture_failure(&c->base, -EINVAL, pcap_geterr(c->pcap), msg)
	    : 0;
}

static int activate_failure(
    struct capture_live *c, int status, struct errmsg *msg)
{
	switch (status) {
	case PCAP_ERROR_PERM_DENIED:
	case PCAP_ERROR_PROMISC_PERM_DENIED:
		return err_set(msg, -EPERM,
		    "%s: no permission to capture; grant it: sudo setcap "
		    "cap_net_raw+ep \"$(command -v sonde)\"",
		    c->base.name);
	case PCAP_ERROR_NO_SUCH_DEVICE:
		return err_set(
		    msg, ERR_NOT_FOUND, "%s: no such interface", c->base.name);
	case PCAP_ERROR_IFACE_NOT_UP:
		return capture_failure(
		    &c->base, -ENETDOWN, "the interface is down", msg);
	default:
		return capture_failure(&c->base, -EIO,
		    status == PCAP_ERROR ? pcap_geterr(c->pcap)
					 : pcap_statustostr(status),
		    msg);
	}
}

static int activate(struct capture_live *c, const struct capture_config *config,
    struct errmsg *msg)
{
	char text[PCAP_ERRBUF_SIZE];
	c->pcap = pcap_create(c->base.name, text);
	if (!c->pcap)
		return capture_failure(&c->base, -EIO, text, msg);
	pcap_set_snaplen(c->pcap, (int)config->snaplen);
	pcap_set_buffer_size(c->pcap, (int)config->buffer_bytes);
	pcap_set_promisc(c->pcap, config->promiscuous);
	pcap_set_timeout(c->pcap, READ_TIMEOUT_MS);
	pcap_set_tstamp_precision(c->pcap, PCAP_TSTAMP_PRECISION_NANO);
	int status = pcap_activate(c->pcap);
	if (status < 0)
		return activate_failure(c, status, msg);
	if (pcap_setnonblock(c->pcap, 1, text) != 0)
		return capture_failure(&c->base, -EIO, text, msg);
	c->dlt = pcap_datalink(c->pcap);
	c->base.fd = pcap_get_selectable_fd(c->pcap);
	int err = capture_check_link(&c->base, c->dlt, msg);
	return err ? err : set_filter(c, msg);
}

static void on_frame(
    u_char *arg, const struct pcap_pkthdr *h, const u_char *bytes)
{
	struct capture_live *c = (struct capture_live *)arg;
	const struct walltime at = { h->ts.tv_sec * NS_PER_S + h->ts.tv_usec };
	c->base.fn(c->base.arg, c->dlt, bytes, h->caplen, h->len, at);
}

static int read_live(struct capture *base, int count, struct errmsg *msg)
{
	struct capture_live *c = (struct capture_live *)base;
	int n = pcap_dispatch(c->pcap, count, on_frame, (u_char *)c);
	if (n < 0)
		return capture_failure(base, -EIO, pcap_geterr(c->pcap), msg);
	return n;
}

static uint64_t dropped_live(struct capture *base)
{
	struct capture_live *c = (struct capture_live *)base;
	struct pcap_stat stats;
	if (pcap_stats(c->pcap, &stats) == 0) {
		c->dropped += (uint32_t)(stats.ps_drop - c->last_drop);
		c->last_drop = stats.ps_drop;
	}
	return c->dropped;
}

static void close_live(struct capture *base)
{
	struct capture_live *c = (struct capture_live *)base;
	if (c->pcap)
		pcap_close(c->pcap);
	free(c);
}

static const struct capture_source live_source = {
	.read = read_live,
	.dropped = dropped_live,
	.close = close_live,
};

int capture_open_live(struct capture **capture, const char *interface,
    const struct capture_config *config, struct errmsg *msg)
{
	struct capture_live *c = xcalloc(1, sizeof(*c));
	capture_init(&c->base, &live_source, interface, config);
	int err = activate(c, config, msg);
	if (err) {
		capture_close(&c->base);
		return err;
	}
	*capture = &c->base;
	return 0;
}
