/* SPDX-License-Identifier: ISC */
/* Sparse rows become dense series; bins without a sensor become missing. */
#include <stdlib.h>
#include <string.h>

#include "collector/detect/series.h"
#include "collector/core/private.h"
#include "lib/base/vec.h"
#include "lib/base/xalloc.h"

static bool *watch_of(struct series_set *set, int64_t agent_row, bool make)
{
	for (size_t i = 0; i < set->watch_count; i++)
		if (set->watch[i].agent_row == agent_row)
			return set->watch[i].bins;
	if (!make)
		return NULL;
	VEC_ROOM(set->watch, set->watch_count);
	struct series_watch *watch = &set->watch[set->watch_count++];
	*watch = (struct series_watch){ agent_row,
		xcalloc(set->bins + 1, sizeof(bool)) };
	return watch->bins;
}

static bool bin_index(const struct series_set *set, int64_t bin, size_t *index)
{
	if (bin < set->first_s)
		return false;
	*index = (size_t)((bin - set->first_s) / set->bin_s);
	return *index < set->bins;
}

struct watch_read {
	struct series_set *set;
	int64_t agent_row; /* -1: each */
};

static int take_watch(void *ctx, const struct store_row *row)
{
	const struct store_watch *watch = row->watch;
	const struct watch_read *read = ctx;
	struct series_set *set = read->set;
	size_t i;
	if (!bin_index(set, watch->bin, &i))
		return 0;
	if (read->agent_row == -1 || read->agent_row == STORE_FLEET)
		watch_of(set, STORE_FLEET, true)[i] = true;
	if (read->agent_row == -1 || read->agent_row == watch->agent_row)
		watch_of(set, watch->agent_row, true)[i] = true;
	return 0;
}

/* Points come sorted by series: another one than the last begins a new. */
static bool is_last(
    const struct series_set *set, const struct store_point *point)
{
	return set->count > 0 &&
	    set->items[set->count - 1].class_row == point->class_row &&
	    set->items[set->count - 1].agent_row == point->agent_row;
}

static void series_begin(
    struct series_set *set, const struct store_point *point)
{
	VEC_ROOM(set->items, set->count);
	set->items[set->count++] = (struct series){
		.class_row = point->class_row,
		.agent_row = point->agent_row,
		.bins = xcalloc(set->bins + 1, sizeof(struct spike_bin)),
		.packets = xcalloc(set->bins + 1, sizeof(uint64_t)),
		.at_least = xcalloc(set->bins + 1, sizeof(bool)),
	};
}

static int take_point(void *ctx, const struct store_row *row)
{
	const struct store_point *point = row->point;
	struct series_set *set = ctx;
	if (!is_last(set, point)) {
		if (set->count == SERIES_SET_MOST ||
		    (set->count + 1) * set->bins > SERIES_CELLS_MOST) {
			set->skipped++;
			return 0;
		}
		series_begin(set, point);
	}
	struct series *last = &set->items[set->count - 1];
	size_t i;
	if (bin_index(set, point->bin, &i)) {
		last->bins[i].count = (double)point->sources;
		last->packets[i] = point->packets;
		last->at_least[i] = point->sources_at_least;
	}
	return 0;
}

static void mark_missing(struct series_set *set)
{
	for (size_t s = 0; s < set->count; s++) {
		struct series *series = &set->items[s];
		const bool *watched = watch_of(set, series->agent_row, false);
		for (size_t i = 0; i < set->bins; i++)
			series->bins[i].missing =
			    series->packets[i] == 0 && !(watched && watched[i]);
	}
}

static void drop_watch(struct series_set *set)
{
	for (size_t i = 0; i < set->watch_count; i++)
		free(set->watch[i].bins);
	free(set->watch);
	set->watch = NULL;
	set->watch_count = 0;
}

int series_read_watch(struct collector *c, struct store_view *view,
    const struct store_plan *plan, struct series_set *set, struct errmsg *msg)
{
	int64_t from_s = plan->range.from_ns / NS_PER_S;
	int64_t to_s = (plan->range.to_ns + NS_PER_S - 1) / NS_PER_S;
	*set = (struct series_set){ .bin_s = plan->bin_s };
	set->first_s = from_s - from_s % set->bin_s;
	int64_t bins = (to_s - set->first_s + set->bin_s - 1) / set->bin_s;
	if (bins > SERIES_BINS_MOST)
		return ERR_LIMIT;
	set->bins = (size_t)bins;
	struct store_plan watch = *plan;
	watch.table = STORE_WATCH;
	struct watch_read read = { set, plan->agent_row };
	return c->ops->read(view, &watch, take_watch, &read, msg);
}

static void drop_series(struct series_set *set)
{
	for (size_t i = 0; i < set->count; i++) {
		free(set->items[i].bins);
		free(set->items[i].packets);
		free(set->items[i].at_least);
	}
	set->count = 0;
}

int series_read_points(struct collector *c, struct store_view *view,
    const struct store_plan *plan, struct series_set *set, struct errmsg *msg)
{
	struct store_plan points = *plan;
	points.table = STORE_POINTS;
	drop_series(set);
	int err = c->ops->read(view, &points, take_point, set, msg);
	if (err < 0)
		return err;
	mark_missing(set);
	return ERR_OK;
}

int series_read(struct collector *c, struct store_view *view,
    const struct store_plan *plan, struct series_set *set, struct errmsg *msg)
{
	int err = series_read_watch(c, view, plan, set, msg);
	if (err < 0)
		return err;
	return series_read_points(c, view, plan, set, msg);
}

void series_fini(struct series_set *set)
{
	drop_series(set);
	free(set->items);
	drop_watch(set);
	*set = (struct series_set){ 0 };
}

const bool *series_watch_of(const struct series_set *set, int64_t agent_row)
{
	for (size_t i = 0; i < set->watch_count; i++)
		if (set->watch[i].agent_row == agent_row)
			return set->watch[i].bins;
	return NULL;
}

struct spike_config series_spikes(const struct collector *c, uint32_t bin_s)
{
	struct spike_config config = spike_defaults;
	if (bin_s == c->config.alarm_bin_s) {
		config.warmup_bins = c->config.alarm_warmup_bins;
		config.run_length = c->config.alarm_run_length_bins;
	}
	config.season_bins = bin_s >= 86400 ? 7 : bin_s >= 3600 ? 24 : 0;
	return config;
}
