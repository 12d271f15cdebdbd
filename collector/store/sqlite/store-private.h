/* SPDX-License-Identifier: ISC */
/* Shared by the files of the SQLite provider (collector/store/store.h). */
#pragma once

#include "collector/store/sqlite/rollup/gather.h"
#include "collector/store/select.h"
#include "collector/store/sqlite/partition-set.h"
#include "collector/store/store.h"

/* A partition lasts that long, whatever the clock says. */
#define ROLL_LEAST_NS (3600 * NS_PER_S)

/* The keys of the blocks since the last run, which are written when it is
 * full. */
struct open_run {
	uint64_t first; /* block; 0: it has none */
	unsigned blocks;
	uint64_t *keys; /* key << 8 | block in the run */
	size_t count, cap;
	int64_t min_ns, max_ns;
	uint64_t kinds, agents, records;
};

struct store {
	struct store_config config;
	char *dir;
	struct partition_set partitions;
	struct db_files files; /* of the newest; under the set's lock */
	/* the writer's thread only */
	struct db db; /* of the newest partition */
	uint64_t next_block;
	struct open_run run;
	struct gather *gather;
	struct monotime mono; /* as it was last given */
	struct monotime rolled_at, checked_at;
	int64_t newest_received_ns; /* of what was appended */
	int64_t arriving_ns;        /* of what comes next: the day it begins */
	uint64_t roll_bytes;
	int64_t roll_ns;
	unsigned next_check; /* the partition whose files are looked at next */
	_Atomic uint64_t stored, lost; /* of all agents, ever */
	_Atomic uint64_t newest_records;
	_Atomic bool corrupt;
};

/* append.c */
int store_append(struct store *store, struct prepared_batch *const *batches,
    size_t count, struct store_outcome *outcomes, struct errmsg *msg);
/* Reads the sums of all watermarks again. */
int store_sum_watermarks(struct store *store, struct errmsg *msg);

/* postings.c */
void run_add(struct open_run *run, uint32_t salt, uint64_t block,
    int64_t agent_row, const uint64_t *keys, size_t key_count);
/* What is known of a block beside its keys. */
void run_note(struct open_run *run, int64_t min_ns, int64_t max_ns,
    uint64_t kinds, uint64_t records);
/* Writes the run into its partition, in the caller's transaction, and empties
 * it. */
int run_write(struct open_run *run, struct db *db, struct errmsg *msg);
void run_fini(struct open_run *run);
/* Sets the bits of the blocks of a run that have the key; bits: of blocks
 * before `first` on.  Counts nothing. */
int run_look_up(struct db *db, uint64_t run_first, uint32_t key,
    uint64_t bits[RUN_BLOCKS / 64], struct errmsg *msg);
uint32_t run_key(uint64_t key, uint32_t salt);

/* view.c */
struct store_view {
	struct store *store;
	struct partition **partitions; /* held */
	size_t count;
	struct partition_reader **readers; /* by partition; NULL: not yet */
	struct rollup_view *rollup;
};
/* NULL with 0: it was dropped. */
int view_reader(struct store_view *view, size_t partition,
    struct partition_reader **reader, struct errmsg *msg);
int store_begin(
    struct store *store, struct store_view **view, struct errmsg *msg);
void store_end(struct store_view *view);

/* read-plan.c */
int store_read(struct store_view *view, const struct store_plan *plan,
    store_row_fn *fn, void *ctx, struct errmsg *msg);

/* partition-source.c: the blocks of a view for select_records. */
struct partition_source;
struct partition_source *partition_source_new(struct store_view *view);
void partition_source_free(struct partition_source *source);
int partition_source_start(
    void *ctx, const struct store_plan *plan, struct errmsg *msg);
int partition_source_next(
    void *ctx, int64_t floor_ns, struct block_ref *ref, struct errmsg *msg);
/* replay.c */
/* Blocks above `after` of all partitions as batches again. */
int store_replay(struct store *store, uint64_t after,
    int (*fn)(struct store *store, struct prepared_batch *batch, uint64_t block,
	struct errmsg *msg),
    struct errmsg *msg);
/* Keys of the blocks behind the newest partition's last run, and next_block. */
int store_remake_run(struct store *store, struct errmsg *msg);

/* expire.c */
int store_expire(struct store *store, const struct store_keep *keep,
    struct store_expired *expired, struct errmsg *msg);
/* roll-over.c */
struct partition *store_newest(const struct store *store);
uint64_t store_newest_bytes(struct store *store);
/* What config->max_bytes leaves for the newest one. */
int store_bound_size(struct store *store, struct errmsg *msg);
int store_open_writer(struct store *store, struct errmsg *msg);
void store_close_writer(struct store *store);
/* Rolls over to a new partition now; or when it is time for what arrives. */
int store_roll(struct store *store, struct errmsg *msg);
void store_roll_when_due(struct store *store, int64_t received_ns);

/* migrate.c: from one file of schema 4; nothing to do when there is none. */
int store_migrate(struct store *store, struct errmsg *msg);
int store_write_stub(const char *dir, struct errmsg *msg);
bool store_has_old_file(const char *dir);
