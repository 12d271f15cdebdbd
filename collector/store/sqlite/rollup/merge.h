/* SPDX-License-Identifier: ISC */
/* Parts of a bin become one, and those of hours days.  A step: 1: it did
 * something. */
#pragma once

#include "collector/store/sqlite/rollup/gather-private.h"
#include "collector/store/sqlite/rollup/rollup-part.h"

int merge_step(struct gather *gather, struct errmsg *msg);
/* Inside a transaction: a day derived, as far as one step goes. */
int merge_day(struct gather *gather, enum rollup_table table, int64_t day,
    struct errmsg *msg);
/* Parts of one bin, ascending by number, become one; not fine: of one bin. */
int merge_parts(struct gather *gather, const struct part_info *parts,
    size_t count, bool fine, struct errmsg *msg);
