/* SPDX-License-Identifier: ISC */
/*
 * Fewer, larger parts.
 *
 * Parts of one hour or stripe are merged when they are many, neighbours of like
 * size together, so that a row is copied a logarithmic number of times.
 *
 * Days are derived from their hours: a day's own parts hold all parts of its
 * hours up to a number (`derived`), what came later is read from the hours
 * until the day is derived again.  Numbers ascend, and a merge keeps the
 * highest of what it merges and never crosses that number, so nothing counts
 * twice.
 *
 * A day's groups are divided: the heavy ones, some thousand of each class with
 * most packets, and the light ones, of which none has more packets than
 * `light` says of its class.  The top of several days is then found in their
 * heavy parts, and it is known whether a light one could belong to it.
 */
#include <stdlib.h>
#include <string.h>

#include "collector/store/sqlite/rollup/merge.h"
#include "collector/store/sqlite/rollup/rollup-db.h"
#include "collector/store/sqlite/rollup/gather-private.h"
#include "collector/store/sqlite/rollup/paths.h"
#include "lib/base/xalloc.h"

#define DELTA_SHARE 16 /* of what the day holds */
#define DELTA_PARTS 64
#define DELTA_OVER_ROWS 8192 /* of a day that is over: at once */
#define DERIVE_ROWS_MOST 131072
#define DERIVE_PARTS_MOST 32
#define QUIET_NS (600 * NS_PER_S)

static int delete_parts(struct gather *g, const struct part_info *parts,
    size_t count, struct errmsg *msg)
{
	for (size_t i = 0; i < count; i++) {
		int err = part_delete(&g->db, &parts[i].id, msg);
		if (err < 0)
			return err;
	}
	return ERR_OK;
}

/* --- parts of one bin --- */

/* Which of the parts, ascending, are merged: the newest run of like sizes. */
static size_t choose_run(
    const struct part_info *parts, size_t count, size_t *run)
{
	for (size_t end = count; end > 1; end--) {
		uint64_t rows = parts[end - 1].rows;
		size_t first = end - 1;
		while (first > 0 && parts[first - 1].rows <= 2 * rows)
			rows += parts[--first].rows;
		if (end - first > 1) {
			*run = end - first;
			return first;
		}
	}
	*run = count;
	return 0;
}

static void combine_sources(enum rollup_table table, struct source_row *to,
    const struct source_row *from)
{
	if (table == ROLLUP_SEEN) {
		if (from->packets > to->packets)
			to->packets = from->packets;
		return;
	}
	source_add(to, from);
}

static int merge_sources(struct gather *g, const struct part_info *parts,
    size_t count, const struct part_info *made, struct errmsg *msg)
{
	struct source_merge merge = { 0 };
	struct source_writer writer;
	struct source_row row = { 0 };
	bool held = false;
	enum rollup_table table = made->id.table;
	uint64_t rows = 0;
	for (size_t i = 0; i < count; i++) {
		source_merge_add(
		    &merge, &g->db, g->codec, &parts[i].id, true, 0);
		rows += parts[i].rows;
	}
	source_part_begin(&writer, &g->db, g->codec, made, rows, msg);
	int err = source_merge_start(&merge, NULL, msg);
	for (; err == 1; err = source_merge_next(&merge, msg)) {
		struct source_row next = *merge.row;
		if (table == ROLLUP_SEEN &&
		    next.packets < (uint64_t)g->seen_dropping)
			continue;
		if (table == ROLLUP_SOURCES && !made->fine)
			next.key.bin = made->id.bin;
		if (held && source_cmp(&row.key, &next.key, true) == 0) {
			combine_sources(table, &row, &next);
			continue;
		}
		if (held)
			source_part_row(&writer, &row);
		row = next;
		held = true;
	}
	if (held)
		source_part_row(&writer, &row);
	int ended = source_part_end(&writer);
	source_merge_fini(&merge);
	return err < 0 ? err : ended;
}

