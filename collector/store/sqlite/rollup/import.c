/* SPDX-License-Identifier: ISC */
/*
 * The sums of the first version's database (schema 4), which had rows for each
 * level: the finest become rows of hours where they hold all of the hour, else
 * the hour's own do; the days' become days that hold their hours already.
 */
#include <stdlib.h>
#include <string.h>

#include "collector/store/sqlite/rollup/names.h"
#include "collector/store/sqlite/rollup/rollup-db.h"
#include "collector/store/sqlite/rollup/rollup-runs.h"
#include "collector/store/sqlite/rollup/seen.h"
#include "collector/store/sqlite/rollup/gather-private.h"
#include "collector/store/sqlite/rollup/paths.h"
#include "lib/base/xalloc.h"

#define DAY_NS (DAY_S * NS_PER_S)

struct import {
	struct gather *g;
	struct db *old;
	struct errmsg *msg;
	uint32_t *class_of; /* by the old kind's row */
	size_t class_count;
	int64_t finest_s;
	struct source_row *rows;
	size_t count, cap;
};

/* Rows as they are; as many columns as the old statement gives. */
static int copy_rows(struct import *im, const char *from, const char *to)
{
	sqlite3_stmt *row = db_query(im->old, from, "");
	int err;
	while ((err = db_step(im->old, row, im->msg)) == 1) {
		sqlite3_stmt *add = db_query(&im->g->db, to, "");
		for (int i = 0; add && i < sqlite3_column_count(row); i++)
			sqlite3_bind_value(
			    add, i + 1, sqlite3_column_value(row, i));
		err = db_step(&im->g->db, add, im->msg);
		db_reset(add);
		if (err < 0)
			break;
	}
	db_reset(row);
	return err;
}

static int copy_tables(struct import *im)
{
	static const char *const tables[][2] = {
		{ "SELECT id, agent, version, heard_ns, heartbeat FROM agents"
		  " WHERE heard_ns > 0",
		    "INSERT INTO agent_state VALUES (?1, ?2, ?3, ?4, ?5)" },
		{ "SELECT bin_s, bin, agent FROM watch",
		    "INSERT INTO watch VALUES (?1, ?2, ?3)" },
		{ "SELECT id, agent, digest, src, dst, hops, last_day / 86400"
		  " FROM paths",
		    "INSERT INTO paths VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)" },
		{ "SELECT addr, path FROM path_hops",
		    "INSERT INTO path_hops VALUES (?1, ?2)" },
		{ "SELECT id, campaign, run, agent, first_ns, last_ns,"
		  " records, error FROM runs",
		    "INSERT INTO runs VALUES"
		    " (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)" },
		{ "SELECT hash, octets, size_bytes, first_ns FROM payloads",
		    "INSERT INTO payloads VALUES"
		    " (?1, ?2, ?3, ?4, 0, ?4 / 86400000000000)" },
		{ "SELECT id, agent, wall_ns, epoch, from_seq, to_seq,"
		  " unnumbered, CASE WHEN to_seq > 0"
		  "  THEN to_seq - from_seq + 1 ELSE 0 END + unnumbered,"
		  " reason FROM losses",
		    "INSERT INTO gaps VALUES"
		    " (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)" },
	};
	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
		int err = copy_rows(im, tables[i][0], tables[i][1]);
		if (err < 0)
			return err;
	}
	return ERR_OK;
}

static int import_classes(struct import *im)
{
	sqlite3_stmt *row = db_query(im->old,
	    "SELECT id, verdict, signature, sources, packets, first_ns,"
	    " last_ns FROM kinds ORDER BY id",
	    "");
	int err;
	while ((err = db_step(im->old, row, im->msg)) == 1) {
		const struct class_name class = {
			.verdict = (char *)(uintptr_t)db_column_text(row, 1),
			.signature = (char *)(uintptr_t)db_column_text(row, 2),
			.packets = (uint64_t)sqlite3_column_int64(row, 4),
			.first_ns = sqlite3_column_int64(row, 5),
			.last_ns = sqlite3_column_int64(row, 6),
		};
		size_t id = (size_t)sqlite3_column_int64(row, 0);
		im->class_of =
		    xreallocarray(im->class_of, id + 1, sizeof(*im->class_of));
		while (im->class_count <= id)
			im->class_of[im->class_count++] = 0;
		im->class_of[id] = names_import(
		    im->g, &class, (uint64_t)sqlite3_column_int64(row, 3));
	}
	db_reset(row);
	return err;
}

