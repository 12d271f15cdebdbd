/* SPDX-License-Identifier: ISC */
/*
 * libpcap behind one small face.  Files are read through a large buffer of
 * ours; a FIFO is read without one, so that poll is right about it.
 */
#include <errno.h>
#include <fcntl.h>
#include <pcap/pcap.h>
#include <stdio.h>
#include <stdio_ext.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/xalloc.h"
#include "lib/packet/packet.h"
#include "probes/sensor/capture.h"
#include "probes/sensor/pcap-file.h"

#define FILE_BUFFER_BYTES ((size_t)256 << 10)
#define READ_TIMEOUT_MS 100
#define SECONDS_MAX INT64_C(9223372035)

struct capture {
	char *name, *filter, *buffer;
	FILE *file; /* until pcap takes it over */
	pcap_t *pcap;
	struct pcap_file *blocks;   /* NULL: pcap reads */
	struct bpf_program program; /* of the filter, for blocks */
	int fd, dlt;
	bool live;
	bool fifo;          /* fed as it happens: a read may wait for ever */
	bool regular;       /* a file with a beginning and an end */
	uint32_t last_drop; /* libpcap's counter, which wraps */
	uint64_t dropped;
	capture_fn *fn;
	void *arg;
};

static int pcap_failure(
    const struct capture *c, int code, const char *what, struct errmsg *msg)
{
	return err_set(msg, code, "%s: %s", c->name, what);
}

static int set_filter(struct capture *c, struct errmsg *msg)
{
	struct bpf_program program;
	if (!c->filter)
		return 0;
	if (pcap_compile(
		c->pcap, &program, c->filter, 1, PCAP_NETMASK_UNKNOWN) != 0)
		return err_set(
		    msg, ERR_USAGE, "filter: %s", pcap_geterr(c->pcap));
	int err = pcap_setfilter(c->pcap, &program);
	if (!c->live && err == 0)
		c->program = program;
	else
		pcap_freecode(&program);
	return err ? pcap_failure(c, -EINVAL, pcap_geterr(c->pcap), msg) : 0;
}

static int check_link(struct capture *c, struct errmsg *msg)
{
	c->dlt = pcap_datalink(c->pcap);
	if (packet_link_known(c->dlt))
		return 0;
	const char *name = pcap_datalink_val_to_name(c->dlt);
	return err_set(msg, ERR_MALFORMED,
	    "%s: link type %s (%d), expected Ethernet, Linux cooked, raw IP "
	    "or loopback",
	    c->name, name ? name : "unknown", c->dlt);
}

static struct capture *capture_new(
    const char *name, const struct capture_config *config)
{
	struct capture *c = xcalloc(1, sizeof(*c));
	c->name = xstrdup(name);
	c->filter = config->filter ? xstrdup(config->filter) : NULL;
	c->fd = -1;
	return c;
}

static int activate_failure(struct capture *c, int status, struct errmsg *msg)
{
	switch (status) {
	case PCAP_ERROR_PERM_DENIED:
	case PCAP_ERROR_PROMISC_PERM_DENIED:
		return err_set(msg, -EPERM,
		    "%s: no permission to capture; grant it: sudo setcap "
		    "cap_net_raw+ep \"$(command -v sonde)\"",
		    c->name);
	case PCAP_ERROR_NO_SUCH_DEVICE:
		return err_set(
		    msg, ERR_NOT_FOUND, "%s: no such interface", c->name);
	case PCAP_ERROR_IFACE_NOT_UP:
		return pcap_failure(c, -ENETDOWN, "the interface is down", msg);
	default:
		return pcap_failure(c, -EIO,
		    status == PCAP_ERROR ? pcap_geterr(c->pcap)
					 : pcap_statustostr(status),
		    msg);
	}
}

static int activate(
    struct capture *c, const struct capture_config *config, struct errmsg *msg)
{
	char text[PCAP_ERRBUF_SIZE];
	c->pcap = pcap_create(c->name, text);
	if (!c->pcap)
		return pcap_failure(c, -EIO, text, msg);
	pcap_set_snaplen(c->pcap, (int)config->snaplen);
	pcap_set_buffer_size(c->pcap, (int)config->buffer_bytes);
	pcap_set_promisc(c->pcap, config->promiscuous);
	pcap_set_timeout(c->pcap, READ_TIMEOUT_MS);
	pcap_set_tstamp_precision(c->pcap, PCAP_TSTAMP_PRECISION_NANO);
	int status = pcap_activate(c->pcap);
	if (status < 0)
		return activate_failure(c, status, msg);
	if (pcap_setnonblock(c->pcap, 1, text) != 0)
		return pcap_failure(c, -EIO, text, msg);
	c->fd = pcap_get_selectable_fd(c->pcap);
	int err = check_link(c, msg);
	return err ? err : set_filter(c, msg);
}

int capture_open_live(struct capture **capture, const char *interface,
    const struct capture_config *config, struct errmsg *msg)
{
	struct capture *c = capture_new(interface, config);
	c->live = true;
	int err = activate(c, config, msg);
	if (err) {
		capture_close(c);
		return err;
	}
	*capture = c;
	return 0;
}