static int put_path(struct path_writer *writer, uint32_t id, int64_t bin,
    struct path *path, struct buf *sums)
{
	struct path_row row = { id, bin, path->traces, path->reached,
		path->first_ns, path->last_ns, NULL, 0 };
	buf_clear(sums);
	path_write_sums(path, sums);
	row.sums = sums->data;
	row.sums_len = sums->len;
	path_part_row(writer, &row);
	path_fini(path);
	return writer->part.err;
}

/* bin_s: of the rows that are made. */
static int merge_paths(struct gather *g, const struct part_info *parts,
    size_t count, const struct part_info *made, uint32_t bin_s,
    struct errmsg *msg)
{
	struct path_merge merge = { 0 };
	struct path_writer writer;
	struct path sum = { 0 };
	struct buf sums = { 0 };
	uint64_t rows = 0;
	uint32_t id = 0;
	int64_t bin = 0;
	for (size_t i = 0; i < count; i++) {
		path_merge_part(
		    &merge, &g->db, g->codec, &parts[i].id, NULL, 0);
		rows += parts[i].rows;
	}
	path_part_begin(
	    &writer, &g->db, g->codec, made, rows <= PATH_EXACT_ROWS, msg);
	int err = path_merge_start(&merge, msg);
	for (; err == 1; err = path_merge_next(&merge, msg)) {
		int64_t at = merge.current->bin;
		at -= at % bin_s;
		if (sum.traces > 0 && (id != merge.current->path || bin != at))
			put_path(&writer, id, bin, &sum, &sums);
		id = merge.current->path;
		bin = at;
		err = path_stream_add(merge.current, &sum, msg);
		if (err < 0)
			break;
	}
	if (err >= 0 && sum.traces > 0)
		put_path(&writer, id, bin, &sum, &sums);
	path_fini(&sum);
	buf_fini(&sums);
	path_merge_fini(&merge);
	int ended = path_part_end(&writer);
	return err < 0 ? err : ended;
}

int merge_parts(struct gather *g, const struct part_info *parts, size_t count,
    bool fine, struct errmsg *msg)
{
	struct part_info made = parts[count - 1];
	int err;
	for (size_t i = 0; i < count; i++)
		fine &= parts[i].fine;
	made.fine = fine;
	/* The new one takes the highest number: it is written with one that
	 * no part has, and renamed when the others are gone. */
	made.id.part = gather_new_part(g);
	if (made.id.table == ROLLUP_PATHS)
		err = merge_paths(
		    g, parts, count, &made, fine ? 60 : HOUR_S, msg);
	else
		err = merge_sources(g, parts, count, &made, msg);
	if (err < 0)
		return err;
	err = delete_parts(g, parts, count, msg);
	if (err < 0)
		return err;
	err = db_run(&g->db, msg,
	    "UPDATE segments SET part = ?4 WHERE tbl = ?1 AND bin = ?2"
	    " AND part = ?3",
	    "iiii", (int64_t)made.id.table, made.id.bin, made.id.part,
	    parts[count - 1].id.part);
	if (err < 0)
		return err;
	return db_run(&g->db, msg,
	    "UPDATE parts SET part = ?4 WHERE tbl = ?1 AND bin = ?2"
	    " AND part = ?3",
	    "iiii", (int64_t)made.id.table, made.id.bin, made.id.part,
	    parts[count - 1].id.part);
}

static enum rollup_table day_table(enum rollup_table table)
{
	return table == ROLLUP_PATHS ? ROLLUP_PATH_DAYS : ROLLUP_HEAVY;
}

/* 1: merged. */
static int merge_bin(
    struct gather *g, enum rollup_table table, int64_t bin, struct errmsg *msg)
{
	struct part_list list = { 0 };
	int64_t upto = -1;
	size_t run, split = 0;
	int err = part_list_read(&g->db, table, bin, bin + 1, &list, msg);
	if (err < 0)
		goto out;
	if (table != ROLLUP_SEEN)
		err = derived_upto(
		    &g->db, day_table(table), bin - bin % DAY_S, &upto, msg);
	if (err < 0)
		goto out;
	while (split < list.count && list.items[split].id.part <= upto)
		split++;
	struct part_info *parts = list.items + split;
	size_t count = list.count - split;
	if (split > count) {
		parts = list.items;
		count = split;
	}
	size_t first = choose_run(parts, count, &run);
	err = merge_parts(g, parts + first, run, true, msg);
	if (err < 0)
		goto out;
	err = 1;
out:
	part_list_fini(&list);
	return err;
}

