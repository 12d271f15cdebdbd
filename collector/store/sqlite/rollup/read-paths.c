/* SPDX-License-Identifier: ISC */
/*
 * Sums of paths by bin.  An hour's rows are by path: their minutes are put into
 * order as far as they fit into a bounded number of rows; those of the last
 * minutes are let go and the hour is read again for them.  Rows of a single bin
 * are in order and go out as they come.  A day is its own part and the parts of
 * its hours that it does not hold yet.
 */
#include <stdlib.h>
#include <string.h>

#include "collector/store/sqlite/rollup/rollup-db.h"
#include "collector/store/sqlite/rollup/links.h"
#include "collector/store/sqlite/rollup/paths.h"
#include "collector/store/sqlite/rollup/gather-private.h"
#include "collector/store/sqlite/rollup/view.h"
#include "lib/base/vec.h"
#include "lib/base/xalloc.h"

#define NAMES_PASSED 64            /* rather than looked up again */
#define SUMS_MOST_BYTES (8u << 20) /* of the rows that are held */

/* Who a path is; read once a read. */
struct identity {
	uint32_t id;
	int64_t agent;
	struct addr src, dst;
	struct buf hops;
};
struct out_row {
	uint32_t path;
	int64_t bin;
	uint64_t traces, reached;
	int64_t first_ns, last_ns;
	size_t sums, sums_len;
};

struct path_read {
	struct rollup_view *view;
	const struct store_plan *plan;
	store_row_fn *fn;
	void *ctx;
	struct errmsg *msg;
	uint32_t bin_s;
	int64_t from, end;           /* of bins, seconds */
	int64_t pass_from, pass_end; /* of those that are read now */
	uint32_t *wanted;            /* NULL: all */
	size_t wanted_count;
	struct identity *identities;
	size_t identity_count, identity_cap;
	struct index by_id;
	struct out_row *rows; /* of the pass */
	size_t count, cap;
	struct buf sums;
	struct path more; /* rows beside the first of the last one in `rows` */
	sqlite3_stmt *names; /* of paths, ascending; NULL: not asked yet */
	uint32_t named;      /* the one that it stands at; 0: the end */
};

static int read_wanted(struct path_read *r)
{
	const struct store_plan *plan = r->plan;
	bool hop = plan->hop.family != 0;
	if (!hop && plan->agent_row == 0)
		return ERR_OK;
	sqlite3_stmt *row = hop
	    ? db_query(&r->view->db,
		  "SELECT h.path FROM path_hops h JOIN paths p"
		  " ON p.id = h.path WHERE h.addr = ?1"
		  " AND (?2 = 0 OR p.agent = ?2) ORDER BY h.path",
		  "ai", &plan->hop, plan->agent_row)
	    : db_query(&r->view->db,
		  "SELECT id FROM paths WHERE ?1 IS NULL AND agent = ?2"
		  " ORDER BY id",
		  "ni", plan->agent_row);
	size_t cap = 64;
	int err;
	r->wanted = xcalloc(cap, sizeof(*r->wanted));
	while ((err = db_step(&r->view->db, row, r->msg)) == 1) {
		if (r->wanted_count == cap) {
			cap *= 2;
			r->wanted =
			    xreallocarray(r->wanted, cap, sizeof(*r->wanted));
		}
		r->wanted[r->wanted_count++] =
		    (uint32_t)sqlite3_column_int64(row, 0);
	}
	db_reset(row);
	return err;
}

/* Paths are asked for in ascending order, mostly one after the other. */
static int step_to_name(struct path_read *r, uint32_t id)
{
	int err = 1;
	if (!r->names || id < r->named || id - r->named > NAMES_PASSED ||
	    r->named == 0) {
		if (r->names)
			db_reset(r->names);
		r->names = db_query(&r->view->db,
		    "SELECT id, agent, src, dst, hops FROM paths"
		    " WHERE id >= ?1 ORDER BY id",
		    "i", (int64_t)id);
		r->named = 0;
	}
	while (r->named < id) {
		err = db_step(&r->view->db, r->names, r->msg);
		if (err != 1) {
			r->named = 0;
			return err;
		}
		r->named = (uint32_t)sqlite3_column_int64(r->names, 0);
	}
	return r->named == id;
}