static uint32_t class_of(const struct import *im, int64_t kind)
{
	return kind > 0 && (size_t)kind < im->class_count ? im->class_of[kind]
							  : 0;
}

static int import_series(struct import *im)
{
	sqlite3_stmt *row = db_query(im->old,
	    "SELECT bin_s, kind, agent, bin, sources, packets FROM series", "");
	int err;
	while ((err = db_step(im->old, row, im->msg)) == 1) {
		err = db_run(&im->g->db, im->msg,
		    "INSERT INTO series VALUES (?1, ?2, ?3, ?4, ?5, ?6, 0)"
		    " ON CONFLICT DO UPDATE SET sources = sources + ?5,"
		    " packets = packets + ?6",
		    "iiiiii", sqlite3_column_int64(row, 0),
		    (int64_t)class_of(im, sqlite3_column_int64(row, 1)),
		    sqlite3_column_int64(row, 2), sqlite3_column_int64(row, 3),
		    sqlite3_column_int64(row, 4), sqlite3_column_int64(row, 5));
		if (err < 0)
			break;
	}
	db_reset(row);
	return err;
}

static int import_seen(struct import *im)
{
	sqlite3_stmt *row =
	    db_query(im->old, "SELECT kind, src, last_ns FROM seen", "");
	struct seen_key *keys = NULL;
	size_t count = 0, cap = 0;
	int err;
	while ((err = db_step(im->old, row, im->msg)) == 1) {
		struct addr src = db_column_addr(row, 1);
		if (count == cap) {
			cap = cap ? cap * 2 : 1024;
			keys = xreallocarray(keys, cap, sizeof(*keys));
		}
		struct seen_key *key = &keys[count++];
		*key = (struct seen_key){ .day = sqlite3_column_int64(row, 2) /
			    DAY_NS };
		source_key_set_addr(&key->key, &src);
		key->key.class = class_of(im, sqlite3_column_int64(row, 0));
		if (key->key.class == 0)
			count--;
		else
			seen_before(im->g, &key->key);
	}
	db_reset(row);
	if (err == 0)
		err = seen_flush(im->g, keys, count, im->msg);
	/* The classes know how many they had. */
	memset(im->g->class_found, 0, sizeof(im->g->class_found));
	free(keys);
	return err;
}

/* --- sources --- */
static int load_sources(
    struct import *im, int64_t bin_s, int64_t from, int64_t end, int64_t width)
{
	sqlite3_stmt *row = db_query(im->old,
	    "SELECT bin, kind, src, agent, proto, dport, packets, targets,"
	    " first_ns, last_ns, payload, spoofable FROM sources"
	    " WHERE bin_s = ?1 AND bin >= ?2 AND bin < ?3",
	    "iii", bin_s, from, end);
	int err;
	im->count = 0;
	while ((err = db_step(im->old, row, im->msg)) == 1) {
		struct addr src = db_column_addr(row, 2);
		struct source_row r = {
			.key = { .class =
				     class_of(im, sqlite3_column_int64(row, 1)),
			    .agent = (uint32_t)sqlite3_column_int64(row, 3),
			    .proto = (uint8_t)sqlite3_column_int(row, 4),
			    .dport = (uint16_t)sqlite3_column_int(row, 5) },
			.packets = (uint64_t)sqlite3_column_int64(row, 6),
			.targets = (uint64_t)sqlite3_column_int64(row, 7),
			.first_ns = sqlite3_column_int64(row, 8),
			.last_ns = sqlite3_column_int64(row, 9),
			.has_payload =
			    sqlite3_column_type(row, 10) != SQLITE_NULL,
			.spoofable = sqlite3_column_int(row, 11) != 0,
		};
		int64_t bin = sqlite3_column_int64(row, 0);
		db_column_copy(row, 10, r.payload, sizeof(r.payload));
		source_key_set_addr(&r.key, &src);
		r.key.bin = bin - bin % width;
		if (r.key.class == 0)
			continue;
		if (im->count == im->cap) {
			im->cap = im->cap ? im->cap * 2 : 1024;
			im->rows =
			    xreallocarray(im->rows, im->cap, sizeof(*im->rows));
		}
		im->rows[im->count++] = r;
	}
	db_reset(row);
	return err;
}

