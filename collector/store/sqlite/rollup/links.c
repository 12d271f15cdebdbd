/* SPDX-License-Identifier: ISC */
/*
 * Links of hours.  An hour is derived when data are ten minutes past its end,
 * and again when late data came and ten minutes went by.
 */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "collector/store/sqlite/rollup/rollup-db.h"
#include "collector/store/sqlite/rollup/gather-private.h"
#include "collector/store/sqlite/rollup/links.h"
#include "collector/store/sqlite/rollup/paths.h"
#include "lib/base/vec.h"
#include "lib/base/xalloc.h"

/* Of an hour, the busiest (analysis/path-set.h). */
#define PATHS_MOST_BYTES (64u << 20)

#define LINK_CHUNK 448
#define LINK_KEY_LEN 8
#define OVER_NS (600 * NS_PER_S)

enum { NUMBER, SAMPLES, MEDIAN, BELOW, ABOVE, LOSS, LINK_COLUMNS };

uint64_t link_number(const char *from, const char *to)
{
	char name[2 * NODE_ID_LEN + 2];
	uint8_t hash[16];
	int len = snprintf(name, sizeof(name), "%s>%s", from, to);
	crypto_generichash(hash, sizeof(hash), (const uint8_t *)name,
	    (unsigned long long)len, NULL, 0);
	uint64_t number = 0;
	for (int i = 0; i < 6; i++)
		number = number << 8 | hash[i];
	return number;
}

static void write_key(uint64_t number, uint8_t key[LINK_KEY_LEN])
{
	for (int i = LINK_KEY_LEN - 1; i >= 0; i--, number >>= 8)
		key[i] = (uint8_t)number;
}

struct link_list {
	struct link_row *rows;
	size_t count;
};

static void take_link(void *ctx, const struct path_link *link)
{
	struct link_list *list = ctx;
	VEC_ROOM(list->rows, list->count);
	list->rows[list->count++] = (struct link_row){
		link_number(link->from, link->to),
		link->samples,
		link->delay_min_ns,
		link->delay_median_ns,
		link->delay_max_ns,
		link->loss,
	};
}

static int by_number(const void *a, const void *b)
{
	const struct link_row *x = a, *y = b;
	return (x->number > y->number) - (x->number < y->number);
}

static uint64_t loss_bits(double loss)
{
	uint64_t bits;
	memcpy(&bits, &loss, sizeof(bits));
	return bits;
}

static uint64_t fold_delay(int64_t v)
{
	uint64_t u = (uint64_t)v;
	return u << 1 ^ (0 - (u >> 63));
}

static int write_links(struct gather *g, int64_t hour,
    const struct link_list *list, struct errmsg *msg)
{
	static const uint8_t flags[LINK_COLUMNS] = { [NUMBER] = SEGMENT_DELTA };
	static const struct part_shape shape = { LINK_COLUMNS, flags,
		LINK_CHUNK, LINK_KEY_LEN };
	struct part_writer writer;
	const struct part_info info = {
		.id = { ROLLUP_LINKS, hour, 0 },
		.made_ns = g->received_ns,
	};
	part_begin(&writer, &g->db, g->codec, &info, &shape, msg);
	for (size_t i = 0; i < list->count; i++) {
		const struct link_row *row = &list->rows[i];
		uint8_t key[LINK_KEY_LEN];
		if (i > 0 && row->number == row[-1].number)
			continue;
		write_key(row->number, key);
		size_t at = part_row(&writer, key);
		uint64_t **to = writer.segment.values;
		to[NUMBER][at] = row->number;
		to[SAMPLES][at] = row->samples;
		to[MEDIAN][at] = (uint64_t)(row->delay_median_ns + 1);
		to[BELOW][at] =
		    fold_delay(row->delay_median_ns - row->delay_min_ns);
		to[ABOVE][at] =
		    fold_delay(row->delay_max_ns - row->delay_median_ns);
		to[LOSS][at] = loss_bits(row->loss);
	}
	return part_end(&writer);
}

/* Who sent along a path, and its hops. */
static int fill_path(struct gather *g, uint32_t id, struct path *path,
    int64_t *agent, struct errmsg *msg)
{
	struct path hops = { 0 };
	sqlite3_stmt *row = db_query(&g->db,
	    "SELECT agent, src, dst, hops FROM paths WHERE id = ?1", "i",
	    (int64_t)id);
	int err = db_step(&g->db, row, msg);
	if (err == 1) {
		*agent = sqlite3_column_int64(row, 0);
		path->src = db_column_addr(row, 1);
		path->dst = db_column_addr(row, 2);
		if (path_read_hops(&hops, sqlite3_column_blob(row, 3),
			(size_t)sqlite3_column_bytes(row, 3)) < 0)
			err = 0;
		path_take_hops(path, &hops);
	}
	path_fini(&hops);
	db_reset(row);
	return err;
}

static int add_hour_path(struct gather *g, struct path_set *set, uint32_t id,
    struct path *path, struct errmsg *msg)
{
	int64_t agent = 0;
	int err = fill_path(g, id, path, &agent, msg);
	if (err == 1)
		path_set_add(set, id, agent, path);
	path_fini(path);
	return err < 0 ? err : ERR_OK;
}

