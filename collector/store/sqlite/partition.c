/* SPDX-License-Identifier: ISC */
/* The set of files: made, found again, measured, dropped, and connections to
 * them at rest. */
#include "collector/store/sqlite/partition.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/xalloc.h"
#include "lib/sqlite/db-schema.h"

#define NAME_DIGITS 8
#define AT_REST_NEWEST 8
#define AT_REST_CLOSED 1

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

static int sync_dir(const char *dir, struct errmsg *msg)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int err = fd < 0 || fsync(fd) < 0 ? -errno : ERR_OK;
	if (fd >= 0)
		close(fd);
	return err < 0
	    ? err_set(msg, ERR_UNAVAILABLE, "%.150s: %s", dir, err_str(err))
	    : ERR_OK;
}

static void remove_files(const char *path)
{
	static const char *const suffixes[] = { "-wal", "-shm", "-journal",
		"" };
	for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
		char *name = xasprintf("%s%s", path, suffixes[i]);
		unlink(name);
		free(name);
	}
}

static void free_partition(struct partition *p)
{
	db_files_fini(&p->files);
	free(p->path);
	free(p);
}

static void close_reader(struct partition_reader *reader)
{
	db_close(&reader->db);
	free(reader);
}

/* The lock is held; the last one frees it. */
static void let_go(struct partition *p)
{
	if (--p->users > 0)
		return;
	while (p->at_rest) {
		struct partition_reader *reader = p->at_rest;
		p->at_rest = reader->next;
		close_reader(reader);
	}
	free_partition(p);
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

/* 1: it is ready; 0: it never was.  Opened to write, for a power cut may have
 * left a journal that must be rolled back first. */
static int read_head(
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

static void add_to_set(struct partition_set *set, struct partition *p,
    const struct partition *measured)
{
	pthread_mutex_lock(&set->lock);
	if (measured) {
		struct partition *old = set->list[set->count - 1];
		old->min_ns = measured->min_ns;
		old->max_ns = measured->max_ns;
		old->last_received_ns = measured->last_received_ns;
		old->last_block = measured->last_block;
		old->records = measured->records;
		old->bytes = measured->bytes;
		old->closed = true;
	}
	set->list = xreallocarray(
	    set->list, set->count + 1, sizeof(struct partition *));
	set->list[set->count++] = p;
	p->users = 1;
	pthread_mutex_unlock(&set->lock);
}

static int open_one(struct partition_set *set, const char *name,
    uint8_t history[16], bool adopt, struct errmsg *msg)
{
	struct partition *p = xcalloc(1, sizeof(*p));
	p->path = xasprintf("%s/%s", set->dir, name);
	struct stat st;
	/* One that was only just begun; it will be again. */
	if (stat(p->path, &st) == 0 && st.st_size == 0) {
		free_partition(p);
		return ERR_OK;
	}
	int err = read_head(p, history, adopt, msg);
	if (err <= 0) {
		if (err == 0)
			remove_files(p->path);
		else
			err_prefix(msg, "%s", p->path);
		free_partition(p);
		return err;
	}
	db_files_remember(&p->files, p->path);
	add_to_set(set, p, NULL);
	return ERR_OK;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool is_partition_name(const char *name)
{
	return strspn(name, "0123456789") == NAME_DIGITS &&
	    strcmp(name + NAME_DIGITS, ".db") == 0;
}

/* A log whose database is gone may be all that is left: it is not thrown away.
 * Where one is begun in its place, it is kept under another name. */
static int check_log(const char *dir, const char *log,
    const struct store_config *config, struct errmsg *msg)
{
	struct stat st;
	char *path = xasprintf("%s/%.*s", dir, NAME_DIGITS + 3, log);
	char *whole = xasprintf("%s-wal", path);
	bool filled = stat(whole, &st) == 0 && st.st_size > 0;
	bool there = stat(path, &st) == 0 && st.st_size > 0;
	int err = filled && !there
	    ? db_files_before_open(path, true, config->create, msg)
	    : ERR_OK;
	free(whole);
	free(path);
	return err;
}

static bool is_log_name(const char *name)
{
	return strspn(name, "0123456789") == NAME_DIGITS &&
	    strcmp(name + NAME_DIGITS, ".db-wal") == 0;
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
		*names = xreallocarray(*names, *count + 1, sizeof(**names));
		(*names)[(*count)++] = xstrdup(entry->d_name);
	}
	closedir(d);
	if (*count > 0)
		qsort(*names, *count, sizeof(**names), by_name);
	return ERR_OK;
}

/* And ends what a drop began. */
static int check_logs(const struct partition_set *set,
    const struct store_config *config, struct errmsg *msg)
{
	DIR *d = opendir(set->dir);
	struct dirent *entry;
	int err = ERR_OK;
	while (d && err == ERR_OK && (entry = readdir(d))) {
		if (is_log_name(entry->d_name))
			err = check_log(set->dir, entry->d_name, config, msg);
		if (!strstr(entry->d_name, ".dropped"))
			continue;
		char *path = xasprintf("%s/%s", set->dir, entry->d_name);
		unlink(path);
		free(path);
	}
	if (d)
		closedir(d);
	return err;
}

/* Nothing is left of what was there. */
static int check_none(const struct partition_set *set, char *const *names,
    size_t count, const struct store_config *config, struct errmsg *msg)
{
	if (set->count > 0 || config->create || !config->had_one)
		return ERR_OK;
	return err_set(msg, -ENOENT,
	    "%.120s/%s: the database is %s, but there was one (see "
	    "'generation'): put a backup back, or begin an "
	    "empty one with --new-database",
	    set->dir, count ? names[0] : "", count ? "empty" : "missing");
}

int partitions_open(struct partition_set *set, struct store_config *config,
    bool old, struct errmsg *msg)
{
	char *dir = xasprintf("%s/telemetry", config->dir);
	bool adopt = config->adopt != NULL;
	uint8_t *history = config->history;
	char **names = NULL;
	size_t count = 0;
	*set = (struct partition_set){ .dir = dir };
	pthread_mutex_init(&set->lock, NULL);
	if (mkdir(dir, 0700) < 0 && errno != EEXIST)
		return err_set(msg, -errno, "%.150s: %s", dir, err_str(-errno));
	int err = check_logs(set, config, msg);
	if (err < 0)
		goto out;
	err = partition_names(dir, &names, &count, msg);
	if (err < 0)
		goto out;
	for (size_t i = 0; i < count; i++) {
		err = open_one(set, names[i], history, adopt, msg);
		if (err < 0)
			goto out;
	}
	memcpy(set->history, history, sizeof(set->history));
	if (!old)
		err = check_none(set, names, count, config, msg);
	for (size_t i = 0; err == ERR_OK && i + 1 < set->count; i++)
		err = partition_measure(set->list[i], msg);
out:
	for (size_t i = 0; i < count; i++)
		free(names[i]);
	free(names);
	return err;
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

void partitions_close(struct partition_set *set)
{
	if (!set->dir)
		return;
	for (size_t i = 0; i < set->count; i++)
		let_go(set->list[i]);
	free(set->list);
	free(set->dir);
	pthread_mutex_destroy(&set->lock);
	*set = (struct partition_set){ 0 };
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

int partition_make(struct partition_set *set, struct db *from,
    uint64_t first_block, int64_t opened_ns, const struct partition *measured,
    struct errmsg *msg)
{
	struct partition *p = xcalloc(1, sizeof(*p));
	struct db db = { 0 };
	p->ordinal = set->count ? set->list[set->count - 1]->ordinal + 1 : 1;
	p->first_block = first_block;
	p->opened_ns = opened_ns;
	p->salt = randombytes_random();
	p->path =
	    xasprintf("%s/%0*" PRIu64 ".db", set->dir, NAME_DIGITS, p->ordinal);
	int err = partition_open_writer(&db, p, msg);
	if (err == ERR_OK)
		err = fill_new(&db, from, p, set->history, msg);
	db_close(&db);
	if (err == ERR_OK)
		err = sync_dir(set->dir, msg);
	if (err < 0) {
		err_prefix(msg, "%s", p->path);
		remove_files(p->path);
		free_partition(p);
		return err;
	}
	db_files_remember(&p->files, p->path);
	add_to_set(set, p, measured);
	return ERR_OK;
}

int partition_drop_oldest(struct partition_set *set, struct errmsg *msg)
{
	static const char *const suffixes[] = { "", "-wal", "-shm" };
	struct partition *p = set->list[0];
	for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
		char *from = xasprintf("%s%s", p->path, suffixes[i]);
		char *to = xasprintf("%s.dropped%s", p->path, suffixes[i]);
		int err = rename(from, to) < 0 ? -errno : ERR_OK;
		free(from);
		free(to);
		if (err < 0 && i == 0)
			return err_set(msg, ERR_UNAVAILABLE,
			    "%.150s: cannot be dropped: %s", p->path,
			    err_str(err));
	}
	char *dropped = xasprintf("%s.dropped", p->path);
	sync_dir(set->dir, NULL);
	pthread_mutex_lock(&set->lock);
	memmove(set->list, set->list + 1,
	    --set->count * sizeof(struct partition *));
	let_go(p);
	pthread_mutex_unlock(&set->lock);
	remove_files(dropped);
	free(dropped);
	return ERR_OK;
}

int partition_reader_get(struct partition_set *set, struct partition *p,
    struct partition_reader **reader, struct errmsg *msg)
{
	struct stat st;
	*reader = NULL;
	pthread_mutex_lock(&set->lock);
	bool closed = p->closed;
	if (p->at_rest) {
		*reader = p->at_rest;
		p->at_rest = (*reader)->next;
		p->at_rest_count--;
	}
	pthread_mutex_unlock(&set->lock);
	if (*reader)
		return ERR_OK;
	if (closed && stat(p->path, &st) < 0 && errno == ENOENT)
		return ERR_OK;
	struct partition_reader *made = xcalloc(1, sizeof(*made));
	made->partition = p;
	int err = db_open(&made->db, p->path, true, msg);
	if (err == ERR_OK)
		err = db_script(&made->db,
		    "PRAGMA query_only = ON;"
		    "PRAGMA temp_store = MEMORY;"
		    "PRAGMA cache_size = -2000;",
		    msg);
	if (err < 0) {
		set->corrupt |= made->db.corrupt;
		close_reader(made);
		return err;
	}
	*reader = made;
	return ERR_OK;
}

void partition_reader_put(
    struct partition_set *set, struct partition_reader *reader)
{
	struct partition *p = reader->partition;
	db_reset_all(&reader->db);
	if (!sqlite3_get_autocommit(reader->db.handle))
		db_run(&reader->db, NULL, "COMMIT", "");
	if (reader->db.corrupt)
		set->corrupt = true;
	pthread_mutex_lock(&set->lock);
	if (!reader->db.corrupt &&
	    p->at_rest_count < (p->closed ? AT_REST_CLOSED : AT_REST_NEWEST)) {
		reader->next = p->at_rest;
		p->at_rest = reader;
		p->at_rest_count++;
		reader = NULL;
	}
	pthread_mutex_unlock(&set->lock);
	if (reader)
		close_reader(reader);
}

struct partition **partitions_hold(struct partition_set *set, size_t *count)
{
	pthread_mutex_lock(&set->lock);
	struct partition **list =
	    xcalloc(set->count + 1, sizeof(struct partition *));
	*count = set->count;
	for (size_t i = 0; i < set->count; i++) {
		list[i] = set->list[i];
		list[i]->users++;
	}
	pthread_mutex_unlock(&set->lock);
	return list;
}

void partitions_release(
    struct partition_set *set, struct partition **list, size_t count)
{
	pthread_mutex_lock(&set->lock);
	for (size_t i = 0; i < count; i++)
		let_go(list[i]);
	pthread_mutex_unlock(&set->lock);
	free(list);
}