static int cmp_by_addr(const void *a, const void *b)
{
	const struct source_row *x = a, *y = b;
	return source_cmp(&x->key, &y->key, false);
}

static int cmp_by_class_first(const void *a, const void *b)
{
	const struct source_row *x = a, *y = b;
	return source_cmp(&x->key, &y->key, true);
}

static int write_sources(
    struct import *im, enum rollup_table table, int64_t bin, bool fine)
{
	struct source_writer writer;
	bool by_class = source_by_class(table);
	const struct part_info info = {
		.id = { table, bin, gather_new_part(im->g) },
		.fine = fine,
	};
	if (im->count > 1)
		qsort(im->rows, im->count, sizeof(*im->rows),
		    by_class ? cmp_by_class_first : cmp_by_addr);
	source_part_begin(
	    &writer, &im->g->db, im->g->codec, &info, im->count, im->msg);
	for (size_t i = 0; i < im->count; i++) {
		struct source_row row = im->rows[i];
		/* Classes that became one. */
		while (i + 1 < im->count &&
		    source_cmp(&row.key, &im->rows[i + 1].key, by_class) == 0)
			source_add(&row, &im->rows[++i]);
		source_part_row(&writer, &row);
	}
	return source_part_end(&writer);
}

/* The packets of all its finer rows are the hour's: none was let go. */
static int is_whole(struct import *im, const char *sum, int64_t finest_s,
    int64_t hour, bool *whole)
{
	int64_t fine, all;
	if (db_integer(im->old, &fine, 0, sum, "iii", finest_s, hour,
		hour + HOUR_S) < 0 ||
	    db_integer(im->old, &all, 0, sum, "iii", (int64_t)HOUR_S, hour,
		hour + 1) < 0)
		return db_error(im->old, im->msg);
	*whole = fine == all;
	return ERR_OK;
}

static int import_source_hour(struct import *im, int64_t hour)
{
	bool whole;
	int err = is_whole(im,
	    "SELECT sum(packets) FROM sources WHERE bin_s = ?1 AND bin >= ?2"
	    " AND bin < ?3",
	    im->finest_s, hour, &whole);
	if (err < 0)
		return err;
	err = whole ? load_sources(im, im->finest_s, hour, hour + HOUR_S, 1)
		    : load_sources(im, HOUR_S, hour, hour + 1, HOUR_S);
	return err < 0 ? err : write_sources(im, ROLLUP_SOURCES, hour, whole);
}

static int import_source_day(struct import *im, int64_t day)
{
	int64_t upto = im->g->next_part - 1;
	int err = load_sources(im, DAY_S, day, day + 1, DAY_S);
	if (err < 0)
		return err;
	err = write_sources(im, ROLLUP_HEAVY, day, false);
	return err < 0
	    ? err
	    : derived_set_upto(&im->g->db, ROLLUP_HEAVY, day, upto, im->msg);
}

/* --- paths --- */
static int import_paths(struct import *im, enum rollup_table table,
    int64_t bin_s, int64_t from, int64_t end, bool fine)
{
	struct path_writer writer;
	const struct part_info info = {
		.id = { table, from, gather_new_part(im->g) },
		.fine = fine,
	};
	sqlite3_stmt *row = db_query(im->old,
	    "SELECT path, bin, traces, reached, first_ns, last_ns, sums"
	    " FROM path_bins WHERE bin_s = ?1 AND bin >= ?2 AND bin < ?3"
	    " ORDER BY path, bin",
	    "iii", bin_s, from, end);
	int err;
	path_part_begin(
	    &writer, &im->g->db, im->g->codec, &info, true, im->msg);
	while ((err = db_step(im->old, row, im->msg)) == 1) {
		const struct path_row path = {
			.path = (uint32_t)sqlite3_column_int64(row, 0),
			.bin = sqlite3_column_int64(row, 1),
			.traces = (uint64_t)sqlite3_column_int64(row, 2),
			.reached = (uint64_t)sqlite3_column_int64(row, 3),
			.first_ns = sqlite3_column_int64(row, 4),
			.last_ns = sqlite3_column_int64(row, 5),
			.sums = sqlite3_column_blob(row, 6),
			.sums_len = (size_t)sqlite3_column_bytes(row, 6),
		};
		if (path.path > 0 && path.sums)
			path_part_row(&writer, &path);
	}
	db_reset(row);
	int ended = path_part_end(&writer);
	return err < 0 ? err : ended;
}

