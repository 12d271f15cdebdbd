/* SPDX-License-Identifier: ISC */
/*
 * Where frames come from: interfaces, or a capture file (file/pcap-file.h).
 *  Opening is separate from starting, so that a file's
 * bytes are read only after the process has given up what it does not need.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/clock.h"
#include "lib/base/err.h"

#define CAPTURE_INTERFACES_MAX 8

/* What happens to an interface, for a human. */
typedef void capture_notice_fn(void *arg, const char *text);

struct capture_config {
	const char *filter; /* pcap-filter(7), or NULL */
	bool promiscuous;
	bool follow; /* a file: its end is not the end of the capture */
	/* Live.  The ring of an interface, and its most, under load. */
	uint32_t snaplen, buffer_bytes, buffer_most_bytes;
	int feed_fd; /* where fresh sockets come from (packet-feed.h),
			borrowed; -1: nowhere */
	capture_notice_fn *notice; /* may be NULL */
	void *notice_arg;
};

struct capture;

/* Interfaces, or "any", watched from now on, each for itself: one that is
 * absent or down is taken when it comes.  Frames come as DLT_LINUX_SLL2.
 * -EPERM names the line that grants the right to. */
int capture_open_live(struct capture **capture, const char *const *interfaces,
    size_t count, const struct capture_config *config, struct errmsg *msg);
/* A file, a FIFO, or "-" for standard input; nothing is read yet.  What is
 * there of one that is not regular is read whenever poll has a word of it. */
int capture_open_file(struct capture **capture, const char *path,
    const struct capture_config *config, struct errmsg *msg);
void capture_close(struct capture *capture);

/* Becomes readable when there are frames; for poll. */
int capture_fd(const struct capture *capture);
const char *capture_name(const struct capture *capture);

typedef void capture_fn(void *arg, int dlt, const uint8_t *bytes, size_t caplen,
    size_t wirelen, struct walltime at);
/* Gives up to count frames, of a pipe all that has been written to it and was
 * read at once: how many there were, 0 when there are none now,
 * ERR_EOF at the end of a file, or an error.  The first call for a file reads
 * its header. */
int capture_read(struct capture *capture, int count, capture_fn *fn, void *arg,
    struct errmsg *msg);

/* No frame is taken any more.  True: of an interface; what was taken comes by
 * capture_read until that gives ERR_EOF, within some seconds. */
bool capture_finish(struct capture *capture);

/* What a live capture lost since it was opened. */
uint64_t capture_dropped(struct capture *capture);

enum capture_state { CAPTURE_ABSENT, CAPTURE_DOWN, CAPTURE_UP };
const char *capture_state_name(enum capture_state state);

/* Of one interface; counts since the capture was opened. */
struct capture_coverage {
	const char *name; /* borrowed, like why */
	enum capture_state state;
	const char *why;       /* it is not watched, in words; "" */
	struct walltime since; /* it is watched, or not */
	uint64_t captured;
	uint64_t dropped_kernel; /* before they came to a ring, by the device
				    or the kernel's queue */
	uint64_t dropped_ring;   /* for want of room in it */
	uint64_t dropped_own;    /* captured, but not read */
	size_t ring_bytes;
};
/* How many interfaces: 0 for a file. */
size_t capture_coverage(
    struct capture *capture, struct capture_coverage *coverage, size_t most);
/* Which of them the frames of the last capture_read came from. */
size_t capture_current(const struct capture *capture);
