/* SPDX-License-Identifier: ISC */
/*
 * Paths as a graph.  Rows of one path from many bins are joined, then paths
 * that are the same but for answers that got lost; only then does
 * analysis/topology.h see them, each as one trace that stands for many.
 *
 * A set with bounds keeps the busiest paths: those with most traces, of equals
 * the one with the lower row.  Whenever the paths that are held need more than
 * `most_bytes`, the quietest go until half of that is free (what a path had
 * before does not count when it comes again).  When the graph of what is left
 * has too many nodes or links, it is made again, the busiest path first, of
 * those that fit.
 */
#pragma once

#include "analysis/path.h"
#include "analysis/topology.h"
#include "lib/sketch/hash-index.h"

struct path_set_item {
	struct path path;
	int64_t row, agent_row; /* who it is */
};
struct path_set_bounds {
	size_t most_bytes, most_nodes, most_links; /* 0: no bound */
};
struct path_set {
	struct path_set_bounds bounds; /* set before the first path */
	struct path_set_item *items;   /* owned */
	size_t count, cap;
	struct index by_row;
	struct topology *topology; /* path_set_finish */

	size_t bytes;      /* of the items, about */
	struct index gone; /* rows that went; a row may have come again */
	uint64_t *sketch;  /* owned; of the addresses of paths left out */
	/* path_set_finish: paths that the graph does not hold, and about how
	 * many addresses that answered are on those alone. */
	size_t paths_left_out, addresses_left_out;
};

/* Takes the path.  Not after path_set_finish. */
void path_set_add(
    struct path_set *set, int64_t row, int64_t agent_row, struct path *path);
/* Joins, and makes the topology. */
void path_set_finish(struct path_set *set);
/* Frees the paths; the topology and what was left out stay. */
void path_set_forget_paths(struct path_set *set);
void path_set_fini(struct path_set *set);

/* "192.0.2.1" or "?before~after~index/length". */
#define NODE_ID_LEN 112
const char *path_node_id(
    const struct topology_node *node, char to[static NODE_ID_LEN]);

/* What one link showed in a time: the link as in the topology, and the extremes
 * over paths where both ends answered (else the median). */
struct path_link {
	const char *from, *to; /* node ids, borrowed for the callback */
	uint64_t samples;
	int64_t delay_min_ns, delay_median_ns, delay_max_ns; /* -1: unknown */
	double loss; /* negative: unknown */
};
typedef void path_link_fn(void *ctx, const struct path_link *link);
/* Every link of a finished set, or only the one between these nodes. */
void path_set_links(struct path_set *set, const char *from, const char *to,
    path_link_fn *fn, void *ctx);