static void forget_identities(struct path_read *r)
{
	for (size_t i = 0; i < r->identity_count; i++)
		buf_fini(&r->identities[i].hops);
	r->identity_count = 0;
	index_clear(&r->by_id);
}

static int find_identity(
    struct path_read *r, uint32_t id, const struct identity **found)
{
	uint64_t hash = index_hash(&id, sizeof(id));
	struct index_walk walk = index_walk(&r->by_id, hash);
	size_t i;
	*found = NULL;
	while (index_next(&walk, &i))
		if (r->identities[i].id == id) {
			*found = &r->identities[i];
			return ERR_OK;
		}
	int err = step_to_name(r, id);
	if (err != 1)
		return err;
	if (r->identity_count >= gather_sizes.path_rows)
		forget_identities(r);
	if (r->identity_count == r->identity_cap) {
		r->identity_cap = r->identity_cap ? r->identity_cap * 2 : 256;
		r->identities = xreallocarray(
		    r->identities, r->identity_cap, sizeof(*r->identities));
	}
	struct identity *made = &r->identities[r->identity_count];
	*made = (struct identity){
		.id = id,
		.agent = sqlite3_column_int64(r->names, 1),
		.src = db_column_addr(r->names, 2),
		.dst = db_column_addr(r->names, 3),
	};
	buf_bytes(&made->hops, sqlite3_column_blob(r->names, 4),
	    (size_t)sqlite3_column_bytes(r->names, 4));
	index_put(&r->by_id, hash, r->identity_count++);
	*found = made;
	return ERR_OK;
}

/* The first row of a path and bin goes out as its bytes are, if no other
 * follows. */
static int begin_row(struct path_read *r, struct path_stream *from, int64_t bin)
{
	struct path_row row;
	size_t start = r->sums.len;
	int err = path_stream_row(from, &row, &r->sums, r->msg);
	if (err < 0)
		return err;
	if (r->count == r->cap) {
		r->cap = r->cap ? r->cap * 2 : 256;
		r->rows = xreallocarray(r->rows, r->cap, sizeof(*r->rows));
	}
	r->rows[r->count++] = (struct out_row){
		.path = row.path,
		.bin = bin,
		.traces = row.traces,
		.reached = row.reached,
		.first_ns = row.first_ns,
		.last_ns = row.last_ns,
		.sums = start,
		.sums_len = row.sums_len,
	};
	return ERR_OK;
}

/* Adds what followed the first row. */
static int end_row(struct path_read *r)
{
	struct path *more = &r->more;
	struct buf both = { 0 };
	if (more->traces == 0)
		return ERR_OK;
	struct out_row *row = &r->rows[r->count - 1];
	int err = path_write_sums_with(
	    more, r->sums.data + row->sums, row->sums_len, &both);
	if (err < 0) {
		r->view->db.corrupt = true;
		err = err_set(r->msg, ERR_CORRUPT,
		    "rollup.db: path %u has sums of different lengths",
		    row->path);
		goto out;
	}
	r->sums.len = row->sums;
	buf_bytes(&r->sums, both.data, both.len);
	row->sums_len = both.len;
	row->traces += more->traces;
	row->reached += more->reached;
	if (more->first_ns < row->first_ns)
		row->first_ns = more->first_ns;
	if (more->last_ns > row->last_ns)
		row->last_ns = more->last_ns;
out:
	buf_fini(&both);
	path_fini(more);
	return err;
}

static int cmp_out(const void *a, const void *b)
{
	const struct out_row *x = a, *y = b;
	if (x->bin != y->bin)
		return x->bin < y->bin ? -1 : 1;
	return (x->path > y->path) - (x->path < y->path);
}

