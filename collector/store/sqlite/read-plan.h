/* SPDX-License-Identifier: ISC */
/* Answers a read plan from partitions and sums. */
#pragma once

#include "collector/store/sqlite/store-private.h"

int store_read(struct store_view *view, const struct store_plan *plan,
    store_row_fn *fn, void *ctx, struct errmsg *msg);
