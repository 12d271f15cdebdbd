/* SPDX-License-Identifier: ISC */
/* One reader's state of all partitions and sums. */
#pragma once

#include "collector/store/sqlite/rollup/view.h"
#include "collector/store/sqlite/store-private.h"

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
