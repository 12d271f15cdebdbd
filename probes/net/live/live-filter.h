/* SPDX-License-Identifier: ISC */
/*
 * Which packets the kernel copies to us: what can answer a probe that was
 * sent, and nothing else.  Each probe widens the ranges of local ports and
 * echo ids that are listened to; before the first, nothing is.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct live_range {
	uint16_t low, high; /* nothing if low is above high */
};

struct live_filter {
	int fd; /* borrowed; a packet socket that begins at the IP header */
	struct live_range echo, udp, tcp;
};

/* Lets nothing through.  0 or a negative errno, like the others. */
int live_filter_open(struct live_filter *filter, int fd);
/* This IP packet is about to leave. */
int live_filter_admit(
    struct live_filter *filter, const uint8_t *bytes, size_t len);
/* No program listens any more. */
int live_filter_forget(struct live_filter *filter);
