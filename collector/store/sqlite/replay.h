/* SPDX-License-Identifier: ISC */
/* What memory lost, made again from the blocks. */
#pragma once

#include "collector/store/sqlite/store-private.h"

/* Blocks above `after` of all partitions as batches again. */
int store_replay(struct store *store, uint64_t after,
    int (*fn)(struct store *store, struct prepared_batch *batch, uint64_t block,
	struct errmsg *msg),
    struct errmsg *msg);
/* Keys of the blocks behind the newest partition's last run, and next_block. */
int store_remake_run(struct store *store, struct errmsg *msg);
