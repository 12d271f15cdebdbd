/* SPDX-License-Identifier: ISC */
/*
 * The SQLite provider of the store: one file, a write-ahead log, every COMMIT
 * synced to the disk before it is believed.  Readers have their own read-only
 * connections and see the snapshot of their BEGIN.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "collector/store/sqlite/provider.h"
#include "lib/base/xalloc.h"

#define WAL_MOST_BYTES (64 << 20)

static char *database_path(const struct store_config *config)
{
	return xasprintf("%s/sonde.db", config->dir);
}

static int bound_size(
    struct store *store, uint64_t max_bytes, struct errmsg *msg)
{
	if (db_integer(&store->db, &store->page_bytes, 4096, "PRAGMA page_size",
		"") < 0)
		return db_error(&store->db, msg);
	if (max_bytes == 0)
		return ERR_OK;
	char pragma[64];
	sqlite3_snprintf(sizeof(pragma), pragma, "PRAGMA max_page_count = %lld",
	    (long long)(max_bytes / (uint64_t)store->page_bytes));
	return db_script(&store->db, pragma, msg);
}

static void sqlite_close(struct store *store)
{
	if (!store)
		return;
	if (store->db.handle && db_files_are_ours(&store->files))
		sqlite3_wal_checkpoint_v2(store->db.handle, NULL,
		    SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
	db_close(&store->db);
	known_forget(&store->known);
	db_files_fini(&store->files);
	free(store->path);
	free(store);
}

/* Telemetry and registry know their agents by the same rows, so two that do
 * not belong together would mix them up. */
static int check_history(
    struct store *store, const struct store_config *config, struct errmsg *msg)
{
	struct db *db = &store->db;
	uint8_t history[16];
	sqlite3_stmt *row =
	    db_query(db, "SELECT value FROM meta WHERE key = 'history'", "");
	int err = db_step(db, row, msg);
	if (err == 1)
		db_column_copy(row, 0, history, sizeof(history));
	db_reset(row);
	if (err < 0)
		return err;
	if (err == 0)
		return db_run(db, msg,
		    "INSERT INTO meta VALUES ('history', ?1)", "b",
		    config->history, sizeof(history));
	if (config->anew)
		memcpy(config->history, history, sizeof(history));
	if (memcmp(history, config->history, sizeof(history)) != 0)
		return err_set(msg, -ESTALE,
		    "it belongs to another registry.db: put both back from "
		    "one backup");
	return ERR_OK;
}

static int sqlite_open(
    struct store **store, const struct store_config *config, struct errmsg *msg)
{
	struct store *made = xcalloc(1, sizeof(*made));
	made->path = database_path(config);
	memcpy(made->levels, config->levels, sizeof(made->levels));
	int err = db_files_before_open(
	    made->path, config->had_one, config->anew, msg);
	if (err == ERR_OK)
		err = db_open(&made->db, made->path, false, msg);
	if (err == ERR_OK)
		err = db_script(&made->db,
		    "PRAGMA journal_mode = WAL;"
		    "PRAGMA synchronous = FULL;"
		    "PRAGMA foreign_keys = OFF;"
		    "PRAGMA temp_store = MEMORY;"
		    "PRAGMA cache_size = -32768;"
		    "PRAGMA wal_autocheckpoint = 8000;",
		    msg);
	if (err == ERR_OK)
		err = db_migrate(&made->db, &store_schema, 0, msg);
	if (err == ERR_OK)
		err = check_history(made, config, msg);
	if (err == ERR_OK)
		err = bound_size(made, config->max_bytes, msg);
	if (err < 0) {
		err_prefix(msg, "%s", made->path);
		sqlite_close(made);
		return err;
	}
	db_files_remember(&made->files, made->path);
	*store = made;
	return ERR_OK;
}

static int sqlite_inspect(const struct store_config *config,
    store_finding_fn *fn, void *ctx, struct errmsg *msg)
{
	char *path = database_path(config);
	int err = db_inspect(path, fn, ctx, msg);
	free(path);
	return err;
}

static int sqlite_fault(struct store *store, struct errmsg *msg)
{
	int err = db_damage(&store->db, msg);
	return err < 0 ? err : db_files_check(&store->files, msg);
}

static int sqlite_begin(struct store *store, struct errmsg *msg)
{
	return db_run(&store->db, msg, "BEGIN IMMEDIATE", "");
}

static int sqlite_commit(struct store *store, struct errmsg *msg)
{
	db_reset_all(&store->db);
	return db_run(&store->db, msg, "COMMIT", "");
}

/* A full disk may have ended the transaction already. */
static void sqlite_rollback(struct store *store)
{
	db_reset_all(&store->db);
	known_forget(&store->known);
	if (!sqlite3_get_autocommit(store->db.handle))
		db_run(&store->db, NULL, "ROLLBACK", "");
}

