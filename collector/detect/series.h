/* SPDX-License-Identifier: ISC */
/*
 * Series of distinct sources, dense: a value for every bin of a range, with
 * the bins in which no sensor watched apart from those with nothing to see.
 */
#pragma once

#include "analysis/spikes.h"
#include "collector/core/private.h"

#define SERIES_BINS_MOST 20000
#define SERIES_SET_MOST 8192
#define SERIES_CELLS_MOST                                  \
	(2u << 20) /* bins of a set, of all series: 50 MiB \
		    */

struct series {
	int64_t class_row, agent_row; /* STORE_FLEET: all agents */
	struct spike_bin *bins;       /* owned, count of the set */
	uint64_t *packets;            /* owned */
	bool *at_least; /* owned; packets came without their source */
};
/* The bins in which one agent's sensor watched; STORE_FLEET: any agent's. */
struct series_watch {
	int64_t agent_row;
	bool *bins; /* owned */
};
struct series_set {
	uint32_t bin_s;
	int64_t first_s;      /* start of the first bin */
	size_t bins;          /* of each series */
	struct series *items; /* owned; by class, then agent */
	size_t count;
	size_t skipped;             /* series above these bounds */
	struct series_watch *watch; /* owned; agents whose sensors watched */
	size_t watch_count;
};

/* plan: range, bin_s, class_row, agent_row as of STORE_POINTS.  The
 * range is widened to whole bins.  ERR_LIMIT: too many of them. */
int series_read(struct collector *collector, struct store_view *view,
    const struct store_plan *plan, struct series_set *set, struct errmsg *msg);
/* The two halves of series_read.  Only who watched, no series; agent_row -1:
 * each agent, else that one or STORE_FLEET. */
int series_read_watch(struct collector *collector, struct store_view *view,
    const struct store_plan *plan, struct series_set *set, struct errmsg *msg);
/* The series of this plan instead of those that the set has; who watched must
 * be in it, of the same range, bin_s and agent_row. */
int series_read_points(struct collector *collector, struct store_view *view,
    const struct store_plan *plan, struct series_set *set, struct errmsg *msg);
/* One flag a bin; NULL: it never watched. */
const bool *series_watch_of(const struct series_set *set, int64_t agent_row);
void series_fini(struct series_set *set);

/* The test's settings for bins of this width. */
struct spike_config series_spikes(
    const struct collector *collector, uint32_t bin_s);
