/* SPDX-License-Identifier: ISC */
/*
 * The SQLite provider of the store: partitions of blocks (partition.h), which
 * are the log, and sums derived from them (gather.h).  Every COMMIT of a batch
 * is synced to the disk before it is believed; sums follow in steps and are
 * made again from the blocks above their mark.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "collector/store/block.h"
#include "collector/store/sqlite/append.h"
#include "collector/store/sqlite/expire.h"
#include "collector/store/sqlite/migrate.h"
#include "collector/store/sqlite/postings.h"
#include "collector/store/sqlite/read-plan.h"
#include "collector/store/sqlite/replay.h"
#include "collector/store/sqlite/roll-over.h"
#include "collector/store/sqlite/store-view.h"
#include "lib/base/log.h"
#include "lib/base/xalloc.h"

#define LOG_MOST_BYTES (64 << 20)

static char *telemetry_dir(const struct store_config *config)
{
	return xasprintf("%s/telemetry", config->dir);
}

static char *rollup_path(const char *dir)
{
	return xasprintf("%s/rollup.db", dir);
}

static bool exists(const char *path)
{
	struct stat st;
	return stat(path, &st) == 0 && st.st_size > 0;
}

/* --- open and close --- */
static void sqlite_close(struct store *store)
{
	if (!store)
		return;
	if (store->gather) {
		if (store->db.handle && db_files_are_ours(&store->files))
			gather_flush(store->gather, NULL);
		gather_close(store->gather);
	}
	store_close_writer(store);
	run_fini(&store->run);
	pthread_mutex_destroy(&store->lock);
	db_files_fini(&store->files);
	partitions_close(&store->partitions);
	free(store->dir);
	free(store);
}

static int replay_one(struct store *store, struct prepared_batch *batch,
    uint64_t block, struct errmsg *msg)
{
	const struct store_config *config = &store->config;
	struct store_outcome outcome = { .result = APPEND_STORED };
	bool reports = config->replayed && !config->rebuild_rollups;
	gather_batch(store->gather, batch, 0, block, reports ? &outcome : NULL);
	if (reports)
		config->replayed(config->replayed_ctx, batch, &outcome);
	gather_settle(store->gather);
	free(outcome.new_sources);
	return gather_due(store->gather, monotime_now())
	    ? gather_flush(store->gather, msg)
	    : ERR_OK;
}

static void unlink_sums(const char *path)
{
	static const char *const suffixes[] = { "", "-wal", "-shm" };
	for (int i = 0; i < 3; i++) {
		char *name = xasprintf("%s%s", path, suffixes[i]);
		unlink(name);
		free(name);
	}
}

static int open_sums(struct store *store, const char *path, struct errmsg *msg)
{
	uint64_t applied = 0, last = store->next_block - 1;
	if (store->config.rebuild_rollups)
		unlink_sums(path);
	else if (last > 0 && !exists(path))
		return err_set(msg, -ENOENT,
		    "%.120s: is missing, but there was one: put a backup "
		    "back, or make the sums of the records that are held again "
		    "with --rebuild-rollups",
		    path);
	int err =
	    gather_open(&store->gather, &store->config, path, &applied, msg);
	if (err < 0)
		return err;
	if (applied > last)
		return err_set(msg, -ESTALE,
		    "%.120s: it sums up records that are not held (block %llu, "
		    "the newest is %llu): put the backup of both back, or "
		    "start with --rebuild-rollups",
		    path, (unsigned long long)applied,
		    (unsigned long long)last);
	return applied < last ? store_replay(store, applied, replay_one, msg)
			      : ERR_OK;
}

/* Sums up to the newest block. */
static int open_gather(struct store *store, struct errmsg *msg)
{
	char *path = rollup_path(store->dir);
	int err = open_sums(store, path, msg);
	free(path);
	return err;
}

static int name_newest(struct store *store, int err, struct errmsg *msg)
{
	if (err < 0)
		err_prefix(msg, "%.120s", store_newest(store)->path);
	return err;
}

static int open_partitions(struct store *store, struct errmsg *msg)
{
	struct store_config *config = &store->config;
	struct partition_set *set = &store->partitions;
	int err =
	    partitions_open(set, config, store_has_old_file(config->dir), msg);
	if (err < 0)
		return err;
	if (config->adopt && set->count > 0)
		memcpy(config->adopt, config->history, 16);
	/* Sums of what is gone. */
	config->rebuild_rollups |= config->create && set->count == 0;
	if (set->count == 0)
		err = partition_make(set, NULL, 1, config->now.ns, NULL, msg);
	if (err < 0)
		return err;
	err = store_open_writer(store, msg);
	if (err < 0)
		return err;
	return name_newest(store, store_remake_run(store, msg), msg);
}

