/* SPDX-License-Identifier: ISC */
#include "tests/collector/kill-vfs.h"

#include <pthread.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/xalloc.h"

/* What a write or a truncation replaced, newest first. */
struct undo {
	struct undo *next;
	sqlite3_int64 size_before, at;
	int len;
	uint8_t old[];
};
struct kill_file {
	sqlite3_file base;
	struct kill_file *next;
	const char *path; /* SQLite's; NULL: a temporary */
	struct undo *undo;
	sqlite3_file *real;
};

static sqlite3_vfs *below, above;
static sqlite3_io_methods methods;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct kill_file *files;
static unsigned kill_at, operations;
static enum kill_lose loses;
static const char *named;

static bool is_lost(const struct kill_file *file)
{
	bool is_named = file->path && strstr(file->path, named);
	return loses == KILL_LOSES_ALL ||
	    (loses == KILL_LOSES_NAMED && is_named) ||
	    (loses == KILL_LOSES_OTHERS && !is_named);
}

static void take_back(struct kill_file *file)
{
	for (struct undo *undo = file->undo; undo; undo = undo->next) {
		const sqlite3_io_methods *real = file->real->pMethods;
		if (undo->len > 0)
			real->xWrite(
			    file->real, undo->old, undo->len, undo->at);
		real->xTruncate(file->real, undo->size_before);
	}
}

/* The lock is held, and never given back. */
static void die(void)
{
	for (struct kill_file *file = files; file; file = file->next)
		if (is_lost(file))
			take_back(file);
	kill(getpid(), SIGKILL);
	for (;;)
		pause();
}

static void count_operation(void)
{
	if (++operations == kill_at)
		die();
}

/* Before the octets from `at` on change. */
static void keep_old(struct kill_file *file, sqlite3_int64 at, int len)
{
	const sqlite3_io_methods *real = file->real->pMethods;
	struct undo *undo = xcalloc(1, sizeof(*undo) + (size_t)len);
	real->xFileSize(file->real, &undo->size_before);
	undo->at = at;
	undo->len = at + len <= undo->size_before ? len
	    : at < undo->size_before ? (int)(undo->size_before - at)
				     : 0;
	if (undo->len > 0)
		real->xRead(file->real, undo->old, undo->len, at);
	undo->next = file->undo;
	file->undo = undo;
}

static void forget_old(struct kill_file *file)
{
	while (file->undo) {
		struct undo *next = file->undo->next;
		free(file->undo);
		file->undo = next;
	}
}

static struct kill_file *of(sqlite3_file *file)
{
	return (struct kill_file *)file;
}

static int do_write(
    sqlite3_file *file, const void *data, int len, sqlite3_int64 at)
{
	pthread_mutex_lock(&lock);
	count_operation();
	keep_old(of(file), at, len);
	int code =
	    of(file)->real->pMethods->xWrite(of(file)->real, data, len, at);
	pthread_mutex_unlock(&lock);
	return code;
}

static int do_truncate(sqlite3_file *file, sqlite3_int64 size)
{
	sqlite3_int64 before = 0;
	pthread_mutex_lock(&lock);
	count_operation();
	of(file)->real->pMethods->xFileSize(of(file)->real, &before);
	if (before > size)
		keep_old(of(file), size, (int)(before - size));
	int code = of(file)->real->pMethods->xTruncate(of(file)->real, size);
	pthread_mutex_unlock(&lock);
	return code;
}

static int do_sync(sqlite3_file *file, int flags)
{
	pthread_mutex_lock(&lock);
	count_operation();
	int code = of(file)->real->pMethods->xSync(of(file)->real, flags);
	forget_old(of(file));
	pthread_mutex_unlock(&lock);
	return code;
}

static int do_close(sqlite3_file *file)
{
	pthread_mutex_lock(&lock);
	for (struct kill_file **at = &files; *at; at = &(*at)->next)
		if (*at == of(file)) {
			*at = of(file)->next;
			break;
		}
	forget_old(of(file));
	pthread_mutex_unlock(&lock);
	int code = of(file)->real->pMethods->xClose(of(file)->real);
	free(of(file)->real);
	return code;
}

