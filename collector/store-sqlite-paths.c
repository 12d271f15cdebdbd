/* SPDX-License-Identifier: ISC */
/*
 * Traces by minute, hour and day: the path that a trace took is kept once,
 * and its sums (collector/path.h) in each bin of each level.
 */
#include "collector/store-sqlite.h"

static int insert_path(struct rollup *rollup, const struct path *path,
    const uint8_t digest[PATH_DIGEST_LEN], int64_t *row, struct errmsg *msg)
{
	struct db *db = &rollup->store->db;
	struct buf hops = {0};
	path_write_hops(path, &hops);
	int err = db_run(db, msg,
	    "INSERT INTO paths (agent, digest, src, dst, hops, last_day)"
	    " VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
	    "ibaabi", rollup->intake->agent_row, digest,
	    (size_t)PATH_DIGEST_LEN, &path->src, &path->dst, hops.data,
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

static int path_row(struct rollup *rollup, const struct path *path,
    int64_t *row, struct errmsg *msg)
{
	struct db *db = &rollup->store->db;
	uint8_t digest[PATH_DIGEST_LEN];
	path_digest(path, digest);
	int64_t today = rollup_bin(path->last_ns, 86400), last_day = 0;
	sqlite3_stmt *found = db_query(db,
	    "SELECT id, last_day FROM paths WHERE agent = ?1 AND digest = ?2",
	    "ib", rollup->intake->agent_row, digest, sizeof(digest));
	int err = db_step(db, found, msg);
	if (err == 1) {
		*row = sqlite3_column_int64(found, 0);
		last_day = sqlite3_column_int64(found, 1);
	}
	db_reset(found);
	if (err == 0)
		return insert_path(rollup, path, digest, row, msg);
	if (err < 0 || last_day >= today)
		return err < 0 ? err : ERR_OK;
	return db_run(db, msg, "UPDATE paths SET last_day = ?2 WHERE id = ?1",
	    "ii", *row, today);
}

/* Adds what the bin holds already; a row that cannot be read is replaced. */
static int path_bin_load(struct db *db, struct path *sum, int64_t key[3],
    const struct buf *hops, struct errmsg *msg)
{
	sqlite3_stmt *found = db_query(db,
	    "SELECT traces, reached, first_ns, last_ns, sums FROM path_bins"
	    " WHERE bin_s = ?1 AND bin = ?2 AND path = ?3",
	    "iii", key[0], key[1], key[2]);
	int err = db_step(db, found, msg);
	if (err == 1) {
		struct path held = {
		    .traces = (uint64_t)sqlite3_column_int64(found, 0),
		    .reached = (uint64_t)sqlite3_column_int64(found, 1),
		    .first_ns = sqlite3_column_int64(found, 2),
		    .last_ns = sqlite3_column_int64(found, 3),
		};
		if (path_read(&held, hops->data, hops->len,
			sqlite3_column_blob(found, 4),
			(size_t)sqlite3_column_bytes(found, 4)) == ERR_OK)
			path_merge(sum, &held);
		path_fini(&held);
	}
	db_reset(found);
	return err < 0 ? err : ERR_OK;
}

static int path_bin_add(struct rollup *rollup, const struct path *path,
    int64_t key[3], struct errmsg *msg)
{
	struct db *db = &rollup->store->db;
	struct buf hops = {0}, sums = {0};
	struct path sum = {
	    .traces = path->traces,
	    .reached = path->reached,
	    .first_ns = path->first_ns,
	    .last_ns = path->last_ns,
	};
	path_write_hops(path, &hops);
	path_write_sums(path, &sums);
	int err = path_read(&sum, hops.data, hops.len, sums.data, sums.len);
	if (err == ERR_OK)
		err = path_bin_load(db, &sum, key, &hops, msg);
	buf_clear(&sums);
	path_write_sums(&sum, &sums);
	if (err == ERR_OK)
		err = db_run(db, msg,
		    "INSERT OR REPLACE INTO path_bins VALUES"
		    " (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
		    "iiiiiiib", key[0], key[1], key[2], (int64_t)sum.traces,
		    (int64_t)sum.reached, sum.first_ns, sum.last_ns,
		    sums.data, sums.len);
	path_fini(&sum);
	buf_fini(&hops);
	buf_fini(&sums);
	return err;
}

int rollup_trace(struct rollup *rollup, uint32_t index, struct errmsg *msg)
{
	/* A shallow copy: only the times are ours to mend. */
	struct path path = rollup->intake->records[index].path;
	if (path.hop_count == 0)
		return ERR_OK;
	path.first_ns = path.last_ns = rollup_sane_ns(rollup, path.first_ns);
	int64_t row = 0;
	int err = path_row(rollup, &path, &row, msg);
	const uint32_t *levels = rollup->store->levels;
	for (int i = 0; err == ERR_OK && i < STORE_LEVELS_MAX && levels[i];
	    i++) {
		int64_t key[3] = {
		    levels[i], rollup_bin(path.first_ns, levels[i]), row};
		err = path_bin_add(rollup, &path, key, msg);
	}
	return err;
}
