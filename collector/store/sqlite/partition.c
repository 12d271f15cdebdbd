/* SPDX-License-Identifier: ISC */
/* One file: its tables, what its head says, what it holds. */
#include "collector/store/sqlite/partition.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/vec.h"
#include "lib/base/xalloc.h"
#include "lib/sqlite/db-schema.h"

/* Narrow rows that are scanned (blocks, runs) lie apart from the bodies.  A
 * key row holds at most 512 keys and those equal to the last of them. */
static const char tables[] =
    "CREATE TABLE meta (key TEXT PRIMARY KEY, value) WITHOUT ROWID;"
    "CREATE TABLE blocks ("
    " id INTEGER PRIMARY KEY,"
    " agent INTEGER NOT NULL,"
    " epoch INTEGER NOT NULL,"
    " first_seq INTEGER NOT NULL,"
    " count INTEGER NOT NULL,"
    " min_ns INTEGER NOT NULL,"
    " max_ns INTEGER NOT NULL,"
    " received_ns INTEGER NOT NULL,"
    " kinds INTEGER NOT NULL);"
    "CREATE TABLE bodies (id INTEGER PRIMARY KEY, body BLOB NOT NULL);"
    "CREATE TABLE runs ("
    " first INTEGER PRIMARY KEY,"
    " last INTEGER NOT NULL,"
    " min_ns INTEGER NOT NULL,"
    " max_ns INTEGER NOT NULL,"
    " kinds INTEGER NOT NULL,"
    " agents INTEGER NOT NULL,"
    " records INTEGER NOT NULL);"
    "CREATE TABLE keys ("
    " run INTEGER, first INTEGER, body BLOB NOT NULL,"
    " PRIMARY KEY (run, first)) WITHOUT ROWID;"
    "CREATE TABLE agents ("
    " agent INTEGER PRIMARY KEY, id BLOB NOT NULL);"
    "CREATE TABLE watermarks ("
    " agent INTEGER, epoch INTEGER,"
    " next INTEGER NOT NULL,"
    " stored INTEGER NOT NULL,"
    " lost INTEGER NOT NULL,"
    " unnumbered INTEGER NOT NULL,"
    " chain BLOB NOT NULL,"
    " PRIMARY KEY (agent, epoch)) WITHOUT ROWID;"
    "CREATE TABLE digests ("
    " agent INTEGER, epoch INTEGER, first_seq INTEGER,"
    " count INTEGER NOT NULL,"
    " digest BLOB NOT NULL,"
    " PRIMARY KEY (agent, epoch, first_seq)) WITHOUT ROWID;";

void partition_remove_files(const char *path)
{
	static const char *const suffixes[] = { "-wal", "-shm", "-journal",
		"" };
	for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
		char *name = xasprintf("%s%s", path, suffixes[i]);
		unlink(name);
		free(name);
	}
}

void partition_free(struct partition *p)
{
	db_files_fini(&p->files);
	free(p->path);
	free(p);
}

int partition_open_writer(
    struct db *db, const struct partition *p, struct errmsg *msg)
{
	int err = db_open(db, p->path, false, msg);
	if (err < 0)
		return err;
	/* A body leaves half a page empty at its end on average: with pages of
	 * 4 KiB that is 4 bytes a record. */
	err = db_script(db,
	    "PRAGMA page_size = 1024;"
	    "PRAGMA journal_mode = WAL;"
	    "PRAGMA synchronous = FULL;"
	    "PRAGMA temp_store = MEMORY;"
	    "PRAGMA cache_size = -16000;"
	    "PRAGMA wal_autocheckpoint = 16000;",
	    msg);
	if (err < 0)
		db_close(db);
	return err;
}

static int64_t meta_integer(struct db *db, const char *key, int64_t fallback)
{
	int64_t value = fallback;
	db_integer(db, &value, fallback,
	    "SELECT value FROM meta WHERE key = ?1", "t", key);
	return value;
}

/* Opened to write, for a power cut may have left a journal that must be rolled
 * back first. */
