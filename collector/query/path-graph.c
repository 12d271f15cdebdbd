/* SPDX-License-Identifier: ISC */
/* From the store's sums of paths to a graph (analysis/path-set.h). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "collector/core/config.h"
#include "collector/core/private.h"
#include "lib/json/json-value.h"
#include "collector/query/path-graph.h"
#include "lib/base/xalloc.h"

#define FINEST_S 60     /* below it a map gains nothing */
#define ROWS_MOST 30000 /* of minutes; some tenths of a second */

void map_add(struct path_set *map, const struct store_path *row)
{
	struct path path = {
		.src = row->src,
		.dst = row->dst,
		.traces = row->traces,
		.reached = row->reached,
		.first_ns = row->first_ns,
		.last_ns = row->last_ns,
	};
	if (path_read(&path, row->hops.data, row->hops.len, row->sums.data,
		row->sums.len) < 0) {
		path_fini(&path);
		return;
	}
	path_set_add(map, row->row, row->agent_row, &path);
}

struct cover {
	struct query *q;
	struct store_plan filter;
	struct path_set *map;
	uint32_t finest_s;  /* bins below this are not read */
	uint32_t rows_left; /* 0: as many as there are */
};

static int take_path(void *ctx, const struct store_row *row)
{
	struct cover *cover = ctx;
	map_add(cover->map, row->path);
	return cover->rows_left > 0 && --cover->rows_left == 0;
}

/* 1: too many rows. */
static int read_level(
    struct cover *cover, uint32_t bin_s, int64_t from_s, int64_t to_s)
{
	if (from_s >= to_s)
		return ERR_OK;
	cover->filter.bin_s = bin_s;
	cover->filter.range.from_ns = from_s * NS_PER_S;
	cover->filter.range.to_ns = to_s * NS_PER_S;
	return cover->q->c->ops->read(
	    cover->q->reader, &cover->filter, take_path, cover, cover->q->msg);
}

/* Whether bins of this width are still kept for a time. */
static bool is_kept(const struct query *q, uint32_t bin_s, int64_t at_s)
{
	const struct collector_config *config = &q->c->config;
	int64_t age = bin_s >= 86400 ? config->days_age_ns
	    : bin_s >= 3600          ? config->hours_age_ns
				     : config->minutes_age_ns;
	return age == 0 || at_s > (q->now_ns - age) / NS_PER_S;
}

/* Whole bins of this level inside, finer ones at both edges.  1: too many rows
 * for bins so fine. */
static int read_cover(
    struct cover *cover, int level, int64_t from_s, int64_t to_s)
{
	const uint32_t *levels = cover->q->c->store_config.levels;
	int64_t bin_s = levels[level];
	if (from_s >= to_s)
		return ERR_OK;
	bool finest = level == 0 || levels[level - 1] < cover->finest_s ||
	    !is_kept(cover->q, levels[level - 1], from_s);
	if (finest)
		return read_level(
		    cover, levels[level], from_s - from_s % bin_s, to_s);
	int64_t first = (from_s + bin_s - 1) / bin_s * bin_s;
	int64_t end = to_s / bin_s * bin_s;
	if (first >= end)
		return read_cover(cover, level - 1, from_s, to_s);
	int err = read_cover(cover, level - 1, from_s, first);
	if (err != ERR_OK)
		return err;
	err = read_level(cover, levels[level], first, end);
	if (err != ERR_OK)
		return err;
	return read_cover(cover, level - 1, end, to_s);
}

static int read_from(
    struct cover *cover, uint32_t finest_s, const struct store_range *range)
{
	const uint32_t *levels = cover->q->c->store_config.levels;
	int coarsest = 0;
	while (coarsest + 1 < STORE_LEVELS_MAX && levels[coarsest + 1])
		coarsest++;
	cover->finest_s = finest_s;
	cover->rows_left =
	    coarsest > 0 && finest_s < levels[coarsest] ? ROWS_MOST : 0;
	return read_cover(cover, coarsest, range->from_ns / NS_PER_S,
	    (range->to_ns + NS_PER_S - 1) / NS_PER_S);
}

int map_read(struct query *q, struct store_range *range, int64_t agent_row,
    struct path_set *map)
{
	static const uint32_t finest[] = { FINEST_S, 3600, 86400 };
	struct cover cover = { .q = q, .map = map };
	cover.filter.table = STORE_PATHS;
	cover.filter.agent_row = agent_row;
	int err = 1;
	for (int i = 0; err == 1 && i < 3; i++) {
		path_set_fini(map);
		err = read_from(&cover, finest[i], range);
		if (err == ERR_OK)
			range->from_ns -=
			    range->from_ns % ((int64_t)finest[i] * NS_PER_S);
	}
	path_set_finish(map);
	return err < 0 ? err : ERR_OK;
}

json_t *map_link_json(
    const struct topology_node *nodes, const struct topology_link *link)
{
	char from[NODE_ID_LEN], to[NODE_ID_LEN];
	char id[2 * NODE_ID_LEN + 2];
	path_node_id(&nodes[link->from], from);
	path_node_id(&nodes[link->to], to);
	snprintf(id, sizeof(id), "%s>%s", from, to);
	return json_pack(
	    "{s:s, s:s, s:s, s:I, s:o, s:o, s:o, s:o, s:I, s:o, s:o}", "id", id,
	    "from", from, "to", to, "traces", (json_int_t)link->traces,
	    "delay_ns", json_count(link->delay_ns), "delay_mad_ns",
	    link->delay_ns < 0 ? json_null() : json_count(link->delay_mad_ns),
	    "loss", link->loss < 0 ? json_null() : json_real(link->loss),
	    "loss_low",
	    link->loss < 0 ? json_null() : json_real(link->loss_low),
	    "loss_samples", (json_int_t)link->loss_samples, "first_at",
	    json_time(link->first.ns), "last_at", json_time(link->last.ns));
}
