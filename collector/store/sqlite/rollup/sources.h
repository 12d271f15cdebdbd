/* SPDX-License-Identifier: ISC */
/*
 * Rows of sources: packets of one source, class, protocol and port that one
 * agent saw in one bin.  Hours have the finest bins that there are, by address,
 * so that one source or prefix is found in few segments.  Days have one bin,
 * times to the second, and are ordered by class, then address, so that the
 * sources of one class lie together.
 */
#pragma once

#include "collector/store/sqlite/rollup/rollup-part.h"
#include "lib/base/addr.h"
#include "lib/sketch/census.h"

/* An hour's part with more rows has times to the millisecond. */
#define SOURCE_EXACT_ROWS 4096
#define SOURCE_HOUR_CHUNK 4096
#define SOURCE_HEAVY_CHUNK 1024 /* read through */
#define SOURCE_LIGHT_CHUNK 448  /* looked into; one to a page */
#define HOUR_S 3600
#define DAY_S 86400

/* Compared as bytes: no padding. */
struct source_key {
	uint64_t hi, lo; /* the address, IPv4 in the low half */
	int64_t bin;     /* its start, seconds */
	uint32_t class, agent;
	uint16_t dport;
	uint8_t family, proto;
	uint32_t zero;
};
struct source_row {
	struct source_key key;
	uint64_t packets, targets;
	int64_t first_ns, last_ns;
	uint8_t payload[16];
	bool has_payload, spoofable, ports_at_least;
	uint32_t ports, addresses; /* the most of one record; 0: not told */
	uint64_t odds;             /* the same */
	struct addr victim;        /* family 0: none */
	struct census census;      /* of the targets */
};

void source_key_set_addr(struct source_key *key, const struct addr *addr);
struct addr source_key_addr(const struct source_key *key);
/* The key in the catalogue of segments: its length.  Hours: the address; all
 * others: class and address. */
size_t source_key_bytes(enum rollup_table table, const struct source_key *key,
    uint8_t to[static PART_KEY_MOST]);
static inline bool source_by_class(enum rollup_table table)
{
	return table != ROLLUP_SOURCES;
}

/* By address. */
static inline int source_cmp_addr(
    const struct source_key *a, const struct source_key *b)
{
	if (a->family != b->family)
		return a->family < b->family ? -1 : 1;
	if (a->hi != b->hi)
		return a->hi < b->hi ? -1 : 1;
	return (a->lo > b->lo) - (a->lo < b->lo);
}
/* By group: address, class, protocol, port; or class first. */
static inline int source_cmp_group(
    const struct source_key *a, const struct source_key *b, bool by_class)
{
	if (by_class && a->class != b->class)
		return a->class < b->class ? -1 : 1;
	int order = source_cmp_addr(a, b);
	if (order != 0)
		return order;
	if (a->class != b->class)
		return a->class < b->class ? -1 : 1;
	if (a->proto != b->proto)
		return a->proto < b->proto ? -1 : 1;
	return (a->dport > b->dport) - (a->dport < b->dport);
}
/* By group, agent, bin: the order of every part. */
static inline int source_cmp(
    const struct source_key *a, const struct source_key *b, bool by_class)
{
	int order = source_cmp_group(a, b, by_class);
	if (order != 0)
		return order;
	if (a->agent != b->agent)
		return a->agent < b->agent ? -1 : 1;
	return (a->bin > b->bin) - (a->bin < b->bin);
}
static inline bool source_same_group(
    const struct source_key *a, const struct source_key *b)
{
	return source_cmp_group(a, b, false) == 0;
}
void source_add(struct source_row *to, const struct source_row *from);
/* Distinct targets of all that was added; *estimated: about so many. */
uint64_t source_targets(const struct source_row *row, bool *estimated);

/* Writing: rows in order. */
struct source_writer {
	struct part_writer part;
	uint64_t payloads; /* in the segment's tail */
	bool exact;
};
/* rows: about how many will come. */
void source_part_begin(struct source_writer *writer, struct db *db,
    struct segment_codec *codec, const struct part_info *info, uint64_t rows,
    struct errmsg *msg);
void source_part_row(
    struct source_writer *writer, const struct source_row *row);
int source_part_end(struct source_writer *writer);

/* Reading. */
struct source_stream {
	struct part_stream part;
	struct source_row row; /* the current one */
	bool details;          /* of each row more than key and packets */
	bool decoded;          /* details of the segment */
	int tag;               /* the owner's */
	uint32_t only_agent;   /* its rows alone; 0: all */
	/* Instead of a part: rows in the order of days, borrowed. */
	const struct source_row *const *array;
	size_t array_len, array_at;
	const uint64_t *column[32];
	uint8_t *payloads; /* inside the segment's tail */
	size_t payload_count;
};
void source_stream_init(struct source_stream *stream, struct db *db,
    struct segment_codec *codec, const struct part_id *id, bool details);
void source_stream_fini(struct source_stream *stream);
/* 1: row is the next; 0: the end. */
int source_stream_next(struct source_stream *stream, struct errmsg *msg);
/* The current row's details, of a stream that was opened without them. */
int source_stream_detail(struct source_stream *stream, struct errmsg *msg);
/* 1: row is the first at or above the key's group, not before the current
 * one. */
int source_stream_seek(struct source_stream *stream,
    const struct source_key *key, struct errmsg *msg);

/* A blocked Bloom filter of groups, 8 bits each: it never misses one that was
 * added, and takes one in forty for one that was not. */
struct group_filter {
	uint64_t *lines; /* of 64 bytes; owned */
	size_t line_count;
};
void group_filter_init(struct group_filter *filter, uint64_t groups);
void group_filter_add(
    struct group_filter *filter, const struct source_key *key);
bool group_filter_has(
    const struct group_filter *filter, const struct source_key *key);

/* Several streams as one, in order; all by address or all by class. */
struct source_merge {
	struct source_stream *streams; /* owned */
	size_t count, cap;
	size_t *heap; /* of streams that have a row, least first */
	size_t heap_len;
	bool by_class;
	const struct source_row *row; /* the current one */
	int tag;                      /* of its stream */
};
void source_merge_add(struct source_merge *merge, struct db *db,
    struct segment_codec *codec, const struct part_id *id, bool details,
    int tag);
void source_merge_add_array(struct source_merge *merge,
    const struct source_row *const *array, size_t len, int tag);
void source_merge_fini(struct source_merge *merge);
/* from NULL: at the start.  Sets the first row: 1, 0, error. */
int source_merge_start(struct source_merge *merge,
    const struct source_key *from, struct errmsg *msg);
int source_merge_next(struct source_merge *merge, struct errmsg *msg);
