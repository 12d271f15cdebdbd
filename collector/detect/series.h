/* SPDX-License-Identifier: ISC */
/*
 * Series of distinct sources, dense: a value for every bin of a range, with
 * the bins in which nobody watched told apart from those with nothing to see.
 */
#pragma once

#include "analysis/spikes.h"
#include "collector/core/private.h"

#define SERIES_BINS_MOST 20000

struct series {
	int64_t kind_row, agent_row; /* STORE_FLEET: all agents */
	struct spike_bin *bins;      /* owned, count of the set */
	uint64_t *packets;           /* owned */
};
struct series_set {
	uint32_t bin_s;
	int64_t first_s;      /* start of the first bin */
	size_t bins;          /* of each series */
	struct series *items; /* owned; by kind, then agent */
	size_t count, cap;
	struct series_watch *watch; /* owned; while reading */
	size_t watch_count;
};

/* filter: range, bin_s, kind_row, agent_row as store_ops.read_points.  The
 * range is widened to whole bins.  ERR_LIMIT: too many of them. */
int series_read(struct collector *collector, struct store_reader *reader,
    const struct store_filter *filter, struct series_set *set);
void series_fini(struct series_set *set);

/* The test's settings for bins of this width. */
struct spike_config series_spikes(
    const struct collector *collector, uint32_t bin_s);
