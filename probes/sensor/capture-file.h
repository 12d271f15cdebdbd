/* SPDX-License-Identifier: ISC */
/*
 * A capture file frame by frame, for who reads several at once.  All take a
 * capture of capture_open_file.
 */
#pragma once

#include "probes/sensor/capture.h"
#include "probes/sensor/file/pcap-file.h"

/* The next frame that the filter lets pass, its time checked: 1, 0 when there
 * is none yet, ERR_EOF, or an error, after which a file that is followed goes
 * on with its successor and another has ended. */
int capture_file_next(
    struct capture *capture, struct pcap_frame *frame, struct errmsg *msg);
/* The time of its first frame, whatever the filter says, and back to the
 * beginning.  Only of a regular file; ERR_EOF: it has none. */
int capture_file_first(
    struct capture *capture, struct walltime *at, struct errmsg *msg);

/* A pipe or the like: its descriptor has to be polled before a turn. */
bool capture_file_waits(const struct capture *capture);
void capture_file_turn(struct capture *capture);
/* Written by somebody who does not end it: a FIFO, a file that is followed. */
bool capture_file_goes_on(const struct capture *capture);

/* The file that is written now, in place of the one that was followed, whose
 * rest is read first.  Takes the descriptor; -EAGAIN: one is waiting already,
 * and the descriptor stays the caller's. */
int capture_file_succeed(struct capture *capture, int fd);
/* Does one wait? */
bool capture_file_is_succeeded(const struct capture *capture);

/* How many frames had a time that cannot be, see time-check.h. */
uint64_t capture_file_wrong_times(const struct capture *capture);
/* How many frames the filter let not pass. */
uint64_t capture_file_rejected(const struct capture *capture);
