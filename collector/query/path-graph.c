/* SPDX-License-Identifier: ISC */
/*
 * From sums of paths to a graph.  Paths are joined twice: rows of one path
 * from many bins, and paths that are the same but for answers that got lost;
 * only then does analysis/topology see them, each as one trace that stands
 * for many.
 */
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
#define ABSORBERS_MOST 32

static struct map_path *find_path(const struct map *map, int64_t row)
{
	struct index_walk walk =
	    index_walk(&map->by_row, index_hash(&row, sizeof(row)));
	size_t i;
	while (index_next(&walk, &i))
		if (map->paths[i].row == row)
			return &map->paths[i];
	return NULL;
}

static struct map_path *new_path(struct map *map, int64_t row)
{
	if (map->count == map->cap) {
		map->cap = map->cap ? map->cap * 2 : 64;
		map->paths =
		    xreallocarray(map->paths, map->cap, sizeof(*map->paths));
	}
	index_put(&map->by_row, index_hash(&row, sizeof(row)), map->count);
	return &map->paths[map->count++];
}

void map_add(struct map *map, const struct store_path *row)
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
	struct map_path *to = find_path(map, row->row);
	if (to) {
		path_merge(&to->path, &path);
		path_fini(&path);
		return;
	}
	to = new_path(map, row->row);
	*to = (struct map_path){
		.path = path, .row = row->row, .agent_row = row->agent_row
	};
	memcpy(to->agent, row->agent, sizeof(to->agent));
}

static size_t answered(const struct path *path)
{
	size_t n = 0;
	for (size_t i = 0; i < path->hop_count; i++)
		n += path->hops[i].from.family != 0;
	return n;
}

/* Same ends together; the most complete and most walked first. */
static int by_ends(const void *a, const void *b)
{
	const struct map_path *x = a, *y = b;
	if (x->agent_row != y->agent_row)
		return x->agent_row < y->agent_row ? -1 : 1;
	int order = addr_cmp(&x->path.dst, &y->path.dst);
	if (order == 0)
		order = addr_cmp(&x->path.src, &y->path.src);
	if (order != 0)
		return order;
	size_t n = answered(&x->path), m = answered(&y->path);
	if (n != m)
		return n > m ? -1 : 1;
	if (x->path.traces != y->path.traces)
		return x->path.traces > y->path.traces ? -1 : 1;
	return x->row < y->row ? -1 : x->row > y->row;
}

static bool same_ends(const struct map_path *a, const struct map_path *b)
{
	return a->agent_row == b->agent_row &&
	    addr_equal(&a->path.dst, &b->path.dst) &&
	    addr_equal(&a->path.src, &b->path.src);
}

static void absorb_lossy(struct map *map)
{
	size_t kept = 0, group = 0;
	for (size_t i = 0; i < map->count; i++) {
		struct map_path *path = &map->paths[i];
		if (kept == 0 || !same_ends(&map->paths[group], path))
			group = kept;
		size_t end = kept < group + ABSORBERS_MOST
		    ? kept
		    : group + ABSORBERS_MOST;
		bool gone = false;
		for (size_t k = group; !gone && k < end; k++)
			gone = path_absorb(&map->paths[k].path, &path->path);
		if (gone)
			path_fini(&path->path);
		else
			map->paths[kept++] = *path;
	}
	map->count = kept;
}

void map_finish(struct map *map)
{
	if (map->count > 0)
		qsort(map->paths, map->count, sizeof(*map->paths), by_ends);
	index_fini(&map->by_row); /* the order is another now */
	absorb_lossy(map);
	map->topology = topology_new();
	struct topology_hop hops[PATH_MAX_HOPS];
	for (size_t i = 0; i < map->count; i++) {
		struct topology_trace trace;
		path_as_trace(&map->paths[i].path, hops, &trace);
		if (trace.hop_count > 0)
			topology_add(map->topology, &trace);
	}
}

void map_fini(struct map *map)
{
	for (size_t i = 0; i < map->count; i++)
		path_fini(&map->paths[i].path);
	free(map->paths);
	index_fini(&map->by_row);
	topology_free(map->topology);
	*map = (struct map){ 0 };
}

struct cover {
	struct query *q;
	struct store_filter filter;
	struct map *map;
	uint32_t finest_s;  /* bins below this are not read */
	uint32_t rows_left; /* 0: as many as there are */
};

static int take_path(void *ctx, const struct store_path *row)
{
	struct cover *cover = ctx;
	map_add(cover->map, row);
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
	return cover->q->c->ops->read_paths(
	    cover->q->reader, &cover->filter, take_path, cover);
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

/* Whole bins of this level inside, finer ones at both edges. */
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
	if (err == ERR_OK)
		err = read_level(cover, levels[level], first, end);
	if (err == ERR_OK)
		err = read_cover(cover, level - 1, end, to_s);
	return err;
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
    struct map *map)
{
	static const uint32_t finest[] = { FINEST_S, 3600, 86400 };
	struct cover cover = { .q = q, .map = map };
	cover.filter.agent_row = agent_row;
	int err = 1;
	for (int i = 0; err == 1 && i < 3; i++) {
		map_fini(map);
		err = read_from(&cover, finest[i], range);
		if (err == ERR_OK)
			range->from_ns -=
			    range->from_ns % ((int64_t)finest[i] * NS_PER_S);
	}
	map_finish(map);
	return err < 0 ? err : ERR_OK;
}

const char *map_node_id(
    const struct topology_node *node, char to[static NODE_ID_LEN])
{
	char before[ADDR_TEXT_LEN] = "", after[ADDR_TEXT_LEN] = "";
	if (node->addr.family)
		return addr_text(&node->addr, to);
	if (node->before.family)
		addr_text(&node->before, before);
	if (node->after.family)
		addr_text(&node->after, after);
	snprintf(to, NODE_ID_LEN, "?%s~%s~%u/%u", before, after,
	    node->run_index + 1u, node->run_len);
	return to;
}

json_t *map_link_json(
    const struct topology_node *nodes, const struct topology_link *link)
{
	char from[NODE_ID_LEN], to[NODE_ID_LEN];
	char id[2 * NODE_ID_LEN + 2];
	map_node_id(&nodes[link->from], from);
	map_node_id(&nodes[link->to], to);
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
