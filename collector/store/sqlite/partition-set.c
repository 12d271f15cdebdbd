/* SPDX-License-Identifier: ISC */
/* The files as a set: found again, made, dropped, and connections to them at
 * rest. */
#include "collector/store/sqlite/partition-set.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/xalloc.h"

#define AT_REST_NEWEST 8
#define AT_REST_CLOSED 1

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
	partition_free(p);
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
		partition_free(p);
		return ERR_OK;
	}
	int err = partition_read_head(p, history, adopt, msg);
	if (err <= 0) {
		if (err == 0)
			partition_remove_files(p->path);
		else
			err_prefix(msg, "%s", p->path);
		partition_free(p);
		return err;
	}
	db_files_remember(&p->files, p->path);
	add_to_set(set, p, NULL);
	return ERR_OK;
}

/* A log whose database is gone may be all that is left: it is not thrown away.
 * Where one is begun in its place, it is kept under another name. */
static int check_log(const char *dir, const char *log,
    const struct store_config *config, struct errmsg *msg)
{
	struct stat st;
	char *path = xasprintf("%s/%.*s", dir, PARTITION_NAME_DIGITS + 3, log);
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
	return strspn(name, "0123456789") == PARTITION_NAME_DIGITS &&
	    strcmp(name + PARTITION_NAME_DIGITS, ".db-wal") == 0;
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

int partition_make(struct partition_set *set, struct db *from,
    uint64_t first_block, int64_t opened_ns, const struct partition *measured,
    struct errmsg *msg)
{
	struct partition *p = xcalloc(1, sizeof(*p));
	p->ordinal = set->count ? set->list[set->count - 1]->ordinal + 1 : 1;
	p->first_block = first_block;
	p->opened_ns = opened_ns;
	p->salt = randombytes_random();
	p->path = xasprintf(
	    "%s/%0*" PRIu64 ".db", set->dir, PARTITION_NAME_DIGITS, p->ordinal);
	int err = partition_create(p, from, set->history, msg);
	if (err < 0)
		goto failed;
	err = sync_dir(set->dir, msg);
	if (err < 0)
		goto failed;
	db_files_remember(&p->files, p->path);
	add_to_set(set, p, measured);
	return ERR_OK;
failed:
	err_prefix(msg, "%s", p->path);
	partition_remove_files(p->path);
	partition_free(p);
	return err;
}

/* Under the set's lock: who checks the files sees the partition with its name,
 * or not at all. */
static int rename_dropped(const struct partition *p)
{
	static const char *const suffixes[] = { "", "-wal", "-shm" };
	for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
		char *from = xasprintf("%s%s", p->path, suffixes[i]);
		char *to = xasprintf("%s.dropped%s", p->path, suffixes[i]);
		int err = rename(from, to) < 0 ? -errno : ERR_OK;
		free(from);
		free(to);
		if (err < 0 && i == 0)
			return err;
	}
	return ERR_OK;
}

int partition_drop_oldest(struct partition_set *set, struct errmsg *msg)
{
	struct partition *p = set->list[0];
	char *dropped = xasprintf("%s.dropped", p->path);
	pthread_mutex_lock(&set->lock);
	int err = rename_dropped(p);
	if (err < 0) {
		err_set(msg, ERR_UNAVAILABLE, "%.150s: cannot be dropped: %s",
		    p->path, err_str(err));
	} else {
		memmove(set->list, set->list + 1,
		    --set->count * sizeof(struct partition *));
		let_go(p);
	}
	pthread_mutex_unlock(&set->lock);
	if (err == ERR_OK) {
		sync_dir(set->dir, NULL);
		partition_remove_files(dropped);
	}
	free(dropped);
	return err < 0 ? ERR_UNAVAILABLE : ERR_OK;
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
	if (err < 0)
		goto out;
	err = db_script(&made->db,
	    "PRAGMA query_only = ON;"
	    "PRAGMA temp_store = MEMORY;"
	    "PRAGMA cache_size = -2000;",
	    msg);
	if (err < 0)
		goto out;
	*reader = made;
	return ERR_OK;
out:
	set->corrupt |= made->db.corrupt;
	close_reader(made);
	return err;
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
