/* SPDX-License-Identifier: ISC */
/* A world compared with its rollups. */
#pragma once

#include "tests/collector/store/sqlite/rollup/gather-world.h"

struct class_names {
	char *verdict[8], *signature[8];
	uint64_t sources[8], packets[8];
	int64_t rows;
};

struct source_sum {
	uint64_t packets;
	int64_t first_ns;
};

struct paths_seen {
	const struct world *w;
	uint32_t bin_s;
	uint64_t traces, rows;
	int64_t last_bin;
};

/* Rows of classes into the names, which the checks take. */
int take_class(void *ctx, const struct store_row *row);
void free_names(struct class_names *names);
void check_counts(
    struct world *w, struct rollup_view *view, struct class_names *names);
void check_sources(struct world *w, struct rollup_view *view, bool days);
int add_source(void *ctx, const struct store_row *row);
void check_agent_alone(
    struct world *w, struct rollup_view *view, int64_t agent, int64_t hour_s);
int check_path(void *ctx, const struct store_row *row);
void check_paths(struct world *w, struct rollup_view *view);
void check_paths_in_pieces(struct world *w, struct rollup_view *view);
/* Links of the hour that are derived; each is asserted. */
size_t check_links(struct rollup_view *view, int64_t hour);
/* Gaps, runs, probes that did not leave. */
void check_rest(struct world *w, struct rollup_view *view);
/* That were met. */
extern unsigned pages_behind, pages_by_group, agents_alone;
