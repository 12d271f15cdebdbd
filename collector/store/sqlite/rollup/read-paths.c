/* SPDX-License-Identifier: ISC */
/*
 * Sums of paths by bin.  An hour's rows are by path, so it is read in passes
 * (path-rows.c).  Rows of a single bin are in order and go out as they come.  A
 * day is its own part and the parts of its hours that it does not hold yet.
 */
#include <stdlib.h>
#include <string.h>

#include "collector/store/sqlite/rollup/links.h"
#include "collector/store/sqlite/rollup/path-rows.h"
#include "collector/store/sqlite/rollup/rollup-db.h"
#include "lib/base/vec.h"
#include "lib/base/xalloc.h"

/* Parts of one hour, or of one day. */
struct part_run {
	const struct part_info *parts;
	size_t count;
};

static void merge_run(
    struct path_read *r, const struct part_run *run, struct path_merge *merge)
{
	*merge = (struct path_merge){ 0 };
	for (size_t i = 0; i < run->count; i++)
		path_merge_part(merge, &r->view->db, r->view->codec,
		    &run->parts[i].id, r->wanted, r->wanted_count);
}

/* Not 0: an error, or what the callback returned. */
static int read_pass(struct path_read *r, const struct part_run *run)
{
	struct path_merge merge;
	merge_run(r, run, &merge);
	int err = path_merge_start(&merge, r->msg);
	while (err == 1) {
		int ended = path_sum_row(r, merge.current);
		if (ended != ERR_OK) {
			path_merge_fini(&merge);
			return ended;
		}
		err = path_merge_next(&merge, r->msg);
	}
	path_merge_fini(&merge);
	if (err < 0)
		return err;
	err = path_end_row(r);
	return err < 0 ? err : path_give_rows(r);
}

/* Their rows, summed by path and bin. */
static int sum_run(
    struct path_read *r, const struct part_run *run, int64_t width_s)
{
	int64_t first = run->parts[0].id.bin, end = first + width_s;
	first -= first % r->bin_s;
	r->pass_from = first > r->from ? first : r->from;
	if (end > r->end)
		end = r->end;
	while (r->pass_from < end) {
		r->pass_end = end;
		int err = read_pass(r, run);
		if (err != ERR_OK)
			return err;
		r->pass_from = r->pass_end;
	}
	return ERR_OK;
}

/* Adds to *rows those that sum_run would give, until they are too many. */
static int count_run(
    struct path_read *r, const struct part_run *run, uint64_t *rows)
{
	struct path_merge merge;
	uint32_t path = 0;
	int64_t bin = -1;
	merge_run(r, run, &merge);
	for (size_t i = 0; i < merge.count; i++)
		merge.streams[i].names_only = true;
	int err = path_merge_start(&merge, r->msg);
	while (err == 1 && *rows <= r->plan->most_rows) {
		const struct path_stream *s = merge.current;
		int64_t at = s->bin - s->bin % r->bin_s;
		if (at >= r->from && at < r->end &&
		    (s->path != path || at != bin))
			(*rows)++;
		path = s->path;
		bin = at;
		err = path_merge_next(&merge, r->msg);
	}
	path_merge_fini(&merge);
	return err < 0 ? err : ERR_OK;
}

/* The next hour's parts in the list that hold such bins; false: the end. */
static bool next_hour(const struct path_read *r, struct part_list *list,
    size_t *at, struct part_run *run)
{
	run->count = 0;
	while (*at < list->count && run->count == 0) {
		size_t kept = *at;
		int64_t hour = list->items[*at].id.bin;
		run->parts = list->items + *at;
		for (; *at < list->count && list->items[*at].id.bin == hour;
		     (*at)++)
			if (list->items[*at].fine || r->bin_s >= HOUR_S)
				list->items[kept++] = list->items[*at];
		run->count = (size_t)(list->items + kept - run->parts);
	}
	return run->count > 0;
}

/* 1: there are more than are wanted.  Rows are counted by their names alone,
 * and only where the parts hold so many. */
static int has_too_many(struct path_read *r, const struct part_list *list)
{
	uint64_t most = 0, rows = 0;
	for (size_t i = 0; i < list->count; i++)
		most += list->items[i].rows;
	if (r->plan->most_rows == 0 || most <= r->plan->most_rows)
		return 0;
	struct part_list copy = { xmemdup(list->items,
				      list->count * sizeof(*list->items)),
		list->count };
	struct part_run run;
	size_t at = 0;
	int err = ERR_OK;
	while (err == ERR_OK && rows <= r->plan->most_rows &&
	    next_hour(r, &copy, &at, &run))
		err = count_run(r, &run, &rows);
	part_list_fini(&copy);
	return err < 0 ? err : rows > r->plan->most_rows;
}

static int read_hours(struct path_read *r)
{
	struct part_list list = { 0 };
	struct part_run run;
	size_t at = 0;
	int64_t from = r->from - r->from % HOUR_S;
	int err = part_list_read(
	    &r->view->db, ROLLUP_PATHS, from, r->end, &list, r->msg);
	if (err == ERR_OK)
		err = has_too_many(r, &list);
	while (err == ERR_OK && next_hour(r, &list, &at, &run))
		err = sum_run(r, &run, HOUR_S);
	part_list_fini(&list);
	return err;
}