/* What is found goes with the name of its file. */
struct inspection {
	const struct store_config *config;
	const char *file;
};

static void report_finding(const struct inspection *to, const char *text)
{
	char *line = xasprintf("%s: %s", to->file, text);
	to->config->finding(to->config->finding_ctx, line);
	free(line);
}

static int check_database(struct db *db, const struct inspection *to)
{
	struct errmsg why = { "" };
	sqlite3_stmt *row = db_query(db, "PRAGMA integrity_check", "");
	int err;
	while ((err = db_step(db, row, &why)) == 1)
		if (strcmp(db_column_text(row, 0), "ok") != 0)
			report_finding(to, db_column_text(row, 0));
	db_reset(row);
	if (err == ERR_CORRUPT)
		report_finding(to, why.text);
	return err == ERR_CORRUPT ? ERR_OK : err;
}

static void check_blocks(struct db *db, const struct inspection *to)
{
	struct block *block = block_new();
	sqlite3_stmt *row = db_query(db, "SELECT id, body FROM bodies", "");
	while (db_step(db, row, NULL) == 1) {
		struct errmsg why = { "" };
		struct block_record record;
		int err = block_open(block, sqlite3_column_blob(row, 1),
		    (size_t)sqlite3_column_bytes(row, 1), &why);
		for (uint32_t i = 0; err == ERR_OK && i < block_count(block);
		     i++)
			err = block_read(block, i, &record, &why);
		if (err < 0) {
			err_prefix(&why, "block %lld",
			    (long long)sqlite3_column_int64(row, 0));
			report_finding(to, why.text);
		}
	}
	db_reset(row);
	block_free(block);
}

static int inspect_file(const struct store_config *config, const char *path,
    bool blocks, struct errmsg *msg)
{
	const struct inspection to = { config, strrchr(path, '/') + 1 };
	struct db db;
	struct stat st;
	struct errmsg why = { "" };
	/* To SQLite that is a database without tables. */
	if (stat(path, &st) == 0 && st.st_size == 0) {
		report_finding(&to, "is empty");
		return ERR_OK;
	}
	int err = db_open(&db, path, true, &why);
	if (err == ERR_CORRUPT)
		report_finding(&to, why.text);
	if (err < 0)
		goto out;
	err = check_database(&db, &to);
	if (err < 0)
		goto out;
	if (blocks)
		check_blocks(&db, &to);
out:
	db_close(&db);
	/* What cannot even be read is a finding, not a failure of ours. */
	return err == ERR_OK || err == ERR_CORRUPT
	    ? ERR_OK
	    : err_set(msg, -EIO, "%.120s: %.120s", path, why.text);
}

static int inspect_partitions(
    const struct store_config *config, const char *dir, struct errmsg *msg)
{
	char **names;
	size_t count;
	int err = partition_names(dir, &names, &count, msg);
	if (err < 0)
		return err;
	if (count == 0)
		err = err_set(msg, -ENOENT, "%.150s: no database", dir);
	for (size_t i = 0; err == ERR_OK && i < count; i++) {
		char *name = xasprintf("%s/%s", dir, names[i]);
		err = inspect_file(config, name, true, msg);
		free(name);
	}
	for (size_t i = 0; i < count; i++)
		free(names[i]);
	free(names);
	return err;
}

static int inspect_sums(
    const struct store_config *config, const char *dir, struct errmsg *msg)
{
	char *path = rollup_path(dir);
	int err = ERR_OK;
	if (exists(path))
		err = inspect_file(config, path, false, msg);
	else if (!store_has_old_file(config->dir))
		config->finding(config->finding_ctx, "rollup.db: is missing");
	free(path);
	return err;
}

static int inspect_old_file(
    const struct store_config *config, struct errmsg *msg)
{
	char *path = xasprintf("%s/sonde.db", config->dir);
	int err =
	    exists(path) ? inspect_file(config, path, false, msg) : ERR_OK;
	free(path);
	return err;
}

static int inspect(const struct store_config *config, struct errmsg *msg)
{
	char *dir = telemetry_dir(config);
	int err = inspect_partitions(config, dir, msg);
	if (err < 0)
		goto out;
	err = inspect_sums(config, dir, msg);
	if (err < 0)
		goto out;
	/* An older version's, or the stub: the start reads it too. */
	err = inspect_old_file(config, msg);
out:
	free(dir);
	return err;
}

