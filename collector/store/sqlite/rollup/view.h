/* SPDX-License-Identifier: ISC */
/* One reader's snapshot of rollup.db, and the tables that are read from it. */
#pragma once

#include "collector/store/sqlite/rollup/gather.h"
#include "collector/store/sqlite/rollup/segment.h"
#include "lib/sqlite/db.h"

struct rollup_view {
	struct gather *gather;
	struct db db;
	struct segment_codec *codec;
	struct rollup_view *next; /* of the idle ones */
};

/* Of a gather that closes. */
void views_close(struct gather *gather);

typedef int view_read_fn(struct rollup_view *view,
    const struct store_plan *plan, store_row_fn *fn, void *ctx,
    struct errmsg *msg);
/* read-tables.c */
view_read_fn view_read_agents, view_read_gaps, view_read_runs,
    view_read_run_sums, view_read_points, view_read_watch, view_read_classes,
    view_read_payloads, view_read_unsent;
/* read-paths.c */
view_read_fn view_read_paths, view_read_links;
/* read-sources.c */
view_read_fn view_read_sources;

/* The bins of a plan, seconds: the first that ends behind the range's start,
 * and the first at or behind its end. */
static inline int64_t view_first_bin(
    const struct store_plan *plan, uint32_t bin_s)
{
	int64_t s = plan->range.from_ns / NS_PER_S;
	return s - s % bin_s;
}

static inline int64_t view_end_bin(const struct store_plan *plan)
{
	if (plan->range.to_ns == 0)
		return INT64_MAX / NS_PER_S;
	return plan->range.to_ns / NS_PER_S +
	    (plan->range.to_ns % NS_PER_S > 0);
}
