/* SPDX-License-Identifier: ISC */
/*
 * Sources by packets, most first.
 *
 * Where the finest rows of a range are not too many they are all read.  Else
 * days are taken whole, and the top of their sum is found among their heavy
 * groups (read-sources-top.c), or everything is read (read-sources-days.c).
 */
#include <stdlib.h>
#include <string.h>

#include "collector/store/sqlite/rollup/read-sources.h"
#include "lib/base/xalloc.h"

#define PARTS_MOST 2000 /* looked into for one source or agent */
#define AGENT_ROWS_MOST (4 * gather_sizes.fine_rows)

static int read_classes(struct source_read *r)
{
	const struct store_plan *plan = r->plan;
	sqlite3_stmt *row = db_query(&r->view->db,
	    "SELECT id, verdict, signature FROM classes ORDER BY id", "");
	int err;
	while ((err = db_step(&r->view->db, row, r->msg)) == 1) {
		size_t id = (size_t)sqlite3_column_int64(row, 0);
		if (id > CLASSES_MOST + 1)
			continue;
		if (id >= r->class_count) {
			r->classes = xreallocarray(
			    r->classes, id + 1, sizeof(*r->classes));
			for (; r->class_count <= id; r->class_count++)
				r->classes[r->class_count] =
				    (struct class_info){ 0 };
		}
		struct class_info *class = &r->classes[id];
		class->verdict = xstrdup(db_column_text(row, 1));
		class->signature = xstrdup(db_column_text(row, 2));
		class->wanted =
		    (!plan->verdict ||
			strcmp(plan->verdict, class->verdict) == 0) &&
		    (!plan->signature ||
			strcmp(plan->signature, class->signature) == 0) &&
		    (!plan->class_row || plan->class_row == (int64_t)id);
	}
	db_reset(row);
	return err;
}

static void set_range(struct source_read *r)
{
	const struct store_plan *plan = r->plan;
	if (plan->src.family) {
		source_key_set_addr(&r->first, &plan->src);
		r->last = r->first;
		r->ranged = true;
	} else if (plan->src_prefix) {
		struct addr last = plan->src_prefix->addr;
		for (unsigned bit = plan->src_prefix->len;
		     bit < addr_bits(&last); bit++)
			last.bytes[bit / 8] |= (uint8_t)(0x80 >> bit % 8);
		source_key_set_addr(&r->first, &plan->src_prefix->addr);
		source_key_set_addr(&r->last, &last);
		r->ranged = true;
	}
}

static struct source_key group_key(const struct store_source_group *group)
{
	struct source_key key = {
		.class = (uint32_t)group->class_row,
		.proto = (uint8_t)group->proto,
		.dport = (uint16_t)group->dport,
	};
	source_key_set_addr(&key, &group->src);
	return key;
}

static void set_cursor(struct source_read *r)
{
	const struct store_source_cursor *cursor = r->plan->source_cursor;
	if (!cursor)
		return;
	r->has_after = true;
	r->after.key = group_key(&cursor->last);
	r->after.packets = cursor->packets;
	r->by_group = r->has_group = cursor->by_group;
	if (cursor->by_group)
		r->group = group_key(&cursor->group);
}

static void place_matches(struct source_read *r)
{
	source_read_sort(r);
	for (size_t i = 0; i < r->count; i++)
		source_read_add(r, r->sorted[i]);
	source_read_end_group(r);
}

static int read_fine(struct source_read *r, const struct part_list *parts)
{
	int64_t from = view_first_bin(r->plan, r->fine_s);
	int64_t end = view_end_bin(r->plan);
	for (size_t i = 0; i < parts->count; i++) {
		int err = source_read_hour(r, &parts->items[i], from, end);
		if (err < 0)
			return err;
	}
	place_matches(r);
	return ERR_OK;
}

/* Whether days hold what their hours do not any more (they are let go first):
 * a whole day before all hours, or more packets of the oldest hour's day than
 * its hours have. */
static int has_lost_hours(
    struct source_read *r, int64_t from, int64_t end, bool *lost)
{
	struct db *db = &r->view->db;
	int64_t oldest, days = 0, more = 0;
	*lost = false;
	if (db_integer(db, &oldest, INT64_MAX,
		"SELECT min(bin) FROM parts WHERE tbl = 1", "") < 0)
		return db_error(db, r->msg);
	int64_t day = oldest - oldest % DAY_S;
	if (from >= oldest)
		return ERR_OK;
	if (db_integer(db, &days, 0,
		"SELECT count(*) FROM parts WHERE tbl IN (2, 3)"
		" AND bin >= ?1 AND bin < min(?2, ?3)",
		"iii", from - from % DAY_S, end, day) < 0 ||
	    db_integer(db, &more, 0,
		"SELECT (SELECT ifnull(sum(packets), 0) FROM series"
		" WHERE bin_s = 86400 AND agent = 0 AND bin = ?1"
		" AND class IN (SELECT id FROM classes)) >"
		" (SELECT ifnull(sum(packets), 0) FROM series"
		" WHERE bin_s = 3600 AND agent = 0 AND bin >= ?2"
		" AND bin < ?1 + 86400"
		" AND class IN (SELECT id FROM classes))",
		"ii", day, oldest) < 0)
		return db_error(db, r->msg);
	*lost = days > 0 || (more && end > day);
	return ERR_OK;
}

