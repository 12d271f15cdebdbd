/* SPDX-License-Identifier: ISC */
/*
 * The database's files by their names.  SQLite goes on writing into files
 * that somebody has deleted or replaced, and begins anew where it finds
 * nothing, throwing an orphaned log away; so we look before it does.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "collector/store/sqlite/provider.h"
#include "lib/base/xalloc.h"

static const char *const suffixes[STORE_FILES] = { "", "-wal", "-shm" };

/* The size of a file that may be absent: -1. */
static int64_t size_of(const char *path, const char *suffix)
{
	struct stat st;
	char *name = xasprintf("%s%s", path, suffix);
	int64_t size = stat(name, &st) == 0 ? (int64_t)st.st_size : -1;
	free(name);
	return size;
}

/* An orphaned log may be all that is left: kept under the first name that is
 * free. */
static int put_log_aside(const char *path, struct errmsg *msg)
{
	char *from = xasprintf("%s-wal", path), *to = NULL;
	struct stat st;
	unsigned n = 0;
	do {
		free(to);
		to = xasprintf("%s-wal.orphan%u", path, ++n);
	} while (lstat(to, &st) == 0);
	int err = rename(from, to) < 0 ? -errno : ERR_OK;
	if (err < 0)
		err_set(msg, err, "%.100s: cannot rename it: %s", from,
		    err_str(err));
	free(from);
	free(to);
	return err;
}

int files_before_open(
    const char *path, const struct store_config *config, struct errmsg *msg)
{
	int64_t size = size_of(path, ""), log = size_of(path, "-wal");
	if (size > 0)
		return config->anew ? err_set(msg, -EEXIST,
					  "there is a database: move it away "
					  "before a new one is "
					  "begun")
				    : ERR_OK;
	if (!config->anew && (config->had_one || log > 0))
		return err_set(msg, -ENOENT,
		    "the database is %s, but there was one (see '%s'): put a "
		    "backup back, or begin anew with --new-database",
		    size < 0 ? "missing" : "empty",
		    log > 0 ? "sonde.db-wal" : "generation");
	return log > 0 ? put_log_aside(path, msg) : ERR_OK;
}

void files_remember(struct store *store)
{
	for (int i = 0; i < STORE_FILES; i++) {
		struct stat st = { 0 };
		char *name = xasprintf("%s%s", store->path, suffixes[i]);
		if (stat(name, &st) == 0)
			store->files[i] =
			    (struct store_file){ st.st_dev, st.st_ino };
		free(name);
	}
}

static int check_file(const struct store *store, int i, struct errmsg *msg)
{
	const struct store_file *file = &store->files[i];
	struct stat st;
	if (file->inode == 0)
		return ERR_OK;
	char *name = xasprintf("%s%s", store->path, suffixes[i]);
	const char *what = NULL;
	if (stat(name, &st) < 0)
		what = errno == ENOENT || errno == ENOTDIR ? "deleted" : NULL;
	else if (st.st_dev != file->device || st.st_ino != file->inode)
		what = "replaced";
	else if (i == 0 && st.st_size == 0)
		what = "emptied";
	int err = what
	    ? err_set(msg, -ESTALE,
		  "database: %.120s was %s under the running collector", name,
		  what)
	    : ERR_OK;
	free(name);
	return err;
}

int files_check(const struct store *store, struct errmsg *msg)
{
	int err = ERR_OK;
	for (int i = 0; err == ERR_OK && i < STORE_FILES; i++)
		err = check_file(store, i, msg);
	return err;
}

bool files_database_is_ours(const struct store *store)
{
	return check_file(store, 0, NULL) == ERR_OK;
}
