/* SPDX-License-Identifier: ISC */
/*
 * Traces by minute, hour and day: the path that a trace took is kept once,
 * and its sums (analysis/path.h) in each bin of each level.  Like sightings,
 * the traces of a batch are summed up in memory before they are written, and
 * the bins of a level are joined into those of the next.
 */
#include <stdlib.h>
#include <string.h>

#include "collector/store/sqlite/bins.h"
#include "collector/store/sqlite/provider.h"
#include "lib/base/xalloc.h"

void traces_fini(struct traces *t)
{
	for (size_t i = 0; i < t->count; i++)
		path_fini(&t->sums[i].path);
	free(t->sums);
	index_fini(&t->index);
	*t = (struct traces){ 0 };
}

static struct trace_sum *find_sum(
    const struct traces *t, const struct trace_key *key)
{
	struct index_walk walk =
	    index_walk(&t->index, index_hash(key, sizeof(*key)));
	size_t i;
	while (index_next(&walk, &i))
		if (memcmp(&t->sums[i].key, key, sizeof(*key)) == 0)
			return &t->sums[i];
	return NULL;
}

/* Takes the path. */
static void add_sum(
    struct traces *t, const struct trace_key *key, struct path *path)
{
	if (t->count == t->cap) {
		t->cap = t->cap ? t->cap * 2 : 64;
		t->sums = xreallocarray(t->sums, t->cap, sizeof(*t->sums));
	}
	index_put(&t->index, index_hash(key, sizeof(*key)), t->count);
	t->sums[t->count++] = (struct trace_sum){ .key = *key, .path = *path };
}

int rollup_trace(struct rollup *rollup, uint32_t index, struct errmsg *msg)
{
	(void)msg;
	struct traces *t = &rollup->traces;
	const struct prepared_record *record = &rollup->batch->records[index];
	struct trace_key key;
	if (record->path.hop_count == 0)
		return ERR_OK;
	int64_t at_ns =
	    rollup_sane_ns(rollup->batch->received, record->wall_ns);
	key.bin = rollup_bin(at_ns, rollup->store->levels[0]);
	memcpy(key.digest, record->path_digest, sizeof(key.digest));
	struct path here = record->path, path; /* here borrows its hops */
	here.first_ns = here.last_ns = at_ns;
	struct trace_sum *sum = find_sum(t, &key);
	if (sum) {
		path_merge(&sum->path, &here);
	} else {
		path_copy(&path, &here);
		add_sum(t, &key, &path);
	}
	return ERR_OK;
}

static int insert_path(struct rollup *rollup, const struct trace_sum *sum,
    int64_t *row, struct errmsg *msg)
{
	struct db *db = &rollup->store->db;
	const struct path *path = &sum->path;
	struct buf hops = { 0 };
	path_write_hops(path, &hops);
	int err = db_run(db, msg,
	    "INSERT INTO paths (agent, digest, src, dst, hops, last_day)"
	    " VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
	    "ibaabi", rollup->batch->agent_row, sum->key.digest,
	    sizeof(sum->key.digest), &path->src, &path->dst, hops.data,
	    hops.len, rollup_bin(path->last_ns, 86400));
	buf_fini(&hops);
	*row = sqlite3_last_insert_rowid(db->handle);
	for (size_t i = 0; err == ERR_OK && i < path->hop_count; i++)
		if (path->hops[i].from.family)
			err = db_run(db, msg,
			    "INSERT OR IGNORE INTO path_hops VALUES (?1, ?2)",
			    "ai", &path->hops[i].from, *row);
	if (err == ERR_OK && path->src.family)
		err = db_run(db, msg,
		    "INSERT OR IGNORE INTO path_hops VALUES (?1, ?2)", "ai",
		    &path->src, *row);
	return err;
}