/* At most how many of the finest rows are of the agent that is asked for: one
 * for each source, hour and minute, and no more than packets. */
static int count_agent_rows(
    struct source_read *r, int64_t from, int64_t end, uint64_t *rows)
{
	struct db *db = &r->view->db;
	int64_t count;
	if (db_integer(db, &count, 0,
		"SELECT sum(min(packets, sources * ?1)) FROM series"
		" WHERE bin_s = 3600 AND agent = ?2 AND bin >= ?3"
		" AND bin < ?4 AND class IN (SELECT id FROM classes)",
		"iiii", (int64_t)(HOUR_S / r->fine_s), r->plan->agent_row, from,
		end) < 0)
		return db_error(db, r->msg);
	*rows = (uint64_t)count;
	return ERR_OK;
}

/* Whether the finest rows are few enough. */
static int choose_fine(
    struct source_read *r, struct part_list *parts, bool *fine)
{
	struct db *db = &r->view->db;
	uint64_t rows = 0;
	uint8_t first[PART_KEY_MOST], last[PART_KEY_MOST];
	int64_t from = view_first_bin(r->plan, HOUR_S);
	int64_t end = view_end_bin(r->plan);
	bool lost = false;
	*fine = false;
	if (r->plan->bin_s >= DAY_S)
		return ERR_OK;
	int err = has_lost_hours(r, from, end, &lost);
	if (err < 0 || lost)
		return err;
	err = part_list_read(db, ROLLUP_SOURCES, from, end, parts, r->msg);
	if (err < 0)
		return err;
	if (r->plan->src.family) {
		*fine = parts->count <= PARTS_MOST;
		return ERR_OK;
	}
	for (size_t i = 0; i < parts->count; i++)
		rows += parts->items[i].rows;
	if (rows > gather_sizes.fine_rows && r->ranged) {
		size_t len = source_key_bytes(ROLLUP_SOURCES, &r->first, first);
		source_key_bytes(ROLLUP_SOURCES, &r->last, last);
		const struct part_span span = { ROLLUP_SOURCES, from, end,
			first, last, len };
		err = part_count(
		    db, &span, gather_sizes.fine_rows + 1, &rows, r->msg);
		if (err < 0)
			return err;
	}
	*fine = rows <= gather_sizes.fine_rows;
	/* An agent's few rows among many: segments without them are passed
	 * over by one column. */
	if (!*fine && r->plan->agent_row && parts->count <= PARTS_MOST) {
		err = count_agent_rows(r, from, end, &rows);
		*fine = rows <= AGENT_ROWS_MOST;
	}
	return err;
}

static void free_read(struct source_read *r)
{
	for (size_t i = 0; i < r->class_count; i++) {
		free(r->classes[i].verdict);
		free(r->classes[i].signature);
	}
	for (size_t i = 0; i < r->top_count; i++)
		free(r->top[i].agents);
	free(r->under_way.agents);
	free(r->classes);
	free(r->top);
	free(r->rows);
	free(r->sorted);
	free(r->days);
	free(r->light);
}

int view_read_sources(struct rollup_view *view, const struct store_plan *plan,
    store_row_fn *fn, void *ctx, struct errmsg *msg)
{
	struct part_list parts = { 0 };
	bool fine = false;
	struct source_read r = {
		.view = view,
		.plan = plan,
		.msg = msg,
		.from_ns = plan->range.from_ns,
		.to_ns = plan->range.to_ns ? plan->range.to_ns : INT64_MAX,
		.fine_s = view->gather->levels[0],
		.places = plan->limit ? plan->limit : gather_sizes.fine_rows,
	};
	set_range(&r);
	set_cursor(&r);
	int err = read_classes(&r);
	if (err < 0)
		goto out;
	err = choose_fine(&r, &parts, &fine);
	if (err < 0)
		goto out;
	err = fine ? read_fine(&r, &parts) : source_read_days(&r);
	if (err != 0)
		goto out;
	err = source_read_give(&r, fn, ctx);
out:
	part_list_fini(&parts);
	free_read(&r);
	return err;
}