static int merge_crowded(struct gather *g, struct errmsg *msg)
{
	sqlite3_stmt *row = db_query(&g->db,
	    "SELECT tbl, bin FROM parts WHERE tbl IN (1, 4, 7)"
	    " GROUP BY tbl, bin HAVING count(*) > ?1 LIMIT 1",
	    "i", (int64_t)gather_sizes.parts_crowded);
	int err = db_step(&g->db, row, msg);
	enum rollup_table table = (enum rollup_table)sqlite3_column_int(row, 0);
	int64_t bin = sqlite3_column_int64(row, 1);
	db_reset(row);
	return err == 1 ? merge_bin(g, table, bin, msg) : err;
}

/* --- days of sources --- */

/* Rows by packets, exactly below LINEAR, then eight steps an octave. */
#define LINEAR 256
#define STEPS (LINEAR + 8 * 56)
struct weights {
	uint32_t rows[STEPS];
};

static size_t step_of(uint64_t packets)
{
	if (packets < LINEAR)
		return (size_t)packets;
	unsigned octave = 63u - (unsigned)__builtin_clzll(packets);
	return LINEAR + (octave - 8) * 8 + (packets >> (octave - 3) & 7);
}

static uint64_t step_top(size_t step)
{
	if (step < LINEAR)
		return step;
	unsigned octave = 8 + (unsigned)(step - LINEAR) / 8;
	uint64_t eighth = UINT64_C(1) << (octave - 3);
	return (8 + (step - LINEAR) % 8 + 1) * eighth - 1;
}

/* A group with more packets than this is heavy. */
static uint64_t bound_of(const struct weights *w)
{
	uint64_t rows = 0;
	if (!w)
		return 0;
	for (size_t i = STEPS - 1; i > 0; i--) {
		rows += w->rows[i];
		if (rows > gather_sizes.heavy_groups)
			return step_top(i);
	}
	return 0;
}

struct day_merge {
	struct gather *g;
	struct errmsg *msg;
	int64_t day;
	struct part_list old, delta; /* delta: by part */
	struct source_row *rows;     /* of delta */
	const struct source_row **sorted;
	size_t count, cap;
	struct weights **weights; /* by class */
	uint64_t *bound, *light;  /* the same */
	size_t class_count;
	struct source_row *group; /* its agents */
	size_t group_count, group_cap;
	struct source_writer heavy_writer, light_writer;
	struct group_filter filter; /* of light groups */
};

static void weigh(struct day_merge *d, const struct source_row *row)
{
	uint32_t class = row->key.class;
	if (class >= d->class_count)
		return;
	if (!d->weights[class])
		d->weights[class] = xcalloc(1, sizeof(**d->weights));
	d->weights[class]->rows[step_of(row->packets)]++;
}

static int by_part(const void *a, const void *b)
{
	const struct part_info *x = a, *y = b;
	return (x->id.part > y->id.part) - (x->id.part < y->id.part);
}

/* The parts of the day's hours above its number, oldest first, as many as one
 * step takes. */
static int list_delta(struct gather *g, enum rollup_table table, int64_t day,
    size_t parts_most, struct part_list *list, struct errmsg *msg)
{
	int64_t upto;
	uint64_t rows = 0;
	size_t kept = 0;
	int err = derived_upto(&g->db, day_table(table), day, &upto, msg);
	if (err < 0)
		return err;
	err = part_list_read(&g->db, table, day, day + DAY_S, list, msg);
	if (err < 0)
		return err;
	if (list->count > 1)
		qsort(list->items, list->count, sizeof(*list->items), by_part);
	for (size_t i = 0; i < list->count; i++) {
		if (list->items[i].id.part <= upto)
			continue;
		if (kept > 0 &&
		    (rows + list->items[i].rows > DERIVE_ROWS_MOST ||
			kept == parts_most))
			break;
		rows += list->items[i].rows;
		list->items[kept++] = list->items[i];
	}
	list->count = kept;
	return ERR_OK;
}

