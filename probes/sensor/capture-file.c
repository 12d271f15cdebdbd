/* SPDX-License-Identifier: ISC */
/*
 * Frames of a capture file: its reader, the filter, the check of times.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pcap/pcap.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/xalloc.h"
#include "lib/packet/packet.h"
#include "probes/sensor/capture-file.h"
#include "probes/sensor/capture-private.h"
#include "probes/sensor/link-filter.h"
#include "probes/sensor/time-check.h"

struct capture_file {
	struct capture base;
	struct pcap_file *file; /* NULL: not begun */
	struct link_filter *filter;
	struct time_check times;
	off_t beginning; /* of a regular file */
	bool waits, fifo, followed;
	int successor; /* -1: none */
	int ended;     /* with ERR_EOF, or an error and why; 0: not yet */
	struct errmsg why;
	bool error_given;
	int known_dlt;   /* of the latest frame that can be decoded; -1 */
	int unknown_dlt; /* of one that cannot; -1 */
	uint64_t dropped, rejected;
};

/* Both ends of a FIFO are held, so it does not end with its writer. */
static int open_path(struct capture_file *c, const char *path)
{
	struct stat st;
	c->fifo = stat(path, &st) == 0 && S_ISFIFO(st.st_mode);
	if (strcmp(path, "-") == 0)
		c->base.fd = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0);
	else
		c->base.fd =
		    open(path, (c->fifo ? O_RDWR : O_RDONLY) | O_CLOEXEC);
	if (c->base.fd < 0 || fstat(c->base.fd, &st) != 0)
		return -errno;
	if (S_ISDIR(st.st_mode))
		return -EISDIR;
	c->waits = !S_ISREG(st.st_mode);
	if (!c->waits)
		c->beginning = lseek(c->base.fd, 0, SEEK_CUR);
	return 0;
}

static void begin_file(struct capture_file *c)
{
	c->file = pcap_file_new(c->base.fd, c->waits, c->followed);
}

static void end_file(struct capture_file *c)
{
	if (c->file)
		c->dropped += pcap_file_dropped(c->file);
	pcap_file_free(c->file);
	c->file = NULL;
}

/* An unknown link type is counted where the frame is decoded; a capture that
 * has nothing else ends with an error. */
static bool is_decoded(struct capture_file *c, int dlt)
{
	if (dlt == c->known_dlt)
		return true;
	if (packet_link_known(dlt))
		c->known_dlt = dlt;
	else
		c->unknown_dlt = dlt;
	return dlt == c->known_dlt;
}

static int end_frames(struct capture_file *c, int n, struct errmsg *msg)
{
	if (n == ERR_EOF && c->unknown_dlt >= 0 && c->known_dlt < 0)
		n = capture_check_link(&c->base, c->unknown_dlt, msg);
	else if (n != ERR_EOF)
		err_prefix(msg, "%s", c->base.name);
	c->ended = n;
	if (n != ERR_EOF)
		c->why = *msg;
	return n;
}

static int next_passing(void *arg, struct pcap_frame *f, struct errmsg *msg)
{
	struct capture_file *c = arg;
	if (c->ended)
		return err_set(msg, c->ended, "%s", c->why.text);
	for (;;) {
		int n = pcap_file_next(c->file, f, msg);
		if (n < 0)
			return end_frames(c, n, msg);
		if (n == 0 || !is_decoded(c, f->dlt) || !c->filter)
			return n;
		n = link_filter_match(
		    c->filter, f->dlt, f->bytes, f->caplen, f->wirelen, msg);
		if (n < 0)
			return end_frames(c, n, msg);
		if (n > 0)
			return n;
		c->rejected++;
	}
}

/* The rest of the file that was followed has been read. */
static int go_on_with_successor(struct capture_file *c, struct errmsg *msg)
{
	bool cut = !c->ended && pcap_file_is_within(c->file);
	end_file(c);
	close(c->base.fd);
	c->base.fd = c->successor;
	c->successor = -1;
	c->ended = 0;
	c->error_given = false;
	begin_file(c);
	if (!cut)
		return 0;
	return err_set(msg, ERR_TRUNCATED,
	    "%s: it was replaced in the middle of a frame", c->base.name);
}

