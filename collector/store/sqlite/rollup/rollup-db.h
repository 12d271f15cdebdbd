/* SPDX-License-Identifier: ISC */
/* Who may use rollup.db, in which transaction, and what it has derived. */
#pragma once

#include "collector/store/sqlite/rollup/gather-private.h"
#include "collector/store/sqlite/rollup/rollup-part.h"

void disk_lock(struct gather *gather);
void disk_unlock(struct gather *gather);

int64_t gather_new_part(struct gather *gather);
/* A transaction; gather_end commits or, after an error, undoes. */
int gather_begin(struct gather *gather, struct errmsg *msg);
int gather_end(struct gather *gather, int err, struct errmsg *msg);
/* The last part of a bin that what is derived from it holds; -1: none. */
int derived_upto(struct db *db, enum rollup_table table, int64_t bin,
    int64_t *upto, struct errmsg *msg);
int derived_set_upto(struct db *db, enum rollup_table table, int64_t bin,
    int64_t upto, struct errmsg *msg);
