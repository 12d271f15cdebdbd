/* SPDX-License-Identifier: ISC */
/* The blocks of a view, for select_records. */
#pragma once

#include "collector/store/select.h"
#include "collector/store/sqlite/store-private.h"

struct partition_source;
struct partition_source *partition_source_new(struct store_view *view);
void partition_source_free(struct partition_source *source);
int partition_source_start(
    void *ctx, const struct store_plan *plan, struct errmsg *msg);
int partition_source_next(
    void *ctx, int64_t floor_ns, struct block_ref *ref, struct errmsg *msg);
int partition_source_get(
    void *ctx, uint64_t id, struct block_ref *ref, struct errmsg *msg);
