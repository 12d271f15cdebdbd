/* SPDX-License-Identifier: ISC */
/* Where a record's fields are in a block: the schema's messages as places, one
 * for each way from the record down, and their fields as columns. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <protobuf-c/protobuf-c.h>

#define BLOCK_DEPTH 6
#define BLOCK_FIELDS 128 /* a higher field number makes a record raw */

enum block_wire {
	BLOCK_VARINT = 0,
	BLOCK_FIXED64 = 1,
	BLOCK_BYTES = 2,
	BLOCK_NONE = 8, /* no such field, or nothing a column is made of */
};

/* How a number lies in its column.  Part of the format: a code never changes
 * its meaning. */
enum block_code {
	CODE_PLAIN, /* varint as it is */
	CODE_RAW8,  /* the eight bytes */
	CODE_WALL,  /* to wall_ns of the record before */
	CODE_MONO,  /* to wall_ns and the block's base */
	CODE_NEAR,  /* to wall_ns; what comes last is remembered as first */
	CODE_TX,    /* to the transmit time before, at first wall_ns */
	CODE_RX,    /* to the transmit time */
	CODE_RTT,   /* to receive less transmit time */
	CODE_LAST,  /* to the one that CODE_NEAR remembered */
	CODE_BYTES, /* the length; the bytes are in the column after */
	CODES = 16,
};

struct block_field {
	uint8_t wire, code;
	bool repeated;
	uint16_t sub; /* place of the message; 0: none */
};
struct block_place {
	uint64_t path;    /* field numbers, 8 bits each */
	uint32_t base;    /* column of field f: base + 2 f */
	uint8_t most;     /* the highest field number */
	uint8_t src, dst; /* numbers of the fields of that name; 0: none */
	/* Of a body that is a row of cells: the cells, of a cell its values,
	 * of a value its address; 0: none.  Such a body's dst is the first
	 * address that begins a cell. */
	uint8_t row, values, address;
	struct block_field fields[BLOCK_FIELDS];
};
struct block_schema {
	const struct block_place *places; /* [0]: the record */
	size_t place_count;
	uint32_t columns;
};

#define BLOCK_RECORD_WALL 1
#define BLOCK_RECORD_CAMPAIGN 5
#define BLOCK_RECORD_RUN 6

/* Made at the first call; of the program's own schema. */
const struct block_schema *block_schema(void);

/* The number of a stream (collector/store/block.h), and back: -1: not of this
 * schema. */
#define STREAM_SHAPES 1
#define STREAM_SHAPE_OF 2
#define STREAM_RAW 3
#define STREAM_FIRST 4
uint64_t block_stream_id(uint32_t column);
int32_t block_stream_column(uint64_t id, uint8_t *code);

/* What later times of a record are measured from. */
struct block_times {
	int64_t before; /* wall_ns of the record before */
	int64_t wall, tx, rx, first, mono_base;
};
static inline int64_t block_predict(const struct block_times *t, uint8_t code)
{
	switch (code) {
	case CODE_WALL: return t->before;
	case CODE_MONO:
		return (int64_t)((uint64_t)t->wall + (uint64_t)t->mono_base);
	case CODE_NEAR: return t->wall;
	case CODE_TX:
	case CODE_RX: return t->tx;
	case CODE_RTT: return (int64_t)((uint64_t)t->rx - (uint64_t)t->tx);
	case CODE_LAST: return t->first;
	default: return 0;
	}
}
static inline void block_learn(struct block_times *t, uint8_t code, int64_t v)
{
	if (code == CODE_WALL)
		t->wall = t->tx = t->rx = t->first = v;
	else if (code == CODE_NEAR)
		t->first = v;
	else if (code == CODE_TX)
		t->tx = t->rx = v;
	else if (code == CODE_RX)
		t->rx = v;
}
static inline void block_times_start(struct block_times *t)
{
	t->wall = t->tx = t->rx = t->first = 0;
}
static inline uint64_t zigzag(uint64_t d)
{
	return (d << 1) ^ (0 - (d >> 63));
}
static inline uint64_t unzigzag(uint64_t z)
{
	return (z >> 1) ^ (0 - (z & 1));
}
