/* SPDX-License-Identifier: ISC */
/* Sources of whole days: which parts hold them, and all of their rows. */
#include <stdlib.h>

#include "collector/store/sqlite/rollup/rollup-db.h"
#include "collector/store/sqlite/rollup/read-sources.h"
#include "lib/base/xalloc.h"

static struct day_parts *day_of(struct source_read *r, int64_t day)
{
	if (r->day_count > 0 && r->days[r->day_count - 1].day == day)
		return &r->days[r->day_count - 1];
	r->days = xreallocarray(r->days, r->day_count + 1, sizeof(*r->days));
	struct day_parts *made = &r->days[r->day_count++];
	*made = (struct day_parts){ .day = day };
	made->edge =
	    day * NS_PER_S < r->from_ns || (day + DAY_S) * NS_PER_S > r->to_ns;
	return made;
}

static int list_days(struct source_read *r, int64_t from, int64_t end)
{
	sqlite3_stmt *row = db_query(&r->view->db,
	    "SELECT tbl, bin, part FROM parts WHERE tbl IN (2, 3)"
	    " AND bin >= ?1 AND bin < ?2 ORDER BY bin, tbl",
	    "ii", from, end);
	int err;
	while ((err = db_step(&r->view->db, row, r->msg)) == 1) {
		const struct part_id id = {
			(enum rollup_table)sqlite3_column_int(row, 0),
			sqlite3_column_int64(row, 1),
			sqlite3_column_int64(row, 2)
		};
		struct day_parts *day = day_of(r, id.bin);
		if (id.table == ROLLUP_HEAVY) {
			day->heavy = id;
			day->has_heavy = true;
		} else {
			day->light = id;
			day->has_light = true;
		}
	}
	db_reset(row);
	return err;
}

/* Rows of hours that their day does not hold yet. */
static int read_delta(struct source_read *r, int64_t from, int64_t end)
{
	struct part_list parts = { 0 };
	int64_t day = -1, upto = -1;
	int err = part_list_read(
	    &r->view->db, ROLLUP_SOURCES, from, end, &parts, r->msg);
	for (size_t i = 0; err == 0 && i < parts.count; i++) {
		int64_t bin = parts.items[i].id.bin;
		if (bin - bin % DAY_S != day) {
			day = bin - bin % DAY_S;
			err = derived_upto(
			    &r->view->db, ROLLUP_HEAVY, day, &upto, r->msg);
			if (err < 0)
				break;
		}
		if (parts.items[i].id.part > upto)
			err = source_read_hour(r, &parts.items[i], from, end);
	}
	part_list_fini(&parts);
	return err;
}

static int read_bounds(struct source_read *r)
{
	size_t width = r->class_count + 1;
	r->light = xcalloc((r->day_count + 1) * width, sizeof(*r->light));
	for (size_t d = 0; d < r->day_count; d++) {
		sqlite3_stmt *row = db_query(&r->view->db,
		    "SELECT class, packets FROM light WHERE day = ?1", "i",
		    r->days[d].day);
		int err;
		while ((err = db_step(&r->view->db, row, r->msg)) == 1) {
			uint64_t class = (uint64_t)sqlite3_column_int64(row, 0);
			if (class < r->class_count)
				r->light[d * width + class] =
				    (uint64_t)sqlite3_column_int64(row, 1);
		}
		db_reset(row);
		if (err < 0)
			return err;
	}
	return ERR_OK;
}

/* From one class's first wanted address to its last. */
static int walk_class(
    struct source_read *r, struct source_merge *merge, uint32_t class)
{
	struct source_key from = { .class = class };
	if (r->ranged) {
		from = r->first;
		from.class = class;
	}
	if (r->has_group && class == r->group.class &&
	    source_cmp_group(&from, &r->group, true) < 0)
		from = r->group;
	int err = source_merge_start(merge, &from, r->msg);
	for (; err == 1 && merge->row; err = source_merge_next(merge, r->msg)) {
		const struct source_row *row = merge->row;
		if (row->key.class != class ||
		    (r->ranged && source_cmp_addr(&row->key, &r->last) > 0))
			break;
		if (source_read_matches(r, &row->key) &&
		    source_read_in_time(r, merge->tag, row))
			source_read_add(r, row);
		if (r->is_full)
			break;
	}
	return err < 0 ? err : ERR_OK;
}

/* Everything of the days, class by class. */
static int read_all_days(struct source_read *r)
{
	for (uint32_t class = 0; class < r->class_count; class ++) {
		if (!r->classes[class].wanted ||
		    (r->has_group && class < r->group.class))
			continue;
		if (r->is_full)
			break;
		struct source_merge merge = { 0 };
		for (size_t d = 0; d < r->day_count; d++)
			source_read_add_day(r, &merge, d, true, true, true);
		if (r->count > 0)
			source_merge_add_array(&merge, r->sorted, r->count, -1);
		int err = walk_class(r, &merge, class);
		source_merge_fini(&merge);
		if (err < 0)
			return err;
	}
	source_read_end_group(r);
	return ERR_OK;
}

int source_read_days(struct source_read *r)
{
	int64_t from = view_first_bin(r->plan, DAY_S);
	int64_t end = view_end_bin(r->plan);
	end += (DAY_S - end % DAY_S) % DAY_S;
	int err = list_days(r, from, end);
	if (err < 0)
		return err;
	err = read_delta(r, from, end);
	if (err < 0)
		return err;
	err = read_bounds(r);
	if (err < 0)
		return err;
	source_read_sort(r);
	/* One source or a prefix: its own rows are the fewest. */
	if (!r->ranged && !r->by_group) {
		err = source_read_top(r);
		if (err != 0)
			return err < 0 ? err : ERR_OK;
		/* The next most would cost all of the days: behind a cursor the
		 * others come as they lie. */
		r->by_group = r->has_after;
	}
	return read_all_days(r);
}