static int read_delta(struct day_merge *d)
{
	for (size_t i = 0; i < d->delta.count; i++) {
		struct source_stream stream;
		int err;
		source_stream_init(&stream, &d->g->db, d->g->codec,
		    &d->delta.items[i].id, true);
		while ((err = source_stream_next(&stream, d->msg)) == 1) {
			if (d->count == d->cap) {
				d->cap = d->cap ? d->cap * 2 : 4096;
				d->rows = xreallocarray(
				    d->rows, d->cap, sizeof(*d->rows));
			}
			d->rows[d->count] = stream.row;
			d->rows[d->count].key.bin = d->day;
			weigh(d, &d->rows[d->count++]);
		}
		source_stream_fini(&stream);
		if (err < 0)
			return err;
	}
	return ERR_OK;
}

static int weigh_old(struct day_merge *d)
{
	for (size_t i = 0; i < d->old.count; i++) {
		struct source_stream stream;
		int err;
		source_stream_init(&stream, &d->g->db, d->g->codec,
		    &d->old.items[i].id, false);
		while ((err = source_stream_next(&stream, d->msg)) == 1)
			weigh(d, &stream.row);
		source_stream_fini(&stream);
		if (err < 0)
			return err;
	}
	return ERR_OK;
}

static int by_class_order(const void *a, const void *b)
{
	const struct source_row *x = *(const struct source_row *const *)a;
	const struct source_row *y = *(const struct source_row *const *)b;
	return source_cmp(&x->key, &y->key, true);
}

static void write_group(struct day_merge *d)
{
	uint64_t packets = 0;
	if (d->group_count == 0 || !d->group)
		return;
	uint32_t class = d->group[0].key.class;
	for (size_t i = 0; i < d->group_count; i++)
		packets += d->group[i].packets;
	bool known = class < d->class_count;
	bool heavy = !known || packets > d->bound[class];
	if (!heavy && packets > d->light[class])
		d->light[class] = packets;
	if (!heavy)
		group_filter_add(&d->filter, &d->group[0].key);
	for (size_t i = 0; i < d->group_count; i++)
		source_part_row(
		    heavy ? &d->heavy_writer : &d->light_writer, &d->group[i]);
	d->group_count = 0;
}

static void add_to_group(struct day_merge *d, const struct source_row *row)
{
	struct source_row *last =
	    d->group_count ? &d->group[d->group_count - 1] : NULL;
	if (last && !source_same_group(&last->key, &row->key)) {
		write_group(d);
		last = NULL;
	}
	if (last && last->key.agent == row->key.agent) {
		source_add(last, row);
		return;
	}
	if (!d->group || d->group_count == d->group_cap) {
		d->group_cap = d->group_cap ? d->group_cap * 2 : 16;
		d->group =
		    xreallocarray(d->group, d->group_cap, sizeof(*d->group));
	}
	d->group[d->group_count++] = *row;
}

static int write_day(struct day_merge *d)
{
	struct source_merge merge = { 0 };
	struct part_info info = { .made_ns = d->g->received_ns };
	uint64_t rows = d->count;
	for (size_t i = 0; i < d->old.count; i++) {
		source_merge_add(&merge, &d->g->db, d->g->codec,
		    &d->old.items[i].id, true, 0);
		rows += d->old.items[i].rows;
	}
	group_filter_init(&d->filter, rows);
	if (d->count > 0)
		source_merge_add_array(&merge, d->sorted, d->count, 0);
	info.id =
	    (struct part_id){ ROLLUP_HEAVY, d->day, gather_new_part(d->g) };
	source_part_begin(
	    &d->heavy_writer, &d->g->db, d->g->codec, &info, 0, d->msg);
	info.id.table = ROLLUP_LIGHT;
	source_part_begin(
	    &d->light_writer, &d->g->db, d->g->codec, &info, 0, d->msg);
	int err = source_merge_start(&merge, NULL, d->msg);
	for (; err == 1; err = source_merge_next(&merge, d->msg))
		add_to_group(d, merge.row);
	write_group(d);
	int heavy = source_part_end(&d->heavy_writer);
	int light = source_part_end(&d->light_writer);
	source_merge_fini(&merge);
	return err < 0 ? err : heavy < 0 ? heavy : light;
}