static int read_day(struct path_read *r, int64_t day)
{
	struct part_list list = { 0 };
	int64_t upto;
	size_t kept = 0;
	int err =
	    derived_upto(&r->view->db, ROLLUP_PATH_DAYS, day, &upto, r->msg);
	if (err < 0)
		return err;
	err = part_list_read(
	    &r->view->db, ROLLUP_PATHS, day, day + DAY_S, &list, r->msg);
	if (err < 0)
		goto out;
	for (size_t i = 0; i < list.count; i++)
		if (list.items[i].id.part > upto)
			list.items[kept++] = list.items[i];
	list.count = kept;
	err = part_list_read(
	    &r->view->db, ROLLUP_PATH_DAYS, day, day + 1, &list, r->msg);
	if (err < 0 || list.count == 0)
		goto out;
	const struct part_run run = { list.items, list.count };
	err = sum_run(r, &run, DAY_S);
out:
	part_list_fini(&list);
	return err;
}

static int read_days(struct path_read *r)
{
	int64_t day = r->from;
	int err = ERR_OK;
	while (err == ERR_OK) {
		int64_t next = INT64_MAX;
		if (db_integer(&r->view->db, &next, INT64_MAX,
			"SELECT min(bin) FROM (SELECT min(bin - bin % 86400)"
			" AS bin FROM parts WHERE tbl = 4 AND bin >= ?1"
			" UNION ALL SELECT min(bin) FROM parts WHERE tbl = 5"
			" AND bin >= ?1)",
			"i", day) < 0)
			return db_error(&r->view->db, r->msg);
		if (next >= r->end)
			break;
		err = read_day(r, next);
		day = next + DAY_S;
	}
	return err;
}

int view_read_paths(struct rollup_view *view, const struct store_plan *plan,
    store_row_fn *fn, void *ctx, struct errmsg *msg)
{
	struct path_read r = {
		.view = view, .plan = plan, .fn = fn, .ctx = ctx, .msg = msg
	};
	r.bin_s = plan->bin_s < 60 ? 60 : plan->bin_s;
	r.from = view_first_bin(plan, r.bin_s);
	r.end = view_end_bin(plan);
	int err = path_read_wanted(&r);
	if (err < 0)
		goto out;
	err = r.bin_s >= DAY_S ? read_days(&r) : read_hours(&r);
out:
	if (r.names)
		db_reset(r.names);
	path_fini(&r.more);
	path_forget_identities(&r);
	free(r.identities);
	index_fini(&r.by_id);
	free(r.wanted);
	free(r.rows);
	buf_fini(&r.sums);
	return err;
}

/* Hours whose links hold all of their paths. */
static int list_derived(struct rollup_view *view, int64_t from, int64_t end,
    struct part_list *list, struct errmsg *msg)
{
	sqlite3_stmt *row = db_query(&view->db,
	    "SELECT p.bin FROM parts p JOIN derived d ON d.tbl = ?2"
	    " AND d.bin = p.bin WHERE p.tbl = ?1 AND p.bin >= ?3"
	    " AND p.bin < ?4 GROUP BY p.bin HAVING max(p.part) <= d.upto",
	    "iiii", (int64_t)ROLLUP_PATHS, (int64_t)ROLLUP_LINKS, from, end);
	int err;
	while ((err = db_step(&view->db, row, msg)) == 1) {
		VEC_ROOM(list->items, list->count);
		list->items[list->count++] = (struct part_info){
			.id = { ROLLUP_LINKS, sqlite3_column_int64(row, 0), 0 }
		};
	}
	db_reset(row);
	return err;
}

int view_read_links(struct rollup_view *view, const struct store_plan *plan,
    store_row_fn *fn, void *ctx, struct errmsg *msg)
{
	struct part_list hours = { 0 };
	uint64_t number = link_number(plan->link_from, plan->link_to);
	int err = list_derived(view, view_first_bin(plan, HOUR_S),
	    view_end_bin(plan), &hours, msg);
	for (size_t i = 0; err == ERR_OK && i < hours.count; i++) {
		struct link_row row = { .delay_min_ns = -1,
			.delay_median_ns = -1,
			.delay_max_ns = -1,
			.loss = -1 };
		err = link_find(&view->db, view->codec, &hours.items[i].id,
		    number, &row, msg);
		if (err < 0)
			break;
		const struct store_link link = {
			.bin = hours.items[i].id.bin,
			.samples = row.samples,
			.delay_min_ns = row.delay_min_ns,
			.delay_median_ns = row.delay_median_ns,
			.delay_max_ns = row.delay_max_ns,
			.loss = row.loss,
		};
		const struct store_row out = { STORE_LINKS, { .link = &link } };
		err = fn(ctx, &out);
	}
	part_list_fini(&hours);
	return err;
}