static int import_path_hour(struct import *im, int64_t hour)
{
	bool whole;
	int err = is_whole(im,
	    "SELECT sum(traces) FROM path_bins WHERE bin_s = ?1"
	    " AND bin >= ?2 AND bin < ?3",
	    60, hour, &whole);
	if (err < 0)
		return err;
	return whole
	    ? import_paths(im, ROLLUP_PATHS, 60, hour, hour + HOUR_S, true)
	    : import_paths(im, ROLLUP_PATHS, HOUR_S, hour, hour + 1, false);
}

static int import_path_day(struct import *im, int64_t day)
{
	int64_t upto = im->g->next_part - 1;
	int err =
	    import_paths(im, ROLLUP_PATH_DAYS, DAY_S, day, day + 1, false);
	return err < 0 ? err
		       : derived_set_upto(
			     &im->g->db, ROLLUP_PATH_DAYS, day, upto, im->msg);
}

/* Each bin that the statement gives, ascending. */
static int import_bins(struct import *im, const char *next, int64_t bin_s,
    int (*one)(struct import *im, int64_t bin))
{
	int64_t bin = -1;
	for (;;) {
		if (db_integer(
			im->old, &bin, INT64_MAX, next, "ii", bin_s, bin) < 0)
			return db_error(im->old, im->msg);
		if (bin == INT64_MAX)
			return ERR_OK;
		int err = one(im, bin);
		if (err < 0)
			return err;
	}
}

static int import_levels(struct import *im)
{
	static const char sources[] =
	    "SELECT min(bin) FROM sources WHERE bin_s = ?1 AND bin > ?2";
	static const char paths[] =
	    "SELECT min(bin) FROM path_bins WHERE bin_s = ?1 AND bin > ?2";
	if (db_integer(im->old, &im->finest_s, 60,
		"SELECT min(bin_s) FROM sources", "") < 0)
		return db_error(im->old, im->msg);
	int err = import_bins(im, sources, HOUR_S, import_source_hour);
	if (err < 0)
		return err;
	err = import_bins(im, sources, DAY_S, import_source_day);
	if (err < 0)
		return err;
	err = import_bins(im, paths, HOUR_S, import_path_hour);
	if (err < 0)
		return err;
	return import_bins(im, paths, DAY_S, import_path_day);
}

static int import_all(struct import *im, uint64_t block)
{
	int err = import_classes(im);
	if (err < 0)
		return err;
	err = copy_tables(im);
	if (err < 0)
		return err;
	err = import_series(im);
	if (err < 0)
		return err;
	err = import_seen(im);
	if (err < 0)
		return err;
	err = import_levels(im);
	if (err < 0)
		return err;
	names_freeze(im->g, im->g->frozen);
	err = names_flush(im->g, im->msg);
	if (err < 0)
		return err;
	return db_run(&im->g->db, im->msg,
	    "INSERT OR REPLACE INTO meta VALUES ('applied', ?1),"
	    " ('next_part', ?2),"
	    " ('last_path', (SELECT ifnull(max(id), 0) FROM paths))",
	    "ii", (int64_t)block, im->g->next_part);
}

int gather_import(
    struct gather *g, struct db *old, uint64_t block, struct errmsg *msg)
{
	struct import im = { .g = g, .old = old, .msg = msg };
	/* No other thread knows the gather yet. */
	int err = gather_begin(g, msg);
	if (err < 0)
		goto out;
	err = gather_end(g, import_all(&im, block), msg);
	names_clear(g->frozen);
	if (err < 0)
		goto out;
	g->applied = g->settled = g->now->block = block;
	names_fini(g);
	err = names_load(g, msg);
	if (err < 0)
		goto out;
	err = runs_load(g, msg);
out:
	free(im.class_of);
	free(im.rows);
	return err;
}