static int give_rows(struct path_read *r)
{
	if (r->count > 1)
		qsort(r->rows, r->count, sizeof(*r->rows), cmp_out);
	int err = ERR_OK;
	for (size_t i = 0; err == ERR_OK && i < r->count; i++) {
		const struct out_row *row = &r->rows[i];
		const struct identity *who;
		err = find_identity(r, row->path, &who);
		if (err < 0)
			return err;
		if (!who)
			continue;
		const struct store_path path = {
			.row = row->path,
			.agent_row = who->agent,
			.bin = row->bin,
			.src = who->src,
			.dst = who->dst,
			.traces = row->traces,
			.reached = row->reached,
			.first_ns = row->first_ns,
			.last_ns = row->last_ns,
			.hops = { who->hops.data, who->hops.len },
			.sums = { r->sums.data + row->sums, row->sums_len },
		};
		const struct store_row out = { STORE_PATHS, { .path = &path } };
		err = r->fn(r->ctx, &out);
	}
	r->count = 0;
	buf_clear(&r->sums);
	return err;
}

/* Rows from this bin on are for the next pass; the rows are sorted. */
static void cut_pass(struct path_read *r, int64_t end)
{
	struct buf sums = { 0 };
	size_t kept = 0;
	for (; kept < r->count && r->rows[kept].bin < end; kept++) {
		struct out_row *row = &r->rows[kept];
		size_t start = sums.len;
		buf_bytes(&sums, r->sums.data + row->sums, row->sums_len);
		row->sums = start;
	}
	r->count = kept;
	buf_fini(&r->sums);
	r->sums = sums;
	r->pass_end = end;
}

/* The rows that are held are complete; another is to come. */
static int make_room(struct path_read *r)
{
	if (r->count < gather_sizes.path_rows && r->sums.len < SUMS_MOST_BYTES)
		return ERR_OK;
	if (r->pass_end - r->pass_from <= r->bin_s)
		return give_rows(r);
	qsort(r->rows, r->count, sizeof(*r->rows), cmp_out);
	int64_t first = r->rows[0].bin, middle = r->rows[r->count / 2].bin;
	if (middle > first)
		cut_pass(r, middle);
	else if (first + r->bin_s < r->pass_end)
		cut_pass(r, first + r->bin_s);
	else /* bins before it may come with other paths */
		cut_pass(r, first);
	return ERR_OK;
}

static bool is_row_under_way(
    const struct path_read *r, uint32_t id, int64_t bin)
{
	const struct out_row *last = &r->rows[r->count > 0 ? r->count - 1 : 0];
	return r->count > 0 && last->path == id && last->bin == bin;
}

static int sum_row(struct path_read *r, struct path_stream *from)
{
	int64_t bin = from->bin - from->bin % r->bin_s;
	if (bin < r->pass_from || bin >= r->pass_end)
		return ERR_OK;
	if (is_row_under_way(r, from->path, bin))
		return path_stream_add(from, &r->more, r->msg);
	int err = end_row(r);
	if (err < 0)
		return err;
	err = make_room(r);
	if (err != ERR_OK || bin >= r->pass_end)
		return err;
	return begin_row(r, from, bin);
}

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
		int ended = sum_row(r, merge.current);
		if (ended != ERR_OK) {
			path_merge_fini(&merge);
			return ended;
		}
		err = path_merge_next(&merge, r->msg);
	}
	path_merge_fini(&merge);
	if (err < 0)
		return err;
	err = end_row(r);
	return err < 0 ? err : give_rows(r);
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
	int err = read_wanted(&r);
	if (err < 0)
		goto out;
	err = r.bin_s >= DAY_S ? read_days(&r) : read_hours(&r);
out:
	if (r.names)
		db_reset(r.names);
	path_fini(&r.more);
	forget_identities(&r);
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
