/* SPDX-License-Identifier: ISC */
/* The newest partition: its writing connection, and when another becomes the
 * newest. */
#include "collector/store/sqlite/roll-over.h"

#include <stdlib.h>

#include "collector/store/sqlite/postings.h"
#include "lib/base/log.h"

struct partition *store_newest(const struct store *store)
{
	return store->partitions.list[store->partitions.count - 1];
}

static uint64_t closed_bytes(const struct store *store)
{
	uint64_t bytes = 0;
	for (size_t i = 0; i + 1 < store->partitions.count; i++)
		bytes += store->partitions.list[i]->bytes;
	return bytes;
}

static int bound_size(struct store *store, struct db *db, struct errmsg *msg)
{
	int64_t page_bytes;
	uint64_t most = store->config.max_bytes, held = closed_bytes(store);
	if (most == 0)
		return ERR_OK;
	if (db_integer(db, &page_bytes, 4096, "PRAGMA page_size", "") < 0)
		return db_error(db, msg);
	uint64_t pages = most > held ? (most - held) / (uint64_t)page_bytes : 1;
	char pragma[64];
	sqlite3_snprintf(sizeof(pragma), pragma, "PRAGMA max_page_count = %lld",
	    (long long)pages);
	return db_script(db, pragma, msg);
}

void store_close_writer(struct store *store)
{
	if (!store->db.handle)
		return;
	if (db_files_are_ours(&store->files))
		sqlite3_wal_checkpoint_v2(store->db.handle, NULL,
		    SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
	db_close(&store->db);
}

int store_open_writer(struct store *store, struct errmsg *msg)
{
	struct partition *p = store_newest(store);
	struct db db;
	int64_t ignored;
	int err = partition_open_writer(&db, p, msg);
	if (err < 0)
		goto failed;
	err = bound_size(store, &db, msg);
	if (err < 0)
		goto failed;
	/* A first read makes the log's files. */
	err = db_integer(&db, &ignored, 0, "SELECT count(*) FROM meta", "");
	if (err < 0) {
		err = db_error(&db, msg);
		goto failed;
	}
	store_close_writer(store);
	store->db = db;
	pthread_mutex_lock(&store->partitions.lock);
	db_files_fini(&store->files);
	db_files_remember(&store->files, p->path);
	pthread_mutex_unlock(&store->partitions.lock);
	return ERR_OK;
failed:
	err_prefix(msg, "%s", p->path);
	db_close(&db);
	return err;
}

/* The keys that still wait go into the file that is left. */
static int write_last_run(struct store *store, struct errmsg *msg)
{
	struct open_run run = store->run;
	int err = db_run(&store->db, msg, "BEGIN IMMEDIATE", "");
	if (err < 0)
		return err;
	err = run_write(&store->run, &store->db, msg);
	if (err < 0)
		goto undo;
	err = db_run(&store->db, msg, "COMMIT", "");
	if (err < 0)
		goto undo;
	return ERR_OK;
undo:
	if (!sqlite3_get_autocommit(store->db.handle))
		db_run(&store->db, NULL, "ROLLBACK", "");
	store->run = run;
	return err;
}

int store_bound_size(struct store *store, struct errmsg *msg)
{
	return bound_size(store, &store->db, msg);
}

/* A clock that went back does not make what comes now older than what came
 * before: retention would take it too early. */
static int64_t begin_after(const struct partition *old, int64_t arriving_ns)
{
	int64_t ns = arriving_ns;
	if (ns < old->opened_ns)
		ns = old->opened_ns;
	return ns < old->last_received_ns ? old->last_received_ns : ns;
}

int store_roll(struct store *store, struct errmsg *msg)
{
	struct partition_set *set = &store->partitions;
	struct partition *old = store_newest(store), measured = { 0 };
	/* A little more than is allowed, so that a full one can be left. */
	int err = store->config.max_bytes
	    ? db_script(&store->db, "PRAGMA max_page_count = 4294967294", msg)
	    : ERR_OK;
	if (err < 0)
		return err;
	err = write_last_run(store, msg);
	if (err < 0)
		return err;
	measured.path = old->path;
	measured.first_block = old->first_block;
	measured.opened_ns = old->opened_ns;
	err = partition_measure(&measured, msg);
	if (err < 0)
		return err;
	err = partition_make(set, &store->db, store->next_block,
	    begin_after(&measured, store->arriving_ns), &measured, msg);
	if (err < 0)
		return err;
	store->rolled_at = store->mono;
	store->newest_records = 0;
	return store_open_writer(store, msg);
}

/* What is in its log counts. */
uint64_t store_newest_bytes(struct store *store)
{
	int64_t pages = 0, page_bytes = 0;
	db_integer(&store->db, &pages, 0, "PRAGMA page_count", "");
	db_integer(&store->db, &page_bytes, 4096, "PRAGMA page_size", "");
	return (uint64_t)(pages * page_bytes);
}

/* Of the monotonic clock, or of the day, or of the size. */
static bool roll_is_due(struct store *store, int64_t received_ns)
{
	int64_t day = 86400 * NS_PER_S, since;
	const struct partition *p = store_newest(store);
	if (store->next_block == p->first_block)
		return false;
	since = monotime_diff(store->mono, store->rolled_at);
	if (since >= store->roll_ns)
		return true;
	if (since >= ROLL_LEAST_NS && received_ns / day > p->opened_ns / day)
		return true;
	return store_newest_bytes(store) >= store->roll_bytes;
}

void store_roll_when_due(struct store *store, int64_t received_ns)
{
	struct errmsg msg = { "" };
	store->arriving_ns = received_ns;
	if (roll_is_due(store, received_ns) && store_roll(store, &msg) < 0)
		log_warn("database: no new partition: %s", msg.text);
}