static int write_bounds(struct day_merge *d)
{
	int err = db_run(
	    &d->g->db, d->msg, "DELETE FROM light WHERE day = ?1", "i", d->day);
	if (err < 0)
		return err;
	for (size_t i = 0; i < d->class_count; i++) {
		if (d->light[i] == 0)
			continue;
		err = db_run(&d->g->db, d->msg,
		    "INSERT INTO light VALUES (?1, ?2, ?3)", "iii", d->day,
		    (int64_t)i, (int64_t)d->light[i]);
		if (err < 0)
			return err;
	}
	return db_run(&d->g->db, d->msg,
	    "INSERT OR REPLACE INTO light_groups VALUES (?1, ?2)", "ib", d->day,
	    d->filter.lines, d->filter.line_count * 64);
}

static int derive_sources(struct day_merge *d)
{
	struct db *db = &d->g->db;
	int err = part_list_read(
	    db, ROLLUP_HEAVY, d->day, d->day + 1, &d->old, d->msg);
	if (err < 0)
		return err;
	err = part_list_read(
	    db, ROLLUP_LIGHT, d->day, d->day + 1, &d->old, d->msg);
	if (err < 0)
		return err;
	err = list_delta(
	    d->g, ROLLUP_SOURCES, d->day, DELTA_PARTS * 4, &d->delta, d->msg);
	if (err < 0 || d->delta.count == 0)
		return err;
	err = read_delta(d);
	if (err < 0)
		return err;
	err = weigh_old(d);
	if (err < 0)
		return err;
	d->sorted = xcalloc(d->count + 1, sizeof(void *));
	for (size_t i = 0; i < d->count; i++)
		d->sorted[i] = &d->rows[i];
	qsort(d->sorted, d->count, sizeof(void *), by_class_order);
	for (size_t i = 0; i < d->class_count; i++)
		d->bound[i] = bound_of(d->weights[i]);
	err = write_day(d);
	if (err < 0)
		return err;
	err = delete_parts(d->g, d->old.items, d->old.count, d->msg);
	if (err < 0)
		return err;
	err = write_bounds(d);
	if (err < 0)
		return err;
	err = derived_set_upto(db, ROLLUP_HEAVY, d->day,
	    d->delta.items[d->delta.count - 1].id.part, d->msg);
	return err < 0 ? err : 1;
}

static int merge_source_day(struct gather *g, int64_t day, struct errmsg *msg)
{
	struct day_merge d = { .g = g, .msg = msg, .day = day };
	d.class_count = CLASSES_MOST + 2; /* ids start at 1 */
	d.weights = xcalloc(d.class_count, sizeof(void *));
	d.bound = xcalloc(d.class_count, sizeof(*d.bound));
	d.light = xcalloc(d.class_count, sizeof(*d.light));
	int err = derive_sources(&d);
	for (size_t i = 0; i < d.class_count; i++)
		free(d.weights[i]);
	free(d.weights);
	free(d.bound);
	free(d.light);
	free(d.rows);
	free(d.sorted);
	free(d.group);
	free(d.filter.lines);
	part_list_fini(&d.old);
	part_list_fini(&d.delta);
	return err;
}

