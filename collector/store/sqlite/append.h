/* SPDX-License-Identifier: ISC */
/* Batches into the newest partition, and the watermarks that they move. */
#pragma once

#include "collector/store/sqlite/store-private.h"

int store_append(struct store *store, struct prepared_batch *const *batches,
    size_t count, struct store_outcome *outcomes, struct errmsg *msg);
/* Reads the sums of all watermarks again. */
int store_sum_watermarks(struct store *store, struct errmsg *msg);
