/* SPDX-License-Identifier: ISC */
/*
 * Every path of a time range, summed up, and the graph that they make.  The
 * range is covered by whole days, hours and minutes, the coarsest that fit,
 * so a week costs about as many rows as an hour.  Where minutes are too many
 * rows (thousands of paths), the range is widened to whole hours, or days.
 */
#pragma once

#include "analysis/topology.h"
#include "lib/sketch/hash-index.h"
#include "analysis/path.h"
#include "collector/query/query-args.h"

struct map_path {
	struct path path;
	int64_t row, agent_row;
	uint8_t agent[AGENT_ID_LEN];
};
struct map {
	struct map_path *paths; /* owned */
	size_t count, cap;
	struct index by_row;
	struct topology *topology;
};

/* agent_row 0: all.  The range becomes the one that was read. */
int map_read(struct query *query, struct store_range *range, int64_t agent_row,
    struct map *map);
/* From rows that the caller reads itself: add each, then finish. */
void map_add(struct map *map, const struct store_path *row);
/* Joins paths that differ only by lost answers; makes the topology. */
void map_finish(struct map *map);
void map_fini(struct map *map);

/* "192.0.2.1" or "?before~after~index/length"; room for NODE_ID_LEN. */
#define NODE_ID_LEN 112
const char *map_node_id(
    const struct topology_node *node, char to[static NODE_ID_LEN]);
/* A link as the API shows it. */
json_t *map_link_json(
    const struct topology_node *nodes, const struct topology_link *link);