static int open_store(struct store *store, struct errmsg *msg)
{
	int err = open_partitions(store, msg);
	if (err < 0)
		return err;
	err = store_migrate(store, msg);
	if (err < 0)
		return err;
	err = name_newest(store, store_sum_watermarks(store, msg), msg);
	if (err < 0)
		return err;
	/* A migration has opened it. */
	if (!store->gather) {
		err = open_gather(store, msg);
		if (err < 0)
			return err;
	}
	return store_write_stub(store->config.dir, msg);
}

static int sqlite_open(
    struct store **store, const struct store_config *config, struct errmsg *msg)
{
	*store = NULL;
	if (config->finding)
		return inspect(config, msg);
	struct store *made = xcalloc(1, sizeof(*made));
	pthread_mutex_init(&made->lock, NULL);
	made->config = *config;
	made->dir = telemetry_dir(config);
	made->mono = config->mono;
	/* How long it was away is not known: an hour is assumed. */
	made->rolled_at = monotime_add(config->mono, -ROLL_LEAST_NS);
	made->roll_ns = INT64_MAX;
	made->roll_bytes = UINT64_C(1) << 30;
	int err = open_store(made, msg);
	if (err < 0) {
		sqlite_close(made);
		return err;
	}
	*store = made;
	return ERR_OK;
}

/* --- chores --- */
static int sqlite_step(
    struct store *store, struct monotime now, struct errmsg *msg)
{
	pthread_mutex_lock(&store->lock);
	store->mono = now;
	store_roll_when_due(store, store->newest_received_ns);
	/* A reader that never ends keeps the log from being reused; then it is
	 * cut as soon as one checkpoint gets through. */
	if (db_files_log_bytes(store_newest(store)->path) > LOG_MOST_BYTES)
		sqlite3_wal_checkpoint_v2(store->db.handle, NULL,
		    SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
	store->corrupt |= store->db.corrupt;
	pthread_mutex_unlock(&store->lock);
	/* The clock of the sets is the machine's. */
	if (!gather_due(store->gather, monotime_now()))
		return gather_step(store->gather, msg);
	int err = gather_flush(store->gather, msg);
	return err < 0 ? err : 1;
}

static int sqlite_stats(
    struct store *store, struct store_stats *stats, struct errmsg *msg)
{
	struct partition_set *set = &store->partitions;
	(void)msg;
	*stats = (struct store_stats){ 0 };
	pthread_mutex_lock(&store->lock);
	pthread_mutex_lock(&set->lock);
	for (size_t i = 0; i + 1 < set->count; i++) {
		stats->database_bytes += set->list[i]->bytes;
		stats->records += set->list[i]->records;
	}
	const char *path = set->list[set->count - 1]->path;
	stats->wal_bytes = db_files_log_bytes(path);
	pthread_mutex_unlock(&set->lock);
	stats->database_bytes += store_newest_bytes(store);
	stats->records += store->newest_records;
	stats->stored = store->stored;
	stats->lost = store->lost;
	stats->changes = stats->stored + stats->lost;
	stats->newest_ns = store->newest_received_ns;
	pthread_mutex_unlock(&store->lock);
	gather_stats(store->gather, stats);
	return ERR_OK;
}

/* The newest one's files each time, of the others one a call. */
static int check_files(struct store *store, struct errmsg *msg)
{
	struct partition_set *set = &store->partitions;
	const struct partition *p;
	pthread_mutex_lock(&set->lock);
	int err = db_files_check(&store->files, msg);
	if (err < 0 || set->count < 2)
		goto out;
	p = set->list[store->next_check++ % (set->count - 1)];
	if (!db_files_are_ours(&p->files))
		err = err_set(msg, -ESTALE,
		    "database: %.120s was deleted or replaced under the "
		    "running collector",
		    p->path);
out:
	pthread_mutex_unlock(&set->lock);
	return err;
}

static int sqlite_fault(struct store *store, struct errmsg *msg)
{
	if (store->corrupt || store->partitions.corrupt)
		return err_set(msg, ERR_CORRUPT,
		    "database: it is damaged; see sonde-collector --check-db");
	int err = check_files(store, msg);
	return err < 0 ? err : gather_fault(store->gather, msg);
}

const struct store_ops store_sqlite = {
	.name = "sqlite",
	.open = sqlite_open,
	.close = sqlite_close,
	.append = store_append,
	.begin = store_begin,
	.end = store_end,
	.read = store_read,
	.step = sqlite_step,
	.expire = store_expire,
	.stats = sqlite_stats,
	.fault = sqlite_fault,
};