int capture_file_next(
    struct capture *base, struct pcap_frame *frame, struct errmsg *msg)
{
	struct capture_file *c = (struct capture_file *)base;
	if (!c->file)
		begin_file(c);
	int n = time_check_next(&c->times, next_passing, c, frame, msg);
	if (n > 0 || !c->followed)
		return n;
	if (n < 0 && !c->error_given) {
		c->error_given = true;
		return n;
	}
	if (c->successor < 0)
		return 0;
	n = go_on_with_successor(c, msg);
	return n < 0 ? n : capture_file_next(base, frame, msg);
}

int capture_file_first(
    struct capture *base, struct walltime *at, struct errmsg *msg)
{
	struct capture_file *c = (struct capture_file *)base;
	struct link_filter *filter = c->filter;
	struct pcap_frame frame;
	c->filter = NULL;
	int n = capture_file_next(base, &frame, msg);
	c->filter = filter;
	if (n > 0)
		*at = frame.at;
	else if (n != ERR_EOF)
		return n;
	end_file(c);
	time_check_fini(&c->times);
	c->times = (struct time_check){ 0 };
	c->ended = 0;
	c->dropped = 0;
	if (lseek(c->base.fd, c->beginning, SEEK_SET) < 0)
		return capture_failure(base, -errno, err_str(-errno), msg);
	return n > 0 ? 0 : n;
}

bool capture_file_waits(const struct capture *base)
{
	return ((const struct capture_file *)base)->waits;
}

void capture_file_turn(struct capture *base)
{
	struct capture_file *c = (struct capture_file *)base;
	if (!c->file)
		begin_file(c);
	pcap_file_turn(c->file);
}

bool capture_file_goes_on(const struct capture *base)
{
	const struct capture_file *c = (const struct capture_file *)base;
	return c->fifo || c->followed;
}

int capture_file_succeed(struct capture *base, int fd)
{
	struct capture_file *c = (struct capture_file *)base;
	if (c->successor >= 0)
		return -EAGAIN;
	c->successor = fd;
	return 0;
}

bool capture_file_is_succeeded(const struct capture *base)
{
	return ((const struct capture_file *)base)->successor >= 0;
}

uint64_t capture_file_wrong_times(const struct capture *base)
{
	return ((const struct capture_file *)base)->times.wrong;
}

uint64_t capture_file_rejected(const struct capture *base)
{
	return ((const struct capture_file *)base)->rejected;
}

static int read_file(struct capture *base, int count, struct errmsg *msg)
{
	struct pcap_frame f = { 0 };
	int n = 0;
	capture_file_turn(base);
	/* poll does not know of what has been read of a pipe. */
	if (capture_file_waits(base))
		count = INT_MAX;
	while (n < count) {
		int got = capture_file_next(base, &f, msg);
		if (got == ERR_EOF && n > 0)
			break; /* it says so again */
		if (got < 0)
			return got;
		if (got == 0)
			break;
		base->fn(base->arg, f.dlt, f.bytes, f.caplen, f.wirelen, f.at);
		n++;
	}
	return n;
}

static uint64_t dropped_file(struct capture *base)
{
	const struct capture_file *c = (const struct capture_file *)base;
	return c->dropped + (c->file ? pcap_file_dropped(c->file) : 0);
}

static void close_file(struct capture *base)
{
	struct capture_file *c = (struct capture_file *)base;
	pcap_file_free(c->file);
	link_filter_free(c->filter);
	time_check_fini(&c->times);
	if (c->successor >= 0)
		close(c->successor);
	if (base->fd >= 0)
		close(base->fd);
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
	c->successor = c->known_dlt = c->unknown_dlt = -1;
	c->followed = config->follow;
	if (config->filter)
		c->filter = link_filter_new(config->filter);
	int err = open_path(c, path);
	if (err) {
		capture_failure(&c->base, err, err_str(err), msg);
		capture_close(&c->base);
		return err;
	}
	*capture = &c->base;
	return 0;
}
