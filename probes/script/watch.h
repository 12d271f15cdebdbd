/* SPDX-License-Identifier: ISC */
/* The time of a script, watched from signal handlers; one per process. */
#pragma once

#include "probes/script/host-private.h"

/* Ends the process with one line on log_fd when
 * the deadline comes, or when a script computes for `stall_ns` without once
 * asking the network: from a signal handler, so that nothing in Lua can put it
 * off.  A soft stop (SIGINT, or shortly before the deadline) sets the flag. */
void watch_start(int log_fd, struct monotime deadline, int64_t stall_ns);
void watch_alive(void);               /* the script is talking to us */
void watch_waits(bool waits);         /* it waits: not its own time */
const volatile int *watch_stop(void); /* 0, or an enum watch_reason */
enum watch_reason { WATCH_RUNS, WATCH_INTERRUPTED, WATCH_DEADLINE };
/* Writes to descriptor fd, whatever signals come. */
int write_all(int fd, const void *bytes, size_t len);
