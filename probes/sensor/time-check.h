/* SPDX-License-Identifier: ISC */
/*
 * Frames of one file, in order, without the times that cannot be: a frame
 * whose time is more than a day from both its neighbours', forth and back
 * again, gets the time of the one before it, and is counted.  A gap or a step
 * of the clock that lasts is none.
 */
#pragma once

#include "lib/base/buf.h"
#include "probes/sensor/file/pcap-file.h"

#define TIME_CHECK_FRAMES 3

struct time_check {
	bool begun;
	struct walltime last; /* that was good */
	uint64_t wrong;
	struct walltime outlier; /* what the latest wrong one had; 0: none */
	/* Frames that wait for their neighbours, the eldest first. */
	struct pcap_frame waiting[TIME_CHECK_FRAMES];
	struct buf copies[TIME_CHECK_FRAMES];
	size_t count;
	bool given; /* the first of them is with the caller */
};

typedef int next_frame_fn(
    void *arg, struct pcap_frame *frame, struct errmsg *msg);

/* Like `next`, which is asked for as many frames as it takes to decide; where
 * it gives none, what waits is decided without. */
int time_check_next(struct time_check *check, next_frame_fn *next, void *arg,
    struct pcap_frame *frame, struct errmsg *msg);
void time_check_fini(struct time_check *check);
