/* SPDX-License-Identifier: ISC */
/*
 * Kernel transmit timestamps of one raw socket, matched to cookies.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "lib/base/err.h"
#include "probes/net/net.h"

#define LIVE_STAMPS_MAX 4096 /* packets without a timestamp yet */

struct live_stamps {
	int fd;            /* borrowed */
	uint32_t next_key; /* the kernel numbers packets from 0 */
	uint32_t oldest;   /* first that may still wait */
	struct {
		uint32_t cookie;
		int waiting;
		struct monotime sent;
		struct walltime wall; /* read by us before the call */
	} ring[LIVE_STAMPS_MAX];
};

int live_stamps_open(struct live_stamps *stamps, int fd, struct errmsg *msg);
/* A packet left; its timestamp is to come. */
void live_stamps_sent(struct live_stamps *stamps, uint32_t cookie,
    struct monotime now, struct walltime wall);
/* A send failed in a way that may have used up a number: start over.  What
 * waits is answered with our own clock. */
void live_stamps_reset(struct live_stamps *stamps, net_event_fn *fn, void *arg);
/* Gives NET_SENT for what the kernel stamped, and with our own clock for what
 * it has not stamped in time. */
void live_stamps_poll(struct live_stamps *stamps, struct monotime now,
    net_event_fn *fn, void *arg);
