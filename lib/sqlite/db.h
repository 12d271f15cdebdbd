/* SPDX-License-Identifier: ISC */
/*
 * SQLite with one line a statement: statements are prepared once and found
 * again by the address of their text, values are bound by a type string.
 *
 *   i int64_t   d double   t const char * (NULL: null)   n null
 *   b const void *, size_t (NULL: null)   a const struct addr * (none: null)
 */
#pragma once

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/addr.h"
#include "lib/base/err.h"

struct db_statement {
	const char *sql;
	sqlite3_stmt *stmt;
};
struct db {
	sqlite3 *handle;
	struct db_statement *statements; /* owned; empty ones have no sql */
	size_t count, cap;
	bool corrupt; /* damage was met; stays */
};

int db_open(
    struct db *db, const char *path, bool read_only, struct errmsg *msg);
void db_close(struct db *db);

/* Several statements without values, not kept. */
int db_script(struct db *db, const char *sql, struct errmsg *msg);

/* Binds and starts; NULL when the database refuses.  sql must be a literal.
 * Then db_step until it is not 1 (a row), and db_reset. */
sqlite3_stmt *db_query(struct db *db, const char *sql, const char *types, ...);
int db_step(struct db *db, sqlite3_stmt *stmt, struct errmsg *msg);
static inline void db_reset(sqlite3_stmt *stmt)
{
	sqlite3_reset(stmt);
}

/* Resets every statement: one that still stands on a row keeps a snapshot, and
 * with it the log, from going. */
void db_reset_all(struct db *db);

/* Runs to the end. */
int db_run(
    struct db *db, struct errmsg *msg, const char *sql, const char *types, ...);
int db_changes(const struct db *db);
/* The first column of the first row; fallback when there is no row or it is
 * null. */
int db_integer(struct db *db, int64_t *value, int64_t fallback, const char *sql,
    const char *types, ...);

/* What the database says of its last failure, as one of ours: a duplicate key
 * is -EEXIST, a broken file ERR_CORRUPT, all else ERR_UNAVAILABLE. */
int db_error(struct db *db, struct errmsg *msg);

/* ERR_CORRUPT when this connection has met damage. */
int db_damage(const struct db *db, struct errmsg *msg);
/* Reads a whole database, in use or not, and reports every damage, as far as
 * SQLite does: up to a hundred findings. */
int db_inspect(const char *path, void (*finding)(void *ctx, const char *text),
    void *ctx, struct errmsg *msg);

struct addr db_column_addr(sqlite3_stmt *stmt, int column);
/* Copies exactly len bytes, or zeros. */
void db_column_copy(sqlite3_stmt *stmt, int column, void *to, size_t len);
static inline const char *db_column_text(sqlite3_stmt *stmt, int column)
{
	return (const char *)sqlite3_column_text(stmt, column);
}
