/* SPDX-License-Identifier: ISC */
/* An open block, for block.c, block-find.c and block-read.c. */
#pragma once

#include <stdbool.h>
#include <zstd.h>

#include "collector/store/block-schema.h"
#include "collector/store/block.h"

struct block_stream {
	const uint8_t *bytes; /* in the sealed block; NULL: there is none */
	size_t len, packed;   /* unpacked; packed 0: as it is */
	const uint8_t *pos, *end;
	uint64_t pending; /* values to pass over before the next read */
	uint8_t code;
	bool is_open, failed;
};
struct block_shape {
	const uint8_t *fields;
	uint32_t len, body; /* body: where its message begins */
	uint8_t kind;       /* 0: none */
	bool has_wall, has_campaign, has_run;
	int8_t has_src, has_dst;        /* 0: not looked yet, -1: no */
	bool counted;                   /* tallies are made */
	uint32_t tally_at, tally_count; /* values of each column */
};
struct block_tally {
	uint32_t column, count;
};
struct block_raw {
	const uint8_t *bytes;
	uint32_t len;
};
struct block {
	const struct block_schema *schema;
	struct block_stream *streams; /* by column */
	struct block_stream shape_stream, shape_of_stream, raw_stream;
	uint32_t *present; /* the columns that the block has */
	size_t present_count, present_cap;
	struct buf space; /* what is unpacked */
	size_t space_used;
	struct block_shape *shapes;
	uint32_t shape_count, shape_cap;
	struct block_tally *tallies;
	size_t tally_count, tally_cap;
	uint32_t *scratch; /* by column; zeros between uses */
	uint32_t *touched; /* columns that are not zero in it */
	uint32_t count, cap;
	uint32_t *shape_of; /* number + 1; 0: as it came */
	int64_t *walls;
	struct block_raw *raw_at;
	uint8_t *wanted;
	uint32_t *places;
	uint32_t at; /* the place that the columns stand at */
	int64_t mono_base;
	struct buf record;
	ZSTD_DCtx *zstd;
};

int block_damaged(struct errmsg *msg, const char *what);
int block_unpack(
    struct block *block, struct block_stream *stream, struct errmsg *msg);
/* Sets failed when the stream ends. */
uint64_t block_varint(struct block_stream *stream);
