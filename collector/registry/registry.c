/* SPDX-License-Identifier: ISC */
/*
 * The registry's file: a write-ahead log, every COMMIT synced to the disk
 * before it is believed, as the telemetry's.
 */
#include "collector/registry/registry.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "collector/registry/registry-private.h"
#include "collector/registry/registry-schema.h"
#include "lib/base/clock.h"
#include "lib/base/xalloc.h"

#define EVENTS_KEPT 50000
#define EVENTS_TRIMMED 50000 /* at once, at most */
#define TOKENS_KEPT_NS (7 * INT64_C(86400) * NS_PER_S)
#define WAL_MOST_PAGES 1000

static char *registry_path(const char *dir)
{
	return xasprintf("%s/registry.db", dir);
}

bool registry_exists(const char *dir)
{
	char *path = registry_path(dir);
	struct stat st;
	bool exists = stat(path, &st) == 0 && st.st_size > 0;
	free(path);
	return exists;
}

void registry_close(struct registry *registry)
{
	if (!registry)
		return;
	if (registry->db.handle && db_files_are_ours(&registry->files))
		sqlite3_wal_checkpoint_v2(registry->db.handle, NULL,
		    SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
	db_close(&registry->db);
	db_files_fini(&registry->files);
	free(registry->path);
	free(registry);
}

static int open_file(struct registry *registry,
    const struct registry_config *config, struct errmsg *msg)
{
	int err = db_files_before_open(
	    registry->path, config->had_one, config->begin, msg);
	if (err < 0)
		return err;
	err = db_open(&registry->db, registry->path, false, msg);
	if (err < 0)
		return err;
	err = db_script(&registry->db,
	    "PRAGMA journal_mode = WAL;"
	    "PRAGMA synchronous = FULL;"
	    "PRAGMA foreign_keys = OFF;"
	    "PRAGMA temp_store = MEMORY;"
	    "PRAGMA cache_size = -4096;",
	    msg);
	if (err < 0)
		return err;
	sqlite3_wal_autocheckpoint(registry->db.handle, WAL_MOST_PAGES);
	return db_migrate(&registry->db, &registry_schema, 0, msg);
}

int registry_open(struct registry **registry,
    const struct registry_config *config, struct errmsg *msg)
{
	struct registry *made = xcalloc(1, sizeof(*made));
	made->path = registry_path(config->dir);
	int err = open_file(made, config, msg);
	if (err < 0) {
		err_prefix(msg, "%s", made->path);
		registry_close(made);
		return err;
	}
	db_files_remember(&made->files, made->path);
	*registry = made;
	return ERR_OK;
}

int registry_inspect(
    const char *dir, registry_finding_fn *fn, void *ctx, struct errmsg *msg)
{
	char *path = registry_path(dir);
	int err = db_inspect(path, fn, ctx, msg);
	free(path);
	return err;
}

int registry_fault(struct registry *registry, struct errmsg *msg)
{
	int err = db_damage(&registry->db, msg);
	return err < 0 ? err : db_files_check(&registry->files, msg);
}

/* Deferred: locks and syncs come with the first write, and no other thread
 * writes that could get in between. */
int registry_begin(struct registry *registry, struct errmsg *msg)
{
	return db_run(&registry->db, msg, "BEGIN", "");
}

int registry_commit(struct registry *registry, struct errmsg *msg)
{
	db_reset_all(&registry->db);
	return db_run(&registry->db, msg, "COMMIT", "");
}

/* A full disk may have ended the transaction already. */
void registry_rollback(struct registry *registry)
{
	db_reset_all(&registry->db);
	if (!sqlite3_get_autocommit(registry->db.handle))
		db_run(&registry->db, NULL, "ROLLBACK", "");
}

uint64_t registry_written(struct registry *registry)
{
	return (uint64_t)sqlite3_total_changes64(registry->db.handle);
}

int registry_stats(
    struct registry *registry, struct registry_stats *stats, struct errmsg *msg)
{
	struct db *db = &registry->db;
	int64_t pages, page_bytes, revision, events;
	if (db_integer(db, &pages, 0, "PRAGMA page_count", "") < 0 ||
	    db_integer(db, &page_bytes, 0, "PRAGMA page_size", "") < 0 ||
	    db_integer(db, &revision, 0,
		"SELECT value FROM meta WHERE key = 'revision'", "") < 0 ||
	    db_integer(db, &events, 0,
		"SELECT seq FROM sqlite_sequence WHERE name = 'events'",
		"") < 0)
		return db_error(db, msg);
	*stats = (struct registry_stats){
		.database_bytes = (uint64_t)(pages * page_bytes),
		.wal_bytes = db_files_log_bytes(registry->path),
		.changes = (uint64_t)(revision + events),
	};
	return ERR_OK;
}

static int read_id(
    struct db *db, const char *key, uint8_t id[16], struct errmsg *msg)
{
	sqlite3_stmt *row =
	    db_query(db, "SELECT value FROM meta WHERE key = ?1", "t", key);
	int err = db_step(db, row, msg);
	if (err == 1)
		db_column_copy(row, 0, id, 16);
	db_reset(row);
	return err < 0 ? err : ERR_OK;
}

int registry_generation(struct registry *registry, bool renew,
    uint8_t generation[16], struct errmsg *msg)
{
	if (renew) {
		int err = db_run(&registry->db, msg,
		    "UPDATE meta SET value = randomblob(16)"
		    " WHERE key = 'generation'",
		    "");
		if (err < 0)
			return err;
	}
	return read_id(&registry->db, "generation", generation, msg);
}

int registry_history(struct registry *registry,
    uint8_t history[REGISTRY_HISTORY_LEN], struct errmsg *msg)
{
	return read_id(&registry->db, "history", history, msg);
}

int registry_adopt(struct registry *registry,
    const uint8_t history[REGISTRY_HISTORY_LEN], struct errmsg *msg)
{
	return db_run(&registry->db, msg,
	    "UPDATE meta SET value = ?1 WHERE key = 'history'", "b", history,
	    (size_t)REGISTRY_HISTORY_LEN);
}

int registry_setting(struct registry *registry, const char *key, int64_t *value,
    struct errmsg *msg)
{
	if (db_integer(&registry->db, value, 0,
		"SELECT value FROM meta WHERE key = ?1", "t", key) < 0)
		return db_error(&registry->db, msg);
	return ERR_OK;
}

int registry_set_setting(struct registry *registry, const char *key,
    int64_t value, struct errmsg *msg)
{
	return db_run(&registry->db, msg,
	    "INSERT OR REPLACE INTO meta VALUES (?1, ?2)", "ti", key, value);
}

int registry_revise(
    struct registry *registry, uint64_t *revision, struct errmsg *msg)
{
	int64_t value = 0;
	int err = db_run(&registry->db, msg,
	    "UPDATE meta SET value = value + 1 WHERE key = 'revision'", "");
	if (err < 0)
		return err;
	if (db_integer(&registry->db, &value, 0,
		"SELECT value FROM meta WHERE key = 'revision'", "") < 0)
		return db_error(&registry->db, msg);
	*revision = (uint64_t)value;
	return ERR_OK;
}

int registry_trim_events(struct registry *registry, struct errmsg *msg)
{
	return db_run(&registry->db, msg,
	    "DELETE FROM events WHERE id <"
	    " (SELECT max(id) FROM events) - ?1 AND id <"
	    " (SELECT min(id) FROM events) + ?2",
	    "ii", (int64_t)EVENTS_KEPT, (int64_t)EVENTS_TRIMMED);
}

int registry_trim(struct registry *registry, int64_t now_ns,
    int64_t alarms_from_ns, struct errmsg *msg)
{
	struct db *db = &registry->db;
	int err = db_run(db, msg, "DELETE FROM tokens WHERE expires_ns < ?1",
	    "i", now_ns - TOKENS_KEPT_NS);
	if (err < 0)
		return err;
	return db_run(db, msg,
	    "DELETE FROM alarms WHERE ended_ns > 0 AND ended_ns < ?1", "i",
	    alarms_from_ns);
}