int partition_read_head(
    struct partition *p, uint8_t history[16], bool adopt, struct errmsg *msg)
{
	static const uint8_t none[16];
	struct db db;
	int version = 0;
	int err = db_open(&db, p->path, false, msg);
	if (err < 0)
		return err;
	err = db_version(&db, &version, msg);
	if (err < 0 || version == 0)
		goto out;
	if (version > PARTITION_VERSION) {
		err = err_set(msg, ERR_UNSUPPORTED,
		    "made by a newer version (format %d, we know %d)", version,
		    PARTITION_VERSION);
		goto out;
	}
	uint8_t found[16];
	sqlite3_stmt *row =
	    db_query(&db, "SELECT value FROM meta WHERE key = 'history'", "");
	err = db_step(&db, row, msg);
	if (err == 1)
		db_column_copy(row, 0, found, sizeof(found));
	db_reset(row);
	if (err < 0)
		goto out;
	if (err == 1 && adopt)
		memcpy(history, found, sizeof(found));
	if (err == 1 && memcmp(history, none, 16) != 0 &&
	    memcmp(found, none, 16) != 0 && memcmp(found, history, 16) != 0) {
		err = err_set(msg, -ESTALE, "belongs to another registry.db");
		goto out;
	}
	p->ordinal = (uint64_t)meta_integer(&db, "ordinal", 0);
	p->first_block = (uint64_t)meta_integer(&db, "first_block", 1);
	p->salt = (uint32_t)meta_integer(&db, "salt", 0);
	p->opened_ns = meta_integer(&db, "opened_ns", 0);
	err = 1;
out:
	db_close(&db);
	return err;
}

