/* SPDX-License-Identifier: ISC */
/*
 * The agent's safe place for records: an append-only log of segments in one
 * folder.  Sequence numbers are given here, once, contiguous within an epoch.
 * A record is safe when spool_sync has returned after its append.
 *
 * On disk: <dir>/EPOCH.SEQ.CLASS.seg (16+16 hex digits, the first seq in the
 * file; a class has its own segments, so that it can be dropped alone, and the
 * numbers run through all of them), <dir>/ack (what the collector has
 * committed), <dir>/epoch.  Segment header: magic, format version, class,
 * agent, epoch, first seq, CRC32C.  Frame: length, class, flags, seq, mono_ns,
 * wall_ns, header CRC32C, payload, CRC32C over payload and seq.  All
 * little-endian.
 *
 * Recovery: a bad tail with no valid frame after it is torn and is cut off; a
 * bad frame before a valid one is corruption: the segment is quarantined
 * (*.bad), its valid frames are kept, and the range is declared lost in a
 * gap record.  A failed fsync is never retried on the same file: what was
 * not synced is written again to a new segment.
 *
 * An epoch goes on only after a clean close: behind a crash, what had a
 * number and was not synced may be gone, and a number is never given twice.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/buf.h"
#include "lib/base/err.h"
#include "lib/record/kinds.h"

/* The system calls a spool makes, so that tests can fail, cut and reorder
 * them.  spool_io_posix is the real one. */
struct spool_io {
	int (*open)(void *ctx, const char *path, int flags, int mode);
	long (*write)(void *ctx, int fd, const void *data, size_t len);
	int (*fsync)(void *ctx, int fd);
	int (*fsync_dir)(void *ctx, const char *dir);
	int (*rename)(void *ctx, const char *from, const char *to);
	int (*unlink)(void *ctx, const char *path);
	int (*ftruncate)(void *ctx, int fd, int64_t len);
	int (*close)(void *ctx, int fd);
	void *ctx;
};
extern const struct spool_io spool_io_posix;

struct spool_config {
	const char *dir; /* borrowed for the call */
	uint8_t agent[16];
	uint64_t max_bytes;        /* bound on disk; at least two segments */
	uint32_t segment_bytes;    /* 0: 8 MiB */
	const struct spool_io *io; /* NULL: spool_io_posix */
};

struct spool_stats {
	uint64_t epoch, next_seq; /* the next record gets next_seq */
	uint64_t acked_seq;       /* all below are committed at the collector */
	uint64_t bytes;           /* on disk */
	uint64_t appended, dropped,
	    lost; /* since open; dropped: by the bound */
	uint64_t recovered_torn, quarantined;
};

struct spool; /* the writer: one process only (an flock ensures it) */

/* Opens or creates, recovers, and appends a gap record for what recovery
 * found gone.  A folder that cannot be trusted (not closed cleanly, without
 * its marks, of another agent) starts a new epoch. */
int spool_open(struct spool **spool, const struct spool_config *config,
    struct errmsg *msg);
void spool_close(struct spool *spool);

/* Appends one packed record and gives its number.  Nothing is safe before
 * spool_sync.  When the bound is reached, whole segments of the lowest class
 * dropped and declared.  An error took no number: ERR_LIMIT when all
 * that could be dropped is of a higher class than this record. */
int spool_append(struct spool *spool, enum spool_class class,
    const void *record, size_t len, uint64_t *seq, struct errmsg *msg);
int spool_sync(struct spool *spool, struct errmsg *msg);

/* The collector has committed all records of epoch below next_seq, and of all
 * earlier epochs: remembers it durably, then deletes what is wholly below.
 * ERR_FORKED when the collector has what this spool never numbered: nothing
 * is deleted, and the next open starts a new epoch. */
int spool_ack(
    struct spool *spool, uint64_t epoch, uint64_t next_seq, struct errmsg *msg);
void spool_stats(const struct spool *spool, struct spool_stats *stats);

/* The reading half, for another process that has the folder read-only.  Sees
 * only whole, valid frames. */
struct spool_reader;
int spool_reader_open(
    struct spool_reader **reader, const char *dir, struct errmsg *msg);
void spool_reader_close(struct spool_reader *reader);

/* Reads the run of records that starts at (epoch, seq), or at the first one
 * after it, up to max_count records or max_bytes; frames are appended to
 * `to`, each as be32 length and payload.  Reports what it found: records are
 * contiguous from *first_seq.  ERR_EOF: nothing there yet.  A range that is
 * gone (declared lost by the writer) is skipped: *first_seq says so, and the
 * batch's gap_from is the seq that was asked for; in a new epoch it is 1. */
struct spool_want {
	uint64_t epoch, seq;
	uint32_t max_count;
	size_t max_bytes;
};
struct spool_run {
	uint64_t epoch, first_seq;
	uint32_t count;
};
int spool_reader_next(struct spool_reader *reader,
    const struct spool_want *want, struct spool_run *run, struct buf *to,
    struct errmsg *msg);
/* The durable ack mark: where a shipper starts.  When it is gone, the first
 * record that is there; ERR_NOT_FOUND when there is none either. */
int spool_reader_acked(struct spool_reader *reader, uint64_t *epoch,
    uint64_t *next_seq, struct errmsg *msg);
