/* SPDX-License-Identifier: ISC */
/*
 * A piece of a sorted table as bytes: some hundred to some thousand rows, kept
 * by columns.  A column is unsigned 64-bit numbers (LEB128), or the differences
 * of neighbours (zigzag), and a frame of its own or together with the columns
 * before it; a column is decoded when it is first asked for.  Beside the
 * columns there is a tail of bytes for what is no number.
 *
 *   rows | columns | flags of each column, a byte | frames, the tail's last
 *   frame: 0 value: all numbers of its one column are this
 *          1 length bytes | 2 length packed-length zstd
 *   in a frame of several columns: the length of each but the last, then they
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/buf.h"
#include "lib/base/err.h"

#define SEGMENT_ROWS_MOST 16384u
#define SEGMENT_COLUMNS_MOST 1048u

enum segment_flags {
	SEGMENT_DELTA = 1,  /* differences of neighbours are small */
	SEGMENT_JOINED = 2, /* in the frame of the column before it */
};

/* The compressor's memory, for one thread at a time. */
struct segment_codec;
struct segment_codec *segment_codec_new(void);
void segment_codec_free(struct segment_codec *codec);

struct segment {
	size_t rows, columns;
	uint8_t *flags;    /* of each column */
	uint64_t **values; /* of each column: rows, or NULL: not decoded */
	struct buf tail;
	/* read: */
	struct segment_codec *codec; /* borrowed */
	struct buf body;
	struct segment_frame *frames;
	size_t frame_count;
};

/* A new one to be filled: the caller sets values[c][row] for rows up to `cap`,
 * then `rows`. */
void segment_init(
    struct segment *segment, size_t columns, const uint8_t *flags, size_t cap);
void segment_fini(struct segment *segment);
/* Appends it as bytes. */
void segment_seal(
    const struct segment *segment, struct segment_codec *codec, struct buf *to);

/* Copies the bytes.  ERR_CORRUPT.  A segment that was open may be opened
 * again. */
int segment_open(struct segment *segment, struct segment_codec *codec,
    const void *bytes, size_t len);
/* NULL when it cannot be decoded. */
const uint64_t *segment_column(struct segment *segment, size_t column);
/* Decodes the tail into segment->tail.  ERR_CORRUPT. */
int segment_open_tail(struct segment *segment);
