/* SPDX-License-Identifier: ISC */
/*
 * Sorted tables in rollup.db.  A table is divided by bins (an hour, a day),
 * each bin into parts with ascending numbers (what one flush or merge wrote),
 * a part into segments by key.  Parts of one bin may hold the same keys: the
 * reader adds them up.
 */
#pragma once

#include "collector/store/sqlite/rollup/segment.h"
#include "lib/sqlite/db.h"

#define PART_KEY_MOST 21

enum rollup_table {
	ROLLUP_SOURCES = 1, /* hours of rows by source and finest bin */
	ROLLUP_HEAVY,       /* days: the groups with most packets ... */
	ROLLUP_LIGHT,       /* ... and the others */
	ROLLUP_PATHS,       /* hours of rows by path and minute */
	ROLLUP_PATH_DAYS,
	ROLLUP_LINKS, /* hours that are over */
	ROLLUP_SEEN,  /* stripes of sources that were ever seen */
};

struct part_id {
	enum rollup_table table;
	int64_t bin; /* seconds; stripes: their number */
	int64_t part;
};
/* What the catalogue holds of a part. */
struct part_info {
	struct part_id id;
	uint64_t rows;
	int64_t upto;    /* days: the last part of its hours that it holds */
	bool fine;       /* rows of the finest bin, not only of the whole */
	int64_t made_ns; /* wall time */
};

/* --- writing --- */
struct part_writer {
	struct db *db;
	struct segment_codec *codec;
	struct part_info info;
	size_t chunk_rows, key_len;
	uint8_t first[PART_KEY_MOST], last[PART_KEY_MOST];
	struct segment segment; /* under way */
	struct buf bytes;
	struct errmsg *msg;
	int err; /* sticky */
};

/* Of each segment; columns 0: the caller makes its own. */
struct part_shape {
	size_t columns;
	const uint8_t *flags;
	size_t chunk_rows, key_len;
};
/* info.rows is counted. */
void part_begin(struct part_writer *writer, struct db *db,
    struct segment_codec *codec, const struct part_info *info,
    const struct part_shape *shape, struct errmsg *msg);
/* The full segment is written by the caller's order or, with part_row, by
 * itself: the row's number in writer->segment, to be filled. */
size_t part_row(struct part_writer *writer, const uint8_t *key);
/* Writes the segment under way. */
int part_seal(struct part_writer *writer);
/* Of a segment that the caller made. */
int part_put(struct part_writer *writer, const struct segment *segment,
    const uint8_t *first, const uint8_t *last);
/* Enters a part that has rows into the catalogue. */
int part_end(struct part_writer *writer);

/* --- reading --- */
struct part_stream {
	struct db *db;
	struct part_id id;
	size_t key_len;
	struct segment segment;
	size_t at;   /* row in it */
	int64_t row; /* of the segment; 0: none yet */
	uint8_t last[PART_KEY_MOST];
	bool ended;
};
void part_stream_init(struct part_stream *stream, struct db *db,
    struct segment_codec *codec, const struct part_id *id, size_t key_len);
void part_stream_fini(struct part_stream *stream);
/* To the next segment whose last key is at or above `key` (NULL: the next).
 * 1: there is one and at is 0; 0: the end; or an error. */
int part_stream_chunk(
    struct part_stream *stream, const uint8_t *key, struct errmsg *msg);

/* --- the catalogue --- */
struct part_list {
	struct part_info *items; /* owned */
	size_t count;
};
void part_list_fini(struct part_list *list);
/* Parts of bins in [from, to), by bin, then part. */
int part_list_read(struct db *db, enum rollup_table table, int64_t from,
    int64_t to, struct part_list *list, struct errmsg *msg);
int part_delete(struct db *db, const struct part_id *id, struct errmsg *msg);
/* Bins in [from, to); first NULL: all keys. */
struct part_span {
	enum rollup_table table;
	int64_t from, to;
	const uint8_t *first, *last;
	size_t key_len;
};
/* Rows of segments that may hold such keys, counted up to `most`. */
int part_count(struct db *db, const struct part_span *span, uint64_t most,
    uint64_t *rows, struct errmsg *msg);
