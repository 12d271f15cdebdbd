/* SPDX-License-Identifier: ISC */
/* Which blocks have a key: in runs of blocks, written when one is full. */
#pragma once

#include "collector/store/sqlite/partition.h"

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
