/* SPDX-License-Identifier: ISC */
/* Names, devices and inodes: looked at before the open and ever after. */
#include "lib/sqlite/db-files.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/base/xalloc.h"

static const char *const suffixes[DB_FILES] = { "", "-wal", "-shm" };

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

int db_files_before_open(
    const char *path, bool had_one, bool begin, struct errmsg *msg)
{
	int64_t size = size_of(path, ""), log = size_of(path, "-wal");
	if (size > 0)
		return ERR_OK;
	const char *name = strrchr(path, '/');
	if (!begin && (had_one || log > 0))
		return err_set(msg, -ENOENT,
		    "the database is %s, but there was one (see '%s%s'): put a "
		    "backup back, or start from scratch with --new-database",
		    size < 0 ? "missing" : "empty",
		    log > 0 ? (name ? name + 1 : path) : "generation",
		    log > 0 ? "-wal" : "");
	return log > 0 ? put_log_aside(path, msg) : ERR_OK;
}

void db_files_remember(struct db_files *files, const char *path)
{
	*files = (struct db_files){ .path = xstrdup(path) };
	for (int i = 0; i < DB_FILES; i++) {
		struct stat st = { 0 };
		char *name = xasprintf("%s%s", path, suffixes[i]);
		if (stat(name, &st) == 0)
			files->files[i] =
			    (struct db_file){ st.st_dev, st.st_ino };
		free(name);
	}
}

void db_files_fini(struct db_files *files)
{
	free(files->path);
	*files = (struct db_files){ 0 };
}

static int check_file(const struct db_files *files, int i, struct errmsg *msg)
{
	const struct db_file *file = &files->files[i];
	struct stat st;
	if (file->inode == 0)
		return ERR_OK;
	char *name = xasprintf("%s%s", files->path, suffixes[i]);
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

int db_files_check(const struct db_files *files, struct errmsg *msg)
{
	for (int i = 0; i < DB_FILES; i++) {
		int err = check_file(files, i, msg);
		if (err < 0)
			return err;
	}
	return ERR_OK;
}

bool db_files_are_ours(const struct db_files *files)
{
	return check_file(files, 0, NULL) == ERR_OK;
}

uint64_t db_files_log_bytes(const char *path)
{
	int64_t size = size_of(path, "-wal");
	return size < 0 ? 0 : (uint64_t)size;
}
