/* SPDX-License-Identifier: ISC */
/*
 * The bytes of a spool: names, segment headers, frames, marks.  Private to
 * lib/spool/.  All little-endian.
 *
 *   segment header  magic 8 | version u16 | class u16 | reserved u32 |
 *                   agent 16 | epoch u64 | first_seq u64 | CRC32C u32
 *   frame           length u32 | class u16 | flags u16 | seq u64 |
 *                   mono_ns u64 | wall_ns i64 | CRC32C u32 of these |
 *                   payload | CRC32C u32 of payload and seq
 *   mark            magic 8 | epoch u64 | seq u64 | CRC32C u32
 *
 * The frames' checksums start from a seed made of agent and epoch: a frame
 * that strayed here from another spool does not check.
 */
#pragma once

#include "lib/base/buf.h"
#include "lib/base/clock.h"
#include "lib/base/reader.h"
#include "lib/record/record.h"
#include "lib/spool/spool.h"

enum {
	SPOOL_HEADER_LEN = 52,
	SPOOL_FRAME_HEAD = 36,
	SPOOL_FRAME_EXTRA = SPOOL_FRAME_HEAD + 4, /* a frame less its payload */
	SPOOL_FRAME_MAX = SPOOL_FRAME_EXTRA + RECORD_MAX_BYTES,
	SPOOL_NAME_LEN = 48,
	SPOOL_MARK_LEN = 28,
	SPOOL_FLAG_GAP = 1, /* a gap record that the spool made itself */
};

/* A place in the sequence of all epochs. */
struct spool_place {
	uint64_t epoch, seq;
};

static inline int spool_place_cmp(struct spool_place a, struct spool_place b)
{
	if (a.epoch != b.epoch)
		return a.epoch < b.epoch ? -1 : 1;
	return a.seq < b.seq ? -1 : a.seq > b.seq;
}

/* What a segment's name holds. */
struct spool_name {
	struct spool_place first;
	enum spool_class class;
};
void spool_name_text(
    const struct spool_name *name, char to[static SPOOL_NAME_LEN]);
/* False when the text is no segment's name. */
bool spool_name_parse(struct spool_name *name, const char *text);

uint32_t spool_seed(const uint8_t agent[static 16], uint64_t epoch);

void spool_header_put(struct buf *to, const uint8_t agent[static 16],
    const struct spool_name *name);
/* 0, ERR_TRUNCATED, ERR_CORRUPT (checksum), or ERR_UNSUPPORTED (version). */
int spool_header_read(const void *bytes, size_t len, uint8_t agent[static 16],
    struct spool_name *name);

struct spool_frame {
	enum spool_class class;
	uint16_t flags;
	uint64_t seq;
	struct monotime mono;
	struct walltime wall;
	const uint8_t *payload; /* borrowed */
	uint32_t len;
};
void spool_frame_put(
    struct buf *to, uint32_t seed, const struct spool_frame *frame);
/* Moves the reader past the frame.  ERR_TRUNCATED: the bytes end first;
 * ERR_CORRUPT: a checksum is wrong or a field cannot be.  The reader has not
 * moved then. */
int spool_frame_read(
    struct spool_frame *frame, struct reader *r, uint32_t seed);

/* Walks the valid frames of a segment's bytes, in order of their numbers;
 * what does not check is stepped over. */
struct spool_scan {
	struct reader r;
	const uint8_t *start;
	uint32_t seed;
	uint64_t last_seq;
	bool damaged;     /* bytes were stepped over to find this frame */
	size_t valid_end; /* offset behind the last valid frame */
};
struct spool_scan spool_scan_init(
    const uint8_t *bytes, size_t len, size_t offset, uint32_t seed);
/* False when no valid frame is left: all from valid_end on is a bad tail. */
bool spool_scan_next(struct spool_scan *scan, struct spool_frame *frame);

/* Small files that hold one place: "ack" and "epoch". */
void spool_mark_put(struct buf *to, struct spool_place place);
int spool_mark_read(const char *dir, const char *name,
    struct spool_place *place, struct errmsg *msg);
