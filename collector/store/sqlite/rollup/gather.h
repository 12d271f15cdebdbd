/* SPDX-License-Identifier: ISC */
/*
 * Sums of records, derived from blocks: gathered in memory, written in steps
 * to rollup.db with a mark (the last block they hold), gathered again from the
 * blocks above the mark after a crash.  Nothing here knows partitions.
 *
 * One thread gathers, another may flush, step and let go meanwhile; what
 * rollup_ begins may be called by any, each view by one.
 */
#pragma once

#include "collector/store/plan.h"

struct gather;
struct rollup_view;

/* `path`: of rollup.db, made when absent.  *applied: the last block that it
 * holds; the caller gathers those above before anything else.  -ESTALE: of
 * another history (all zeros in it: takes config->history). */
int gather_open(struct gather **gather, const struct store_config *config,
    const char *path, uint64_t *applied, struct errmsg *msg);
/* Not flushed: call gather_flush before when the memory shall not be lost. */
void gather_close(struct gather *gather);

/* The sums of a database of schema 4 as they stand, into one that is new; the
 * mark becomes `block`.  In one transaction. */
struct db;
int gather_import(
    struct gather *gather, struct db *old, uint64_t block, struct errmsg *msg);

/* Records from first_new on, which are stored as block `block`, ascending by
 * call.  outcome (NULL: a repetition after a crash) gets the new sources. */
void gather_batch(struct gather *gather, const struct prepared_batch *batch,
    uint32_t first_new, uint64_t block, struct store_outcome *outcome);
/* Memory has grown so, or waits so long, that it should be written now. */
bool gather_due(struct gather *gather, struct monotime now);
/* All of memory that may be written, each set in one transaction with the
 * mark. */
int gather_flush(struct gather *gather, struct errmsg *msg);
/* Makes room for more batches: where the gathered set is as large as one may
 * be, it is frozen, once the one before is written, which is waited for or
 * done.  ERR_UNAVAILABLE when that fails (rollup.db cannot be written while
 * partitions can): then nothing may be stored, so that memory stays bounded
 * and the agents keep their records. */
int gather_make_room(struct gather *gather, struct errmsg *msg);
/* What was gathered so far had its consequences (config->replayed): it may be
 * written, and is not repeated after a crash. */
void gather_settle(struct gather *gather);
/* A bounded piece of merging and deriving.  1: there is more. */
int gather_step(struct gather *gather, struct errmsg *msg);
/* A bounded piece of letting go; keep->now is trusted. */
int gather_expire(struct gather *gather, const struct store_keep *keep,
    bool *more, struct errmsg *msg);
/* The mark that is on the disk for sure (checkpointed with a sync when
 * `sync`): blocks up to it may be dropped. */
int gather_applied(
    struct gather *gather, bool sync, uint64_t *applied, struct errmsg *msg);
/* Adds to the bytes and `bounded`. */
void gather_stats(struct gather *gather, struct store_stats *stats);
int gather_fault(struct gather *gather, struct errmsg *msg);

int rollup_begin(
    struct gather *gather, struct rollup_view **view, struct errmsg *msg);
void rollup_end(struct rollup_view *view);
/* Every table but STORE_RECORDS and STORE_TOTALS.  STORE_AGENTS: row, version,
 * heard_ns and heartbeat of those that had one; the rest is the partitions'. */
int rollup_read(struct rollup_view *view, const struct store_plan *plan,
    store_row_fn *fn, void *ctx, struct errmsg *msg);
