/* SPDX-License-Identifier: ISC */
/*
 * A database's files by their names.  SQLite goes on writing into files that
 * was deleted or replaced, and begins afresh where it finds nothing,
 * throwing an orphaned log away; so we look before it does.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "lib/base/err.h"

#define DB_FILES 3 /* database, log, the log's index */

struct db_file {
	dev_t device;
	ino_t inode; /* 0: was not there */
};
struct db_files {
	char *path; /* of the database; owned */
	struct db_file files[DB_FILES];
};

/* Before a database is opened.  had_one: there was a database here; begin:
 * make one where none is left.  -ENOENT: it is gone, and no new one was asked
 * for. */
int db_files_before_open(
    const char *path, bool had_one, bool begin, struct errmsg *msg);
/* What is open now; db_files_fini when it is closed. */
void db_files_remember(struct db_files *files, const char *path);
void db_files_fini(struct db_files *files);
/* -ESTALE: the names no longer lead to the files that are open. */
int db_files_check(const struct db_files *files, struct errmsg *msg);
/* The same of the database alone, not of its log. */
bool db_files_are_ours(const struct db_files *files);
/* Bytes in the write-ahead log. */
uint64_t db_files_log_bytes(const char *path);
