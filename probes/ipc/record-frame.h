/* SPDX-License-Identifier: ISC */
/*
 * Who may add records to the spool, and which.  A producer writes whole
 * frames (be32 length, packed Record; or lines of text) to its end of a
 * SOCK_SEQPACKET pair, one or more to a datagram; what it sends is checked
 * against its grant before it becomes a record, because a sensor or a script
 * may have been taken over by what it reads.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/err.h"
#include "lib/record/record.h"

#define PRODUCER_NAME_LEN 32
#define PRODUCER_DATAGRAM_BYTES (RECORD_MAX_BYTES + 4)

struct producer_grant {
	char name[PRODUCER_NAME_LEN]; /* "sensor", "run", for logs */
	uint32_t roles;               /* RECORD_BY_*: which kinds it may add */
	uint32_t flags;               /* PRODUCER_* below */
	uint8_t campaign[16];
	uint64_t run;
};
/* campaign and run of every record are the grant's; without it, none. */
#define PRODUCER_BOUND 1u
/* The datagrams are lines of text, which become log records. */
#define PRODUCER_LINES 2u
/* After each sync it gets (be64) how many of its records are on disk. */
#define PRODUCER_ACKS 4u
/* The descriptor listens: who connects to it is a producer. */
#define PRODUCER_LISTENS 8u
/* Any campaign and run. */
#define PRODUCER_FREE 16u

/* The next frame of a datagram: moves r past it, or fails r.  ERR_EOF at the
 * end, else ERR_TRUNCATED, ERR_LIMIT. */
struct reader;
int producer_next_frame(struct reader *r, const uint8_t **record, size_t *len);

/* In a frame's length: a record to show and not to keep, of what is not whole
 * yet.  It is sent only where it was asked for; a keeper refuses it. */
#define PRODUCER_PREVIEW 0x80000000u
/* The next frame if it is one, else ERR_NOT_FOUND and r stays. */
int producer_next_preview(
    struct reader *r, const uint8_t **record, size_t *len);

/* The record, when the producer may add it; free with record_free.  ERR_DENIED
 * when it may not. */
int producer_unpack(const struct producer_grant *grant, const uint8_t *bytes,
    size_t len, Sonde__Record **record, struct errmsg *msg);

/* Appends a record's frame; mark: 0 or PRODUCER_PREVIEW.  An error appends
 * nothing. */
int producer_put(struct buf *frames, const Sonde__Record *record, uint32_t mark,
    struct errmsg *msg);
/* Sends one packed record as a frame; blocks while the keeper is behind. */
int producer_send(int fd, const Sonde__Record *record, struct errmsg *msg);
/* The same for a Log record about `process`. */
int producer_log(int fd, uint32_t level, const char *process, const char *text);
/* The same about a campaign's run; level 0: the run has failed, and
 * why. */
int producer_log_run(int fd, const uint8_t campaign[static 16], uint64_t run,
    uint32_t level, const char *process, const char *text);