static int read_hour(
    struct gather *g, int64_t hour, struct path_set *set, struct errmsg *msg)
{
	struct part_list list = { 0 };
	struct path_merge merge = { 0 };
	struct path path = { 0 };
	uint32_t id = 0;
	int err =
	    part_list_read(&g->db, ROLLUP_PATHS, hour, hour + 1, &list, msg);
	if (err < 0)
		goto out;
	for (size_t i = 0; i < list.count; i++)
		path_merge_part(
		    &merge, &g->db, g->codec, &list.items[i].id, NULL, 0);
	err = path_merge_start(&merge, msg);
	while (err == 1 && merge.current) {
		if (path.traces > 0 && merge.current->path != id) {
			err = add_hour_path(g, set, id, &path, msg);
			if (err < 0)
				break;
		}
		id = merge.current->path;
		err = path_stream_add(merge.current, &path, msg);
		if (err < 0)
			break;
		err = path_merge_next(&merge, msg);
	}
	if (err == 0 && path.traces > 0)
		err = add_hour_path(g, set, id, &path, msg);
out:
	path_fini(&path);
	path_merge_fini(&merge);
	part_list_fini(&list);
	return err;
}

static int derive_links(
    struct gather *g, int64_t hour, int64_t upto, struct errmsg *msg)
{
	struct path_set set = { .bounds.most_bytes = PATHS_MOST_BYTES };
	struct link_list list = { 0 };
	const struct part_id old = { ROLLUP_LINKS, hour, 0 };
	int err = read_hour(g, hour, &set, msg);
	if (err < 0)
		goto out;
	path_set_finish(&set);
	g->bounded += set.paths_left_out;
	path_set_links(&set, NULL, NULL, take_link, &list);
	if (list.count > 1)
		qsort(list.rows, list.count, sizeof(*list.rows), by_number);
	err = part_delete(&g->db, &old, msg);
	if (err < 0)
		goto out;
	err = write_links(g, hour, &list, msg);
	if (err < 0)
		goto out;
	err = derived_set_upto(&g->db, ROLLUP_LINKS, hour, upto, msg);
out:
	path_set_fini(&set);
	free(list.rows);
	return err == ERR_OK ? 1 : err;
}

/* An hour that is over whose paths are not all in its links. */
static int find_hour(
    struct gather *g, int64_t *hour, int64_t *upto, struct errmsg *msg)
{
	int64_t newest_ns = g->newest_ns;
	/* Nothing came since the start: what is on the disk says how far data
	 * had come. */
	if (newest_ns == 0) {
		int64_t bin;
		if (db_integer(&g->db, &bin, 0,
			"SELECT max(bin) FROM parts WHERE tbl = ?1", "i",
			(int64_t)ROLLUP_PATHS) < 0)
			return db_error(&g->db, msg);
		newest_ns = bin * NS_PER_S;
	}
	sqlite3_stmt *row = db_query(&g->db,
	    "SELECT p.bin, max(p.part), max(p.made_ns), ifnull(d.upto, -1)"
	    " FROM parts p LEFT JOIN derived d ON d.tbl = ?2 AND d.bin = p.bin"
	    " WHERE p.tbl = ?1 AND p.bin <= ?3 GROUP BY p.bin"
	    " HAVING max(p.part) > ifnull(d.upto, -1)"
	    " AND (ifnull(d.upto, -1) < 0 OR max(p.made_ns) < ?4)"
	    " ORDER BY p.bin DESC LIMIT 1",
	    "iiii", (int64_t)ROLLUP_PATHS, (int64_t)ROLLUP_LINKS,
	    (newest_ns - OVER_NS) / NS_PER_S - HOUR_S,
	    g->received_ns - OVER_NS);
	int err = db_step(&g->db, row, msg);
	*hour = sqlite3_column_int64(row, 0);
	*upto = sqlite3_column_int64(row, 1);
	db_reset(row);
	return err;
}

int links_step(struct gather *g, struct errmsg *msg)
{
	int64_t hour = 0, upto = 0;
	int err = find_hour(g, &hour, &upto, msg);
	if (err != 1)
		return err;
	err = gather_begin(g, msg);
	if (err < 0)
		return err;
	return gather_end(g, derive_links(g, hour, upto, msg), msg);
}

static int64_t unfold_delay(uint64_t v)
{
	return (int64_t)(v >> 1 ^ (0 - (v & 1)));
}

/* The row's place among ascending numbers, or `rows`. */
static size_t find_number(const uint64_t *numbers, size_t rows, uint64_t number)
{
	size_t low = 0, high = rows;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (numbers[middle] < number)
			low = middle + 1;
		else
			high = middle;
	}
	return low < rows && numbers[low] == number ? low : rows;
}

int link_find(struct db *db, struct segment_codec *codec,
    const struct part_id *id, uint64_t number, struct link_row *row,
    struct errmsg *msg)
{
	struct part_stream stream;
	const uint64_t *column[LINK_COLUMNS];
	uint8_t key[LINK_KEY_LEN];
	write_key(number, key);
	part_stream_init(&stream, db, codec, id, LINK_KEY_LEN);
	int err = part_stream_chunk(&stream, key, msg);
	if (err != 1)
		goto out;
	for (size_t c = 0; c < LINK_COLUMNS; c++) {
		column[c] = segment_column(&stream.segment, c);
		if (!column[c]) {
			db->corrupt = true;
			err = err_set(msg, ERR_CORRUPT,
			    "rollup.db: links in segment %lld cannot be read",
			    (long long)stream.row);
			goto out;
		}
	}
	size_t i = find_number(column[NUMBER], stream.segment.rows, number);
	err = i < stream.segment.rows;
	if (err == 0)
		goto out;
	int64_t median = (int64_t)column[MEDIAN][i] - 1;
	*row = (struct link_row){
		.number = number,
		.samples = column[SAMPLES][i],
		.delay_median_ns = median,
		.delay_min_ns = median - unfold_delay(column[BELOW][i]),
		.delay_max_ns = median + unfold_delay(column[ABOVE][i]),
	};
	memcpy(&row->loss, &column[LOSS][i], sizeof(row->loss));
out:
	part_stream_fini(&stream);
	return err;
}
