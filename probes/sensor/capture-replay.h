/* SPDX-License-Identifier: ISC */
/*
 * Capture files into an engine, in the time of the captures: intervals and
 * limits are counted by the frames' own times.  Files are merged by time.
 * When one of them is a pipe or goes on (a FIFO, a file that is followed),
 * frames are taken as they come instead.
 */
#pragma once

#include <signal.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/clock.h"
#include "probes/sensor/capture.h"
#include "probes/sensor/sensor-engine.h"

#define REPLAY_FILES_MOST 1024
#define REPLAY_AT_ONCE_MOST 32 /* that are taken as they come */

/* Comes over replay.successors_fd with a descriptor (probes/ipc/fd-pass.h). */
struct replay_successor {
	uint32_t file; /* index of the one that it replaces */
};

struct replay_span {
	struct walltime since, until; /* of an interval its ends, else of the
					 first and the last frame */
};

struct replay {
	struct capture **files;
	size_t file_count; /* 1..REPLAY_FILES_MOST */
	struct engine *engine;
	int64_t interval_ns;  /* 0: never; else at whole multiples of UTC */
	int64_t for_ns;       /* from the first frame on; 0: no limit */
	uint64_t max_packets; /* 0: no limit */
	int out_fd;           /* its reader has gone: the end; -1 */
	int successors_fd;    /* -1: none come */
	const volatile sig_atomic_t *stop; /* may be NULL */
	/* At the end of an interval that had frames.  An error ends it all. */
	int (*interval)(
	    void *arg, const struct replay_span *span, struct errmsg *msg);
	/* A file is broken; what was read of it counts, others are read on. */
	void (*trouble)(void *arg, const struct errmsg *msg);
	void *arg;
};

/* Until all files have ended, a limit, or stop.  span becomes that of the
 * interval that is open, {0, 0} when there is none.  0; the first error of a
 * file, which trouble was told; or an error of interval, with msg, alone. */
int replay_run(
    const struct replay *replay, struct replay_span *span, struct errmsg *msg);
