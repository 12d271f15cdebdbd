/* SPDX-License-Identifier: ISC */
/*
 * Frames of a capture file, by libpcap or our own reader.  Files are read
 * through a large buffer of ours; a FIFO is read without one, so that poll is
 * right about it.
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
#include "probes/sensor/capture-private.h"
#include "probes/sensor/pcap-file.h"

#define FILE_BUFFER_BYTES ((size_t)256 << 10)
#define SECONDS_MAX INT64_C(9223372035)

struct capture_file {
	struct capture base;
	char *buffer;
	FILE *file; /* until pcap takes it over */
	pcap_t *pcap;
	struct pcap_file *blocks;   /* NULL: pcap reads */
	struct bpf_program program; /* of the filter */
	int dlt;
	bool fifo;    /* fed as it happens: a read may wait for ever */
	bool regular; /* a file with a beginning and an end */
};

/* Both ends of a FIFO are held, so it does not end with its writer. */
static int open_path(struct capture_file *c, const char *path)
{
	struct stat st;
	c->fifo = stat(path, &st) == 0 && S_ISFIFO(st.st_mode);
	if (strcmp(path, "-") == 0)
		c->base.fd = dup(STDIN_FILENO);
	else
		c->base.fd =
		    open(path, (c->fifo ? O_RDWR : O_RDONLY) | O_CLOEXEC);
	if (c->base.fd < 0 || fstat(c->base.fd, &st) != 0)
		return -errno;
	if (S_ISDIR(st.st_mode))
		return -EISDIR;
	c->file = fdopen(c->base.fd, "rb");
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

static int set_filter(struct capture_file *c, struct errmsg *msg)
{
	if (!c->base.filter)
		return 0;
	if (pcap_compile(c->pcap, &c->program, c->base.filter, 1,
		PCAP_NETMASK_UNKNOWN) != 0)
		return err_set(
		    msg, ERR_USAGE, "filter: %s", pcap_geterr(c->pcap));
	if (pcap_setfilter(c->pcap, &c->program) != 0)
		return capture_failure(
		    &c->base, -EINVAL, pcap_geterr(c->pcap), msg);
	return 0;
}

static int start_file(struct capture_file *c, struct errmsg *msg)
{
	char text[PCAP_ERRBUF_SIZE];
	c->pcap = pcap_fopen_offline_with_tstamp_precision(
	    c->file, PCAP_TSTAMP_PRECISION_NANO, text);
	if (!c->pcap) {
		char what[PCAP_ERRBUF_SIZE + 60];
		snprintf(what, sizeof(what),
		    "expected a capture (pcap or pcapng), got: %s", text);
		return capture_failure(&c->base, ERR_MALFORMED, what, msg);
	}
	c->file = NULL;
	c->dlt = pcap_datalink(c->pcap);
	int err = capture_check_link(&c->base, c->dlt, msg);
	if (!err)
		err = set_filter(c, msg);
	if (!err && c->regular)
		c->blocks = pcap_file_new(c->base.fd);
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
	struct capture_file *c = (struct capture_file *)arg;
	c->base.fn(c->base.arg, c->dlt, bytes, h->caplen, h->len, stamp(h));
}

static int read_blocks(struct capture_file *c, int count, struct errmsg *msg)
{
	struct pcap_pkthdr h;
	const uint8_t *bytes;
	struct errmsg why;
	int n = 0;
	while (n < count) {
		int got = pcap_file_next(c->blocks, &h, &bytes, &why);
		if (got < 0)
			return capture_failure(&c->base, got, why.text, msg);
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

static int read_file(struct capture *base, int count, struct errmsg *msg)
{
	struct capture_file *c = (struct capture_file *)base;
	if (!c->pcap) {
		int err = start_file(c, msg);
		if (err || c->fifo)
			return err; /* its first frame may be far away */
	}
	if (c->blocks)
		return read_blocks(c, count, msg);
	if (c->fifo)
		count = 1; /* what poll has seen, and not one more */
	int n = pcap_dispatch(c->pcap, count, on_frame, (u_char *)c);
	if (n < 0)
		return capture_failure(
		    base, ERR_TRUNCATED, pcap_geterr(c->pcap), msg);
	return n == 0 ? ERR_EOF : n;
}

static uint64_t dropped_file(struct capture *base)
{
	(void)base;
	return 0;
}

static void close_file(struct capture *base)
{
	struct capture_file *c = (struct capture_file *)base;
	pcap_file_free(c->blocks);
	pcap_freecode(&c->program);
	if (c->pcap)
		pcap_close(c->pcap);
	if (c->file)
		fclose(c->file);
	else if (!c->pcap && base->fd >= 0)
		close(base->fd);
	free(c->buffer);
	free(c);
}

static const struct capture_source file_source = {
	.read = read_file,
	.dropped = dropped_file,
	.close = close_file,
};

int capture_open_file(struct capture **capture, const char *path,
    const struct capture_config *config, struct errmsg *msg)
{
	struct capture_file *c = xcalloc(1, sizeof(*c));
	capture_init(&c->base, &file_source, path, config);
	int err = open_path(c, path);
	if (err) {
		capture_failure(&c->base, err, err_str(err), msg);
		capture_close(&c->base);
		return err;
	}
	*capture = &c->base;
	return 0;
}
