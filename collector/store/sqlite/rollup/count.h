/* SPDX-License-Identifier: ISC */
/* Distinct sources. */
#pragma once

#include "collector/store/sqlite/rollup/gather-private.h"

int count_flush(struct gather *gather, const struct source_row **by_hour,
    size_t count, struct errmsg *msg);