static int do_read(sqlite3_file *file, void *to, int len, sqlite3_int64 at)
{
	return of(file)->real->pMethods->xRead(of(file)->real, to, len, at);
}

static int do_size(sqlite3_file *file, sqlite3_int64 *size)
{
	return of(file)->real->pMethods->xFileSize(of(file)->real, size);
}

static int do_lock(sqlite3_file *file, int level)
{
	return of(file)->real->pMethods->xLock(of(file)->real, level);
}

static int do_unlock(sqlite3_file *file, int level)
{
	return of(file)->real->pMethods->xUnlock(of(file)->real, level);
}

static int do_reserved(sqlite3_file *file, int *is)
{
	return of(file)->real->pMethods->xCheckReservedLock(of(file)->real, is);
}

static int do_control(sqlite3_file *file, int op, void *arg)
{
	return of(file)->real->pMethods->xFileControl(of(file)->real, op, arg);
}

static int do_sector(sqlite3_file *file)
{
	return of(file)->real->pMethods->xSectorSize(of(file)->real);
}

static int do_traits(sqlite3_file *file)
{
	return of(file)->real->pMethods->xDeviceCharacteristics(of(file)->real);
}

static int do_shm_map(
    sqlite3_file *file, int page, int size, int extend, void volatile **to)
{
	return of(file)->real->pMethods->xShmMap(
	    of(file)->real, page, size, extend, to);
}

static int do_shm_lock(sqlite3_file *file, int offset, int n, int flags)
{
	return of(file)->real->pMethods->xShmLock(
	    of(file)->real, offset, n, flags);
}

static void do_shm_barrier(sqlite3_file *file)
{
	of(file)->real->pMethods->xShmBarrier(of(file)->real);
}

static int do_shm_unmap(sqlite3_file *file, int unlink_too)
{
	return of(file)->real->pMethods->xShmUnmap(of(file)->real, unlink_too);
}

static int do_open(sqlite3_vfs *vfs, const char *path, sqlite3_file *file,
    int flags, int *flags_out)
{
	(void)vfs;
	struct kill_file *made = of(file);
	*made = (struct kill_file){ .path = path };
	made->real = xcalloc(1, (size_t)below->szOsFile);
	int code = below->xOpen(below, path, made->real, flags, flags_out);
	if (code != SQLITE_OK) {
		free(made->real);
		made->real = NULL;
		return code;
	}
	made->base.pMethods = &methods;
	pthread_mutex_lock(&lock);
	made->next = files;
	files = made;
	pthread_mutex_unlock(&lock);
	return SQLITE_OK;
}

/* Deletions are taken as lasting at once. */
static int do_delete(sqlite3_vfs *vfs, const char *path, int sync)
{
	(void)vfs;
	pthread_mutex_lock(&lock);
	count_operation();
	int code = below->xDelete(below, path, sync);
	pthread_mutex_unlock(&lock);
	return code;
}

void kill_vfs_install(unsigned at, enum kill_lose lose, const char *text)
{
	kill_at = at;
	loses = lose;
	named = text;
	below = sqlite3_vfs_find(NULL);
	above = *below;
	above.zName = "kill";
	above.szOsFile = (int)sizeof(struct kill_file);
	above.xOpen = do_open;
	above.xDelete = do_delete;
	methods = (sqlite3_io_methods){
		.iVersion = 2,
		.xClose = do_close,
		.xRead = do_read,
		.xWrite = do_write,
		.xTruncate = do_truncate,
		.xSync = do_sync,
		.xFileSize = do_size,
		.xLock = do_lock,
		.xUnlock = do_unlock,
		.xCheckReservedLock = do_reserved,
		.xFileControl = do_control,
		.xSectorSize = do_sector,
		.xDeviceCharacteristics = do_traits,
		.xShmMap = do_shm_map,
		.xShmLock = do_shm_lock,
		.xShmBarrier = do_shm_barrier,
		.xShmUnmap = do_shm_unmap,
	};
	sqlite3_vfs_register(&above, 1);
}

unsigned kill_vfs_count(void)
{
	return operations;
}
