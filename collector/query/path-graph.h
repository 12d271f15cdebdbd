/* SPDX-License-Identifier: ISC */
/*
 * Every path of a time range, summed up, and the graph that they make.  The
 * range is covered by whole days, hours and minutes, the coarsest that fit,
 * so a week costs about as many rows as an hour.  Where minutes are too many
 * rows (thousands of paths), the range is widened to whole hours, or days.
 *
 * Graphs are what queries need most memory for, so there is one at a time, and
 * its size is bounded: the busiest paths are kept (analysis/path-set.h).
 */
#pragma once

#include "analysis/path-set.h"
#include "collector/query/query-args.h"
#include "lib/base/buf.h"

/* Nodes and links of a graph at most, and the memory of its paths. */
#define MAP_NODES_MOST 16384u
#define MAP_LINKS_MOST 65536u
#define MAP_PATHS_MOST_BYTES (64u << 20)

/* Waits for the graph of another thread to end; then an empty set with these
 * bounds.  map_end frees it and gives its memory back to the system. */
void map_begin(struct path_set *map);
void map_end(struct path_set *map);

/* agent_row 0: all.  The range becomes the one that was read. */
int map_read(struct query *query, struct store_range *range, int64_t agent_row,
    struct path_set *map);
/* From rows that the caller reads itself: add each, then path_set_finish. */
void map_add(struct path_set *map, const struct store_path *row);
/* A link as the API shows it, as text and as a tree. */
void map_link_write(struct buf *to, const struct topology_node *nodes,
    const struct topology_link *link);
json_t *map_link_json(
    const struct topology_node *nodes, const struct topology_link *link);
