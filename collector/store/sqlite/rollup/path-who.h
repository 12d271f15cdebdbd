/* SPDX-License-Identifier: ISC */
/* A reading of paths: which are wanted, and who each is. */
#pragma once

#include "collector/store/sqlite/rollup/gather-private.h"
#include "collector/store/sqlite/rollup/paths.h"
#include "collector/store/sqlite/rollup/view.h"

/* Who a path is; read once a read. */
struct path_who {
	uint32_t id;
	int64_t agent;
	struct addr src, dst;
	struct buf hops;
};
struct path_out {
	uint32_t path;
	int64_t bin;
	uint64_t traces, reached;
	int64_t first_ns, last_ns;
	size_t sums, sums_len;
};

struct path_read {
	struct rollup_view *view;
	const struct store_plan *plan;
	store_row_fn *fn;
	void *ctx;
	struct errmsg *msg;
	uint32_t bin_s;
	int64_t from, end;           /* of bins, seconds */
	int64_t pass_from, pass_end; /* of those that are read now */
	uint32_t *wanted;            /* NULL: all */
	size_t wanted_count;
	struct path_who *identities;
	size_t identity_count, identity_cap;
	struct index by_id;
	struct path_out *rows; /* of the pass */
	size_t count, cap;
	struct buf sums;
	struct path more; /* rows beside the first of the last one in `rows` */
	sqlite3_stmt *names; /* of paths, ascending; NULL: not asked yet */
	uint32_t named;      /* the one that it stands at; 0: the end */
};

/* The ids of the plan's paths, if it wants some only. */
int path_read_wanted(struct path_read *r);
/* The one with this id, which stays until they are forgotten; *found NULL:
 * there is none any more.  Asked for in ascending order, mostly. */
int path_find_identity(
    struct path_read *r, uint32_t id, const struct path_who **found);
void path_forget_identities(struct path_read *r);
