/* SPDX-License-Identifier: ISC */
/*
 * Waits for frames and for time, and for nothing else: the one loop of the
 * agent's sensor and of `sonde sensor`.
 */
#pragma once

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/clock.h"
#include "probes/sensor/capture.h"
#include "probes/sensor/sensor-engine.h"

/* Of one capture. */
struct loop_frames {
	uint64_t read; /* so far */
	uint64_t skip; /* the first ones, which are not looked at */
};

struct loop {
	struct capture **captures;
	size_t capture_count;
	struct loop_frames *frames; /* one a capture; NULL: not counted */
	struct engine *engine;
	int64_t interval_ns;  /* 0: never; else aligned to wall time */
	int64_t for_ns;       /* 0: no limit */
	uint64_t max_packets; /* 0: no limit */
	int out_fd;           /* ends the loop when its reader has gone; -1 */
	const volatile sig_atomic_t *stop; /* may be NULL */
	/* After each look at the captures, at least once a minute, and at the
	 * end of an interval.  Both may be NULL; an error ends the loop.  When
	 * `interval` gives 1 it is not done: it is called again after the next
	 * look at the captures. */
	void (*counted)(void *arg);
	/* After frames of one capture; ended: they were its last.  May be NULL
	 * too. */
	void (*read)(void *arg, size_t capture, bool ended);
	int (*interval)(void *arg, struct errmsg *msg);
	void *arg;
};

/* Until stop, a limit, the end of all files, or an error. */
int loop_run(const struct loop *loop, struct errmsg *msg);