/* Both ends of a FIFO are held, so it does not end with its writer. */
static int open_path(struct capture *c, const char *path)
{
	struct stat st;
	c->fifo = stat(path, &st) == 0 && S_ISFIFO(st.st_mode);
	if (strcmp(path, "-") == 0)
		c->fd = dup(STDIN_FILENO);
	else
		c->fd = open(path, (c->fifo ? O_RDWR : O_RDONLY) | O_CLOEXEC);
	if (c->fd < 0 || fstat(c->fd, &st) != 0)
		return -errno;
	if (S_ISDIR(st.st_mode))
		return -EISDIR;
	c->file = fdopen(c->fd, "rb");
	if (!c->file)
		return -errno;
	c->regular = S_ISREG(st.st_mode);
	__fsetlocking(c->file, FSETLOCKING_BYCALLER);
	if (c->fifo) {
		c->fifo = true;
		setvbuf(c->file, NULL, _IONBF, 0);
		return 0;
	}
	c->buffer = xmalloc(FILE_BUFFER_BYTES);
	setvbuf(c->file, c->buffer, _IOFBF, FILE_BUFFER_BYTES);
	return 0;
}

int capture_open_file(struct capture **capture, const char *path,
    const struct capture_config *config, struct errmsg *msg)
{
	struct capture *c = capture_new(path, config);
	int err = open_path(c, path);
	if (err) {
		pcap_failure(c, err, err_str(err), msg);
		capture_close(c);
		return err;
	}
	*capture = c;
	return 0;
}

void capture_close(struct capture *c)
{
	if (!c)
		return;
	pcap_file_free(c->blocks);
	pcap_freecode(&c->program);
	if (c->pcap)
		pcap_close(c->pcap);
	if (c->file)
		fclose(c->file);
	else if (!c->pcap && c->fd >= 0)
		close(c->fd);
	free(c->buffer);
	free(c->filter);
	free(c->name);
	free(c);
}

int capture_fd(const struct capture *c)
{
	return c->fd;
}

bool capture_is_live(const struct capture *c)
{
	return c->live;
}

const char *capture_name(const struct capture *c)
{
	return c->name;
}

static int start_file(struct capture *c, struct errmsg *msg)
{
	char text[PCAP_ERRBUF_SIZE];
	c->pcap = pcap_fopen_offline_with_tstamp_precision(
	    c->file, PCAP_TSTAMP_PRECISION_NANO, text);
	if (!c->pcap) {
		char what[PCAP_ERRBUF_SIZE + 60];
		snprintf(what, sizeof(what),
		    "expected a capture (pcap or pcapng), got: %s", text);
		return pcap_failure(c, ERR_MALFORMED, what, msg);
	}
	c->file = NULL;
	int err = check_link(c, msg);
	if (!err)
		err = set_filter(c, msg);
	if (!err && c->regular)
		c->blocks = pcap_file_new(c->fd);
	return err;
}

/* A file may claim any time; ours counts nanoseconds in 64 bits. */
static struct walltime stamp(const struct pcap_pkthdr *h)
{
	int64_t seconds = h->ts.tv_sec;
	if (seconds < 0)
		seconds = 0;
	if (seconds > SECONDS_MAX)
		seconds = SECONDS_MAX;
	int64_t ns = h->ts.tv_usec;
	if (ns < 0 || ns >= NS_PER_S)
		ns = 0;
	return (struct walltime){ seconds * NS_PER_S + ns };
}

static void on_frame(
    u_char *arg, const struct pcap_pkthdr *h, const u_char *bytes)
{
	struct capture *c = (struct capture *)arg;
	c->fn(c->arg, c->dlt, bytes, h->caplen, h->len, stamp(h));
}

static int read_blocks(struct capture *c, int count, struct errmsg *msg)
{
	struct pcap_pkthdr h;
	const uint8_t *bytes;
	struct errmsg why;
	int n = 0;
	while (n < count) {
		int got = pcap_file_next(c->blocks, &h, &bytes, &why);
		if (got < 0)
			return pcap_failure(c, got, why.text, msg);
		if (got == 0)
			break;
		if (c->program.bf_len > 0 &&
		    pcap_offline_filter(&c->program, &h, bytes) == 0)
			continue;
		on_frame((u_char *)c, &h, bytes);
		n++;
	}
	return n == 0 ? ERR_EOF : n;
}

int capture_read(
    struct capture *c, int count, capture_fn *fn, void *arg, struct errmsg *msg)
{
	if (!c->pcap) {
		int err = start_file(c, msg);
		if (err || c->fifo)
			return err; /* its first frame may be far away */
	}
	c->fn = fn;
	c->arg = arg;
	if (c->blocks)
		return read_blocks(c, count, msg);
	if (c->fifo)
		count = 1; /* what poll has seen, and not one more */
	int n = pcap_dispatch(c->pcap, count, on_frame, (u_char *)c);
	if (n < 0) {
		int code = c->live ? -EIO : ERR_TRUNCATED;
		return pcap_failure(c, code, pcap_geterr(c->pcap), msg);
	}
	return n == 0 && !c->live ? ERR_EOF : n;
}

uint64_t capture_dropped(struct capture *c)
{
	struct pcap_stat stats;
	if (c->live && pcap_stats(c->pcap, &stats) == 0) {
		c->dropped += (uint32_t)(stats.ps_drop - c->last_drop);
		c->last_drop = stats.ps_drop;
	}
	return c->dropped;
}