static uint64_t sqlite_written(struct store *store)
{
	return (uint64_t)sqlite3_total_changes64(store->db.handle);
}

/* A reader that never ends keeps the log from being reused; then it is cut
 * as soon as one checkpoint gets through. */
static void sqlite_tidy(struct store *store)
{
	if (db_files_log_bytes(store->path) > WAL_MOST_BYTES)
		sqlite3_wal_checkpoint_v2(store->db.handle, NULL,
		    SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
}

static int sqlite_stats(
    struct store *store, struct store_stats *stats, struct errmsg *msg)
{
	struct db *db = &store->db;
	int64_t pages, free_pages, low, high, stored, lost, newest;
	if (db_integer(db, &pages, 0, "PRAGMA page_count", "") < 0 ||
	    db_integer(db, &free_pages, 0, "PRAGMA freelist_count", "") < 0 ||
	    db_integer(db, &low, 1, "SELECT min(id) FROM records", "") < 0 ||
	    db_integer(db, &high, 0, "SELECT max(id) FROM records", "") < 0 ||
	    db_integer(db, &stored, 0, "SELECT sum(stored) FROM agents", "") <
		0 ||
	    db_integer(db, &lost, 0, "SELECT sum(lost) FROM agents", "") < 0 ||
	    db_integer(db, &newest, 0,
		"SELECT received_ns FROM records ORDER BY id DESC LIMIT 1",
		"") < 0)
		return db_error(db, msg);
	*stats = (struct store_stats){
		.database_bytes = (uint64_t)(pages * store->page_bytes),
		.free_bytes = (uint64_t)(free_pages * store->page_bytes),
		.wal_bytes = db_files_log_bytes(store->path),
		.records = (uint64_t)(high - low + 1),
		.stored = (uint64_t)stored,
		.lost = (uint64_t)lost,
		.changes = (uint64_t)(stored + lost),
		.newest_ns = newest,
	};
	return ERR_OK;
}

static void sqlite_reader_close(struct store_reader *reader)
{
	if (!reader)
		return;
	db_close(&reader->db);
	free(reader);
}

static int sqlite_reader_open(struct store_reader **reader,
    const struct store_config *config, struct errmsg *msg)
{
	struct store_reader *made = xcalloc(1, sizeof(*made));
	char *path = database_path(config);
	int err = db_open(&made->db, path, true, msg);
	free(path);
	if (err == ERR_OK)
		err = db_script(&made->db,
		    "PRAGMA query_only = ON;"
		    "PRAGMA temp_store = MEMORY;"
		    "PRAGMA cache_size = -8192;",
		    msg);
	if (err < 0) {
		sqlite_reader_close(made);
		return err;
	}
	*reader = made;
	return ERR_OK;
}

static int sqlite_reader_begin(struct store_reader *reader, struct errmsg *msg)
{
	return db_run(&reader->db, msg, "BEGIN", "");
}

static void sqlite_reader_end(struct store_reader *reader)
{
	db_reset_all(&reader->db);
	if (!sqlite3_get_autocommit(reader->db.handle))
		db_run(&reader->db, NULL, "COMMIT", "");
}

static const char *sqlite_reader_error(struct store_reader *reader)
{
	return sqlite3_errmsg(reader->db.handle);
}

static int sqlite_reader_fault(struct store_reader *reader, struct errmsg *msg)
{
	return db_damage(&reader->db, msg);
}

const struct store_ops store_sqlite = {
	.name = "sqlite",
	.rollup = &sqlite_rollup,
	.open = sqlite_open,
	.close = sqlite_close,
	.inspect = sqlite_inspect,
	.fault = sqlite_fault,
	.begin = sqlite_begin,
	.commit = sqlite_commit,
	.rollback = sqlite_rollback,
	.written = sqlite_written,
	.ingest = sqlite_ingest,
	.trim = sqlite_trim,
	.tidy = sqlite_tidy,
	.stats = sqlite_stats,
	.reader_open = sqlite_reader_open,
	.reader_close = sqlite_reader_close,
	.reader_begin = sqlite_reader_begin,
	.reader_end = sqlite_reader_end,
	.reader_error = sqlite_reader_error,
	.reader_fault = sqlite_reader_fault,
	.read_agents = sqlite_read_agents,
	.read_gaps = sqlite_read_gaps,
	.read_runs = sqlite_read_runs,
	.run_failures = sqlite_run_failures,
	.last_run = sqlite_last_run,
	.read_records = sqlite_read_records,
	.read_paths = sqlite_read_paths,
	.read_points = sqlite_read_points,
	.read_watch = sqlite_read_watch,
	.read_kinds = sqlite_read_kinds,
	.read_sources = sqlite_read_sources,
	.count_sources = sqlite_count_sources,
	.read_payload = sqlite_read_payload,
	.totals = sqlite_totals,
};
