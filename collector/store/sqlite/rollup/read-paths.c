/* SPDX-License-Identifier: ISC */
/*
 * Sums of paths by bin.  An hour's rows are by path: their minutes are put into
 * order an hour at a time.  A day is its own part and the parts of its hours
 * that it does not hold yet.
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

#define NAMES_PASSED 64 /* rather than looked up again */

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
	int64_t from, end; /* of bins, seconds */
	uint32_t *wanted;  /* NULL: all */
	size_t wanted_count;
	struct identity *identities;
	size_t identity_count, identity_cap;
	struct index by_id;
	struct out_row *rows; /* of the hour or day under way */
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

static bool is_row_under_way(
    const struct path_read *r, uint32_t id, int64_t bin)
{
	const struct out_row *last = &r->rows[r->count > 0 ? r->count - 1 : 0];
	return r->count > 0 && last->path == id && last->bin == bin;
}

static int sum_row(struct path_read *r, struct path_stream *from)
{
	int64_t bin = from->bin - from->bin % r->bin_s;
	if (bin < r->from || bin >= r->end)
		return ERR_OK;
	if (is_row_under_way(r, from->path, bin))
		return path_stream_add(from, &r->more, r->msg);
	int err = end_row(r);
	return err < 0 ? err : begin_row(r, from, bin);
}

/* Rows of some parts, summed by path and bin. */
static int sum_parts(
    struct path_read *r, const struct part_info *parts, size_t count)
{
	struct path_merge merge = { 0 };
	for (size_t i = 0; i < count; i++)
		path_merge_part(&merge, &r->view->db, r->view->codec,
		    &parts[i].id, r->wanted, r->wanted_count);
	int err = path_merge_start(&merge, r->msg);
	for (; err == 1; err = path_merge_next(&merge, r->msg)) {
		err = sum_row(r, merge.current);
		if (err < 0)
			break;
	}
	path_merge_fini(&merge);
	if (err < 0)
		return err;
	err = end_row(r);
	return err < 0 ? err : give_rows(r);
}

static int read_hours(struct path_read *r)
{
	struct part_list list = { 0 };
	int64_t from = r->from - r->from % HOUR_S;
	int err = part_list_read(
	    &r->view->db, ROLLUP_PATHS, from, r->end, &list, r->msg);
	for (size_t i = 0; err == 0 && i < list.count;) {
		size_t end = i, kept = i;
		int64_t hour = list.items[i].id.bin;
		for (; end < list.count && list.items[end].id.bin == hour;
		     end++)
			if (list.items[end].fine || r->bin_s >= HOUR_S)
				list.items[kept++] = list.items[end];
		if (kept > i)
			err = sum_parts(r, list.items + i, kept - i);
		i = end;
	}
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
	err = sum_parts(r, list.items, list.count);
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
	for (size_t i = 0; i < r.identity_count; i++)
		buf_fini(&r.identities[i].hops);
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
