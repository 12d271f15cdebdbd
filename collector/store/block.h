/* SPDX-License-Identifier: ISC */
/*
 * Packed records as a block of columns and back, byte for byte.
 *
 * A record is a shape (its field numbers in wire order, each message ended by
 * 0; every shape is kept once a block) and values; each field of each message
 * has a column.  Times are differences to what came before them in the same
 * record, but wall_ns, which is one to the record before.  Each column is a
 * zstd frame of its own, so a search unpacks only the columns it asks, and a
 * record that is not wanted is passed over by counting values.  A record that
 * would not come back byte for byte (fields that the schema does not have or
 * that are out of order) is kept as it came, and so are those of small blocks.
 *
 *   version u8 =1 | count | mono base (zigzag) | streams, ended by id 0 |
 *   CRC-32C of all before it be32
 *   stream: id | len << 1 | packed | [packed len] | bytes
 *   id: 1 shapes (len, field numbers), 2 the shape of each record + 1 (0: as
 *   it came), 3 records as they came (len, bytes), else 4 + (path << 5 | code
 *   << 1 | data), path: the field numbers from the record down, 8 bits each,
 *   code: how numbers lie in it (enum block_code), data: a column's bytes,
 *   whose lengths are the other
 *
 * All numbers but u8 are varints (lib/sketch/varint.h).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/addr.h"
#include "lib/base/buf.h"
#include "lib/base/err.h"

#define BLOCK_VERSION 1
#define BLOCK_MAX_COUNT 65536u

struct block_writer;
struct block_writer *block_writer_new(void);
void block_writer_free(struct block_writer *writer);
/* record: at most RECORD_MAX_BYTES; any bytes. */
void block_add(struct block_writer *writer, const uint8_t *record, size_t len);
/* Appends what was added since the last seal. */
void block_seal(struct block_writer *writer, struct buf *to);

/* Zero fields do not filter. */
struct block_want {
	int64_t from_ns, to_ns; /* of wall_ns, [from, to); to_ns 0: no end */
	const uint32_t *kinds;
	size_t kind_count;
	const uint8_t *campaign; /* 16 bytes */
	uint64_t run;
	struct addr src, dst;
};
struct block_record {
	int64_t wall_ns;
	uint32_t kind;
	const uint8_t *body; /* valid until the next block_read */
	size_t len;
};
/* What a search asks of a record. */
struct block_head {
	int64_t wall_ns;
	uint32_t kind; /* 0: none */
	bool in_campaign;
	uint8_t campaign[16];
	uint64_t run;
	struct addr src, dst;
};
/* From a packed record.  ERR_MALFORMED. */
int block_head(struct block_head *head, const uint8_t *record, size_t len);
bool block_wants_head(
    const struct block_want *want, const struct block_head *head);

/* A block that is open; opens one after another and keeps its memory. */
struct block;
struct block *block_new(void);
void block_free(struct block *block);
/* Borrows `sealed` until the next open.  ERR_CORRUPT, also of the calls
 * below. */
int block_open(
    struct block *block, const void *sealed, size_t len, struct errmsg *msg);
uint32_t block_count(const struct block *block);
/* The places of the records that are wanted, ascending, valid until the next
 * call. */
int block_find(struct block *block, const struct block_want *want,
    const uint32_t **places, size_t *count, struct errmsg *msg);
int64_t block_wall_ns(const struct block *block, uint32_t place);
/* place: above that of the read before, or block_rewind. */
int block_read(struct block *block, uint32_t place, struct block_record *record,
    struct errmsg *msg);
void block_rewind(struct block *block);
