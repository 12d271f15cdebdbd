/* SPDX-License-Identifier: ISC */
/*
 * Rows of paths: the traces along one path in one minute (hours) or one day, as
 * sums (analysis/path.h).  A hop is four columns, so that what one link needs
 * is decoded without the rest of the path.
 */
#pragma once

#include "analysis/path.h"
#include "collector/store/sqlite/rollup/gather-private.h"
#include "collector/store/sqlite/rollup/rollup-part.h"

/* Where a part has more rows, times are kept to the millisecond, and the
 * smallest round trip of a single trace's hop as exactly as its histogram. */
#define PATH_EXACT_ROWS 4096

struct path_row {
	uint32_t path;
	int64_t bin;
	uint64_t traces, reached;
	int64_t first_ns, last_ns;
	const uint8_t *sums; /* as path_write_sums makes them; borrowed */
	size_t sums_len;
};

/* Writing: rows in order of path and bin. */
struct path_writer {
	struct part_writer part;
	struct path_row *rows; /* of the segment under way; owned */
	size_t count;
	struct buf sums; /* of these rows */
	bool exact;
};
void path_part_begin(struct path_writer *writer, struct db *db,
    struct segment_codec *codec, const struct part_info *info, bool exact,
    struct errmsg *msg);
void path_part_row(struct path_writer *writer, const struct path_row *row);
int path_part_end(struct path_writer *writer);

/* Reading. */
struct path_stream {
	struct part_stream part;
	uint32_t path; /* the current row */
	int64_t bin;
	size_t tail_at; /* of the current row's part of the tail */
	/* Only these paths, ascending (NULL: all); borrowed. */
	const uint32_t *wanted;
	size_t wanted_count, wanted_at;
	bool names_only; /* path and bin of each row, not its sums */
	struct histogram scratch;
};
void path_stream_init(struct path_stream *stream, struct db *db,
    struct segment_codec *codec, const struct part_id *id);
void path_stream_fini(struct path_stream *stream);
/* 1: the next row; 0: the end. */
int path_stream_next(struct path_stream *stream, struct errmsg *msg);
/* Adds the current row to the sums of `path`, which is of that path or has no
 * hops yet.  ERR_CORRUPT. */
int path_stream_add(
    struct path_stream *stream, struct path *path, struct errmsg *msg);

/* The current row, with its sums appended to `to` as path_write_sums makes
 * them; row->sums is not set.  ERR_CORRUPT. */
int path_stream_row(struct path_stream *stream, struct path_row *row,
    struct buf *to, struct errmsg *msg);

/* Rows of several parts, those of one path together. */
struct path_merge {
	struct path_stream *streams; /* owned */
	size_t count, cap;
	struct path_stream *current; /* its row is the next one */
};
void path_merge_part(struct path_merge *merge, struct db *db,
    struct segment_codec *codec, const struct part_id *id,
    const uint32_t *wanted, size_t wanted_count);
void path_merge_fini(struct path_merge *merge);
int path_merge_start(struct path_merge *merge, struct errmsg *msg);
/* By path, then bin. */
int path_merge_next(struct path_merge *merge, struct errmsg *msg);

void paths_add(struct gather *gather, uint32_t path,
    const struct prepared_record *record, int64_t at_ns);
int paths_flush(struct gather *gather, struct errmsg *msg);
void paths_clear(struct gathered *set);