/* The path's own row, made when it is new. */
static int path_row(
    struct rollup *rollup, struct trace_sum *sum, struct errmsg *msg)
{
	struct db *db = &rollup->store->db;
	int64_t today = rollup_bin(sum->path.last_ns, 86400), last_day = 0;
	if (sum->row)
		return ERR_OK;
	sqlite3_stmt *found = db_query(db,
	    "SELECT id, last_day FROM paths WHERE agent = ?1 AND digest = ?2",
	    "ib", rollup->batch->agent_row, sum->key.digest,
	    sizeof(sum->key.digest));
	int err = db_step(db, found, msg);
	if (err == 1) {
		sum->row = sqlite3_column_int64(found, 0);
		last_day = sqlite3_column_int64(found, 1);
	}
	db_reset(found);
	if (err == 0)
		return insert_path(rollup, sum, &sum->row, msg);
	if (err < 0 || last_day >= today)
		return err < 0 ? err : ERR_OK;
	return db_run(db, msg, "UPDATE paths SET last_day = ?2 WHERE id = ?1",
	    "ii", sum->row, today);
}

struct bin_row {
	int64_t traces, reached, first_ns, last_ns;
	struct buf sums; /* owned */
};

/* The sums with what the bin holds already, to be written; a row that cannot
 * be read is replaced. */
static int add_held(struct db *db, const struct trace_sum *sum, uint32_t bin_s,
    struct bin_row *to, struct errmsg *msg)
{
	sqlite3_stmt *found = db_query(db,
	    "SELECT traces, reached, first_ns, last_ns, sums FROM path_bins"
	    " WHERE bin_s = ?1 AND bin = ?2 AND path = ?3",
	    "iii", (int64_t)bin_s, sum->key.bin, sum->row);
	int err = db_step(db, found, msg);
	bool held = err == 1 &&
	    path_write_sums_with(&sum->path, sqlite3_column_blob(found, 4),
		(size_t)sqlite3_column_bytes(found, 4), &to->sums) == ERR_OK;
	if (held) {
		int64_t first_ns = sqlite3_column_int64(found, 2);
		int64_t last_ns = sqlite3_column_int64(found, 3);
		to->traces += sqlite3_column_int64(found, 0);
		to->reached += sqlite3_column_int64(found, 1);
		if (first_ns < to->first_ns)
			to->first_ns = first_ns;
		if (last_ns > to->last_ns)
			to->last_ns = last_ns;
	} else {
		buf_clear(&to->sums);
		path_write_sums(&sum->path, &to->sums);
	}
	db_reset(found);
	return err < 0 ? err : ERR_OK;
}

/* The row is written whole: its table has no other index, so replacing is one
 * descent. */
static int write_bin(struct rollup *rollup, struct trace_sum *sum,
    uint32_t bin_s, struct errmsg *msg)
{
	struct db *db = &rollup->store->db;
	int err = path_row(rollup, sum, msg);
	if (err < 0)
		return err;
	struct bin_row row = {
		.traces = (int64_t)sum->path.traces,
		.reached = (int64_t)sum->path.reached,
		.first_ns = sum->path.first_ns,
		.last_ns = sum->path.last_ns,
	};
	err = add_held(db, sum, bin_s, &row, msg);
	if (err == ERR_OK)
		err = db_run(db, msg,
		    "INSERT OR REPLACE INTO path_bins VALUES"
		    " (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
		    "iiiiiiib", (int64_t)bin_s, sum->key.bin, sum->row,
		    row.traces, row.reached, row.first_ns, row.last_ns,
		    row.sums.data, row.sums.len);
	buf_fini(&row.sums);
	return err;
}

static void join_level(struct traces *t, uint32_t bin_s)
{
	struct trace_sum *old = t->sums;
	size_t count = t->count;
	t->sums = NULL;
	t->count = t->cap = 0;
	index_clear(&t->index);
	for (size_t i = 0; i < count; i++) {
		struct trace_key key = old[i].key;
		key.bin -= key.bin % bin_s;
		struct trace_sum *sum = find_sum(t, &key);
		if (sum) {
			path_merge(&sum->path, &old[i].path);
			path_fini(&old[i].path);
		} else {
			add_sum(t, &key, &old[i].path);
			t->sums[t->count - 1].row = old[i].row;
		}
	}
	free(old);
}

int rollup_traces_finish(struct rollup *rollup, struct errmsg *msg)
{
	struct traces *t = &rollup->traces;
	const uint32_t *levels = rollup->store->levels;
	int err = ERR_OK;
	for (int l = 0; l < STORE_LEVELS_MAX && levels[l]; l++) {
		if (l > 0)
			join_level(t, levels[l]);
		for (size_t i = 0; err == ERR_OK && i < t->count; i++)
			err = write_bin(rollup, &t->sums[i], levels[l], msg);
	}
	return err;
}
