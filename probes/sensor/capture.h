/* SPDX-License-Identifier: ISC */
/*
 * Where frames come from: an interface, by libpcap, or a capture file
 * (file/pcap-file.h).  Opening is separate from starting, so that a file's
 * bytes are read only after the process has given up what it does not need.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/clock.h"
#include "lib/base/err.h"

struct capture_config {
	const char *filter;             /* pcap-filter(7), or NULL */
	uint32_t snaplen, buffer_bytes; /* live */
	bool promiscuous;
	bool follow; /* a file: its end is not the end of the capture */
};

struct capture;

/* An interface, listening from now on.  -EPERM names the line that grants the
 * right to; ERR_NOT_FOUND: no such interface. */
int capture_open_live(struct capture **capture, const char *interface,
    const struct capture_config *config, struct errmsg *msg);
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

/* What a live capture lost since it was opened. */
uint64_t capture_dropped(struct capture *capture);