/* --- days of paths --- */
static int merge_path_day(struct gather *g, int64_t day, struct errmsg *msg)
{
	struct part_list parts = { 0 }, old = { 0 };
	struct part_info made = { .made_ns = g->received_ns };
	int err =
	    list_delta(g, ROLLUP_PATHS, day, DERIVE_PARTS_MOST, &parts, msg);
	if (err < 0 || parts.count == 0)
		goto out;
	int64_t upto = parts.items[parts.count - 1].id.part;
	err = part_list_read(&g->db, ROLLUP_PATH_DAYS, day, day + 1, &old, msg);
	if (err < 0)
		goto out;
	parts.items = xreallocarray(
	    parts.items, parts.count + old.count + 1, sizeof(*parts.items));
	for (size_t i = 0; i < old.count; i++)
		parts.items[parts.count++] = old.items[i];
	made.id = (struct part_id){ ROLLUP_PATH_DAYS, day, gather_new_part(g) };
	err = merge_paths(g, parts.items, parts.count, &made, DAY_S, msg);
	if (err < 0)
		goto out;
	err = delete_parts(g, old.items, old.count, msg);
	if (err < 0)
		goto out;
	err = derived_set_upto(&g->db, ROLLUP_PATH_DAYS, day, upto, msg);
	if (err < 0)
		goto out;
	err = 1;
out:
	part_list_fini(&parts);
	part_list_fini(&old);
	return err;
}

int merge_day(
    struct gather *g, enum rollup_table table, int64_t day, struct errmsg *msg)
{
	return table == ROLLUP_PATHS ? merge_path_day(g, day, msg)
				     : merge_source_day(g, day, msg);
}

static bool day_due(const struct gather *g, int64_t day, int64_t rows,
    int64_t parts, int64_t made_ns, int64_t held)
{
	if (rows >= gather_sizes.delta_rows + held / DELTA_SHARE ||
	    parts >= DELTA_PARTS)
		return true;
	bool over = g->newest_ns >= (day + DAY_S) * NS_PER_S + QUIET_NS;
	return over &&
	    (rows >= DELTA_OVER_ROWS || made_ns < g->received_ns - QUIET_NS);
}

static int derive_due(
    struct gather *g, enum rollup_table table, struct errmsg *msg)
{
	sqlite3_stmt *row = db_query(&g->db,
	    "SELECT day, sum(p.rows), count(*), max(p.made_ns),"
	    " (SELECT sum(rows) FROM parts WHERE tbl IN (?2, ?3)"
	    "  AND bin = day) FROM"
	    " (SELECT bin - bin % 86400 AS day, part, rows, made_ns FROM parts"
	    "  WHERE tbl = ?1) p LEFT JOIN derived d"
	    "  ON d.tbl = ?2 AND d.bin = p.day"
	    " WHERE p.part > ifnull(d.upto, -1) GROUP BY day",
	    "iii", (int64_t)table, (int64_t)day_table(table),
	    (int64_t)(table == ROLLUP_PATHS ? ROLLUP_PATH_DAYS : ROLLUP_LIGHT));
	int64_t day = 0;
	bool due = false;
	int err;
	while (!due && (err = db_step(&g->db, row, msg)) == 1) {
		day = sqlite3_column_int64(row, 0);
		due = day_due(g, day, sqlite3_column_int64(row, 1),
		    sqlite3_column_int64(row, 2), sqlite3_column_int64(row, 3),
		    sqlite3_column_int64(row, 4));
	}
	db_reset(row);
	return due ? merge_day(g, table, day, msg) : err;
}

/* 1: there was something to do. */
static int merge_or_derive(struct gather *g, struct errmsg *msg)
{
	int err = merge_crowded(g, msg);
	if (err != 0)
		return err;
	err = derive_due(g, ROLLUP_SOURCES, msg);
	if (err != 0)
		return err;
	return derive_due(g, ROLLUP_PATHS, msg);
}

int merge_step(struct gather *g, struct errmsg *msg)
{
	int64_t part = g->next_part;
	int err = gather_begin(g, msg);
	if (err < 0)
		return err;
	err = merge_or_derive(g, msg);
	if (err == 1) {
		int marked = db_run(&g->db, msg,
		    "INSERT OR REPLACE INTO meta VALUES ('next_part', ?1)", "i",
		    g->next_part);
		err = marked < 0 ? marked : err;
	}
	err = gather_end(g, err, msg);
	if (err < 0)
		g->next_part = part;
	return err;
}
