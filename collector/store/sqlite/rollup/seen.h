/* SPDX-License-Identifier: ISC */
/* Which sources were ever seen, and on which days. */
#pragma once

#include "collector/store/sqlite/rollup/gather-private.h"

int seen_load(struct gather *gather, struct errmsg *msg);
/* False the first time. */
bool seen_before(struct gather *gather, const struct source_key *key);
/* A source of a class that was not seen before on its day. */
struct seen_key {
	struct source_key key; /* bin: its stripe */
	int64_t day;           /* since 1970 */
};
/* Adds to class_found; sorts the keys. */
int seen_flush(struct gather *gather, struct seen_key *keys, size_t count,
    struct errmsg *msg);
