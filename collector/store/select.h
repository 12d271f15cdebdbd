/* SPDX-License-Identifier: ISC */
/*
 * Records by plan, out of blocks from wherever: partitions now, other things
 * that hold blocks by the same interface.  What a read keeps in memory is the
 * page that it gives out, whatever the number of blocks.
 */
#pragma once

#include "collector/store/plan.h"

/* A block, before it is opened. */
struct block_ref {
	uint64_t id;
	int64_t agent_row;
	uint8_t agent[16];
	uint64_t epoch, first_seq;
	int64_t max_ns; /* no record in it is newer */
	int64_t received_ns;
	const void *body;
	size_t len;
};
struct block_source {
	/* What follows is asked for; called before the first next and again
	 * for each page. */
	int (*start)(
	    void *ctx, const struct store_plan *plan, struct errmsg *msg);
	/* 1: the next block that may hold what is wanted, by max_ns downwards
	 * (STORE_STORED: by id upwards), valid until the next call; 0: no
	 * more, or none that reaches floor_ns. */
	int (*next)(void *ctx, int64_t floor_ns, struct block_ref *ref,
	    struct errmsg *msg);
	/* One that next has given: 1, valid until the next call; 0: it is not
	 * there any more. */
	int (*get)(
	    void *ctx, uint64_t id, struct block_ref *ref, struct errmsg *msg);
	void *ctx;
};

/* STORE_RECORDS of `plan`.  A record's row is its block's id << 16 | place. */
int select_records(const struct block_source *source,
    const struct store_plan *plan, store_row_fn *fn, void *ctx,
    struct errmsg *msg);

#define RECORD_ROW(block, place) ((uint64_t)(block) << 16 | (place))
