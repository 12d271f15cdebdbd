/* SPDX-License-Identifier: ISC */
/*
 * Every path of a time range, summed up, and the graph that they make.  The
 * range is covered by whole days, hours and minutes, the coarsest that fit,
 * so a week costs about as many rows as an hour.  Where minutes are too many
 * rows (thousands of paths), the range is widened to whole hours, or days.
 */
#pragma once

#include "analysis/path-set.h"
#include "collector/query/query-args.h"

/* agent_row 0: all.  The range becomes the one that was read. */
int map_read(struct query *query, struct store_range *range, int64_t agent_row,
    struct path_set *map);
/* From rows that the caller reads itself: add each, then path_set_finish. */
void map_add(struct path_set *map, const struct store_path *row);
/* A link as the API shows it. */
json_t *map_link_json(
    const struct topology_node *nodes, const struct topology_link *link);
