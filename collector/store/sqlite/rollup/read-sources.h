/* SPDX-License-Identifier: ISC */
/* A read of sources under way, shared by the files read-sources*.c. */
#pragma once

#include "collector/store/sqlite/rollup/gather-private.h"
#include "collector/store/sqlite/rollup/view.h"

struct class_info {
	char *verdict, *signature; /* NULL: there is none */
	bool wanted;
};
struct source_group {
	struct source_row sum;
	int64_t *agents; /* owned, ascending */
	size_t agent_count;
};
struct day_parts {
	int64_t day;
	struct part_id heavy, light;
	bool has_heavy, has_light, edge;
};

struct source_read {
	struct rollup_view *view;
	const struct store_plan *plan;
	struct errmsg *msg;
	int64_t from_ns, to_ns;
	uint32_t fine_s;
	struct class_info *classes; /* by id */
	size_t class_count;
	bool ranged; /* one source, or a prefix */
	struct source_key first, last;
	struct source_row *rows; /* that match */
	size_t count, cap, rows_most;
	const struct source_row **sorted;
	struct source_group under_way, *top; /* a heap, the last place first */
	size_t top_count, top_cap, places;
	bool has_after; /* only what ranks behind this */
	struct source_row after;
	/* In the order of days, as they come, until all places are taken. */
	bool by_group, is_full;
	bool has_group; /* only groups behind this */
	struct source_key group;
	struct day_parts *days;
	size_t day_count;
	uint64_t *light; /* day by class */
};

/* read-sources-rows.c */
/* All that the plan asks of a row but its time. */
bool source_read_matches(
    const struct source_read *read, const struct source_key *key);
bool source_read_in_range(
    const struct source_read *read, const struct source_row *row);
/* Rows of a part of an hour that match are kept; bins in [from, end). */
int source_read_hour(struct source_read *read, const struct part_info *part,
    int64_t from, int64_t end);
/* Puts the rows that are kept into the order of days. */
void source_read_sort(struct source_read *read);
/* The most packets that a light group of a class has in a day. */
uint64_t source_read_light(
    const struct source_read *read, size_t day, uint32_t class);
void source_read_add_day(struct source_read *read, struct source_merge *merge,
    size_t day, bool heavy, bool light, bool details);
/* tag: the day that the row is of; below 0: of an hour, which was asked. */
bool source_read_in_time(
    const struct source_read *read, int tag, const struct source_row *row);

/* read-sources-places.c */
/* Rows come group by group. */
void source_read_add(struct source_read *read, const struct source_row *row);
/* The group under way gets its place, if it has one. */
void source_read_end_group(struct source_read *read);
/* Whether a group with so many packets would rank behind the cursor. */
bool source_read_ranks_behind(const struct source_read *read,
    const struct source_key *key, uint64_t packets);
int source_read_give(struct source_read *read, store_row_fn *fn, void *ctx);

/* read-sources-days.c */
int source_read_days(struct source_read *read);

/* read-sources-top.c */
/* 1: sure; 0: no places yet, these groups do not give them. */
int source_read_top(struct source_read *read);
