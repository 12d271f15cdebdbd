/* SPDX-License-Identifier: ISC */
/*
 * Paths as a graph.  Rows of one path from many bins are joined, then paths
 * that are the same but for answers that got lost; only then does
 * analysis/topology.h see them, each as one trace that stands for many.
 */
#pragma once

#include "analysis/path.h"
#include "analysis/topology.h"
#include "lib/sketch/hash-index.h"

struct path_set_item {
	struct path path;
	int64_t row, agent_row; /* who it is */
};
struct path_set {
	struct path_set_item *items; /* owned */
	size_t count, cap;
	struct index by_row;
	struct topology *topology; /* path_set_finish */
};

/* Takes the path.  Not after path_set_finish. */
void path_set_add(
    struct path_set *set, int64_t row, int64_t agent_row, struct path *path);
/* Joins, and makes the topology. */
void path_set_finish(struct path_set *set);
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