int partition_measure(struct partition *p, struct errmsg *msg)
{
	struct db db;
	int err = db_open(&db, p->path, true, msg);
	if (err < 0)
		return err;
	sqlite3_stmt *row = db_query(&db,
	    "SELECT min(min_ns), max(max_ns), sum(records), max(last),"
	    " (SELECT max(received_ns) FROM blocks) FROM runs",
	    "");
	err = db_step(&db, row, msg);
	if (err == 1) {
		bool any = sqlite3_column_type(row, 0) != SQLITE_NULL;
		p->min_ns = any ? sqlite3_column_int64(row, 0) : INT64_MAX;
		p->max_ns = any ? sqlite3_column_int64(row, 1) : INT64_MIN;
		p->records = (uint64_t)sqlite3_column_int64(row, 2);
		p->last_block = any ? (uint64_t)sqlite3_column_int64(row, 3)
				    : p->first_block - 1;
		p->last_received_ns =
		    any ? sqlite3_column_int64(row, 4) : p->opened_ns;
	}
	db_reset(row);
	/* Its file may lag behind its log. */
	int64_t pages = 0, page_bytes = 0;
	db_integer(&db, &pages, 0, "PRAGMA page_count", "");
	db_integer(&db, &page_bytes, 0, "PRAGMA page_size", "");
	p->bytes = (uint64_t)(pages * page_bytes);
	db_close(&db);
	p->closed = true;
	return err < 0 ? err : ERR_OK;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool is_partition_name(const char *name)
{
	return strspn(name, "0123456789") == PARTITION_NAME_DIGITS &&
	    strcmp(name + PARTITION_NAME_DIGITS, ".db") == 0;
}

int partition_names(
    const char *dir, char ***names, size_t *count, struct errmsg *msg)
{
	DIR *d = opendir(dir);
	struct dirent *entry;
	*names = NULL;
	*count = 0;
	if (!d)
		return err_set(msg, -errno, "%.150s: %s", dir, err_str(-errno));
	while ((entry = readdir(d))) {
		if (!is_partition_name(entry->d_name))
			continue;
		VEC_ROOM(*names, *count);
		(*names)[(*count)++] = xstrdup(entry->d_name);
	}
	closedir(d);
	if (*count > 0)
		qsort(*names, *count, sizeof(**names), by_name);
	return ERR_OK;
}

bool partitions_exist(const char *dir)
{
	char **names;
	size_t count = 0;
	bool any = false;
	if (partition_names(dir, &names, &count, NULL) < 0)
		return false;
	for (size_t i = 0; i < count; i++) {
		struct stat st;
		char *path = xasprintf("%s/%s", dir, names[i]);
		any |= stat(path, &st) == 0 && st.st_size > 0;
		free(path);
		free(names[i]);
	}
	free(names);
	return any;
}

static int copy_watermarks(struct db *to, struct db *from, struct errmsg *msg)
{
	sqlite3_stmt *row = db_query(from,
	    "SELECT agent, epoch, next, stored, lost, unnumbered, chain"
	    " FROM watermarks",
	    "");
	int err;
	while ((err = db_step(from, row, msg)) == 1) {
		err = db_run(to, msg,
		    "INSERT INTO watermarks VALUES (?1, ?2, ?3, ?4, ?5, ?6,"
		    " ?7)",
		    "iiiiiib", sqlite3_column_int64(row, 0),
		    sqlite3_column_int64(row, 1), sqlite3_column_int64(row, 2),
		    sqlite3_column_int64(row, 3), sqlite3_column_int64(row, 4),
		    sqlite3_column_int64(row, 5), sqlite3_column_blob(row, 6),
		    (size_t)sqlite3_column_bytes(row, 6));
		if (err < 0)
			break;
	}
	db_reset(row);
	if (err < 0)
		return err;
	/* Only what an agent may still repeat: its newest epoch's. */
	row = db_query(from,
	    "SELECT agent, epoch, first_seq, count, digest FROM digests d"
	    " WHERE epoch = (SELECT max(epoch) FROM watermarks w"
	    "  WHERE w.agent = d.agent)",
	    "");
	while ((err = db_step(from, row, msg)) == 1) {
		err = db_run(to, msg,
		    "INSERT INTO digests VALUES (?1, ?2, ?3, ?4, ?5)", "iiiib",
		    sqlite3_column_int64(row, 0), sqlite3_column_int64(row, 1),
		    sqlite3_column_int64(row, 2), sqlite3_column_int64(row, 3),
		    sqlite3_column_blob(row, 4),
		    (size_t)sqlite3_column_bytes(row, 4));
		if (err < 0)
			break;
	}
	db_reset(row);
	return err;
}

static int copy_agents(struct db *to, struct db *from, struct errmsg *msg)
{
	sqlite3_stmt *row = db_query(from, "SELECT agent, id FROM agents", "");
	int err;
	while ((err = db_step(from, row, msg)) == 1) {
		err = db_run(to, msg, "INSERT INTO agents VALUES (?1, ?2)",
		    "ib", sqlite3_column_int64(row, 0),
		    sqlite3_column_blob(row, 1),
		    (size_t)sqlite3_column_bytes(row, 1));
		if (err < 0)
			break;
	}
	db_reset(row);
	return err;
}

static int fill_new(struct db *db, struct db *from, const struct partition *p,
    const uint8_t history[16], struct errmsg *msg)
{
	int err = db_script(db, "BEGIN IMMEDIATE", msg);
	if (err < 0)
		return err;
	err = db_script(db, tables, msg);
	if (err < 0)
		return err;
	err = db_run(db, msg,
	    "INSERT INTO meta VALUES ('ordinal', ?1), ('first_block', ?2),"
	    " ('salt', ?3), ('opened_ns', ?4), ('history', ?5)",
	    "iiiib", (int64_t)p->ordinal, (int64_t)p->first_block,
	    (int64_t)p->salt, p->opened_ns, history, (size_t)16);
	if (err < 0)
		return err;
	if (from) {
		err = copy_watermarks(db, from, msg);
		if (err < 0)
			return err;
		err = copy_agents(db, from, msg);
		if (err < 0)
			return err;
	}
	return db_script(db, "PRAGMA user_version = 1; COMMIT", msg);
}

int partition_create(struct partition *p, struct db *from,
    const uint8_t history[16], struct errmsg *msg)
{
	struct db db = { 0 };
	int err = partition_open_writer(&db, p, msg);
	if (err < 0)
		return err;
	err = fill_new(&db, from, p, history, msg);
	db_close(&db);
	return err;
}
