/* SPDX-License-Identifier: ISC */
/*
 * The thin layer over SQLite's C interface.  Its one idea is that a statement
 * and its values stand on one line at the place of use, and that every
 * failure becomes one of our codes in one place.
 */
#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/hash.h"
#include "lib/sqlite/db.h"
#include "lib/base/xalloc.h"

#define BUSY_TIMEOUT_MS 5000

int db_error(struct db *db, struct errmsg *msg)
{
	int code = ERR_UNAVAILABLE;
	switch (sqlite3_errcode(db->handle) & 0xff) {
	case SQLITE_CONSTRAINT: code = -EEXIST; break;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		code = ERR_CORRUPT;
		db->corrupt = true;
		break;
	default: break;
	}
	return err_set(msg, code, "database: %s", sqlite3_errmsg(db->handle));
}

/* Counting what is allocated takes a lock each time, and is not used. */
static void configure(void)
{
	sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
}

int db_open(struct db *db, const char *path, bool read_only, struct errmsg *msg)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	pthread_once(&once, configure);
	*db = (struct db){ 0 };
	int flags = SQLITE_OPEN_NOMUTEX |
	    (read_only ? SQLITE_OPEN_READONLY
		       : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
	if (sqlite3_open_v2(path, &db->handle, flags, NULL) != SQLITE_OK) {
		int err = db->handle
		    ? db_error(db, msg)
		    : err_set(msg, -ENOMEM, "database: no memory");
		err_prefix(msg, "%s", path);
		db_close(db);
		return err;
	}
	sqlite3_busy_timeout(db->handle, BUSY_TIMEOUT_MS);
	sqlite3_db_config(db->handle, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	sqlite3_db_config(db->handle, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	return ERR_OK;
}

void db_close(struct db *db)
{
	for (size_t i = 0; i < db->cap; i++)
		sqlite3_finalize(db->statements[i].stmt);
	free(db->statements);
	sqlite3_close(db->handle);
	*db = (struct db){ 0 };
}

int db_script(struct db *db, const char *sql, struct errmsg *msg)
{
	if (sqlite3_exec(db->handle, sql, NULL, NULL, NULL) != SQLITE_OK)
		return db_error(db, msg);
	return ERR_OK;
}

/* Where the statement of this text is, or belongs: open addressing by the
 * text's address, at most half full. */
static struct db_statement *slot_of(const struct db *db, const char *sql)
{
	size_t at = ((uintptr_t)sql >> 3) * HASH_GOLDEN_32;
	for (;; at++) {
		struct db_statement *slot = &db->statements[at & (db->cap - 1)];
		if (!slot->sql || slot->sql == sql)
			return slot;
	}
}

static void statements_grow(struct db *db)
{
	struct db old = *db;
	db->cap = old.cap ? old.cap * 2 : 64;
	db->statements = xcalloc(db->cap, sizeof(*db->statements));
	for (size_t i = 0; i < old.cap; i++)
		if (old.statements[i].sql)
			*slot_of(db, old.statements[i].sql) = old.statements[i];
	free(old.statements);
}

static sqlite3_stmt *prepared(struct db *db, const char *sql)
{
	if (2 * (db->count + 1) > db->cap)
		statements_grow(db);
	struct db_statement *slot = slot_of(db, sql);
	if (slot->sql)
		return slot->stmt;
	sqlite3_stmt *stmt;
	if (sqlite3_prepare_v3(db->handle, sql, -1, SQLITE_PREPARE_PERSISTENT,
		&stmt, NULL) != SQLITE_OK)
		return NULL;
	*slot = (struct db_statement){ sql, stmt };
	db->count++;
	return stmt;
}

static void bind_addr(sqlite3_stmt *stmt, int at, const struct addr *addr)
{
	if (addr_len(addr) == 0)
		sqlite3_bind_null(stmt, at);
	else
		sqlite3_bind_blob(
		    stmt, at, addr->bytes, (int)addr_len(addr), SQLITE_STATIC);
}

/* Texts, blobs and addresses are not copied: the caller holds them until it
 * resets. */
static void bind(sqlite3_stmt *stmt, const char *types, va_list *args)
{
	for (int at = 1; *types; types++, at++) {
		switch (*types) {
		case 'i':
			sqlite3_bind_int64(stmt, at, va_arg(*args, int64_t));
			break;
		case 'd':
			sqlite3_bind_double(stmt, at, va_arg(*args, double));
			break;
		case 't':
			sqlite3_bind_text(stmt, at, va_arg(*args, const char *),
			    -1, SQLITE_STATIC);
			break;
		case 'b': {
			const void *data = va_arg(*args, const void *);
			size_t len = va_arg(*args, size_t);
			sqlite3_bind_blob64(stmt, at, data, len, SQLITE_STATIC);
			break;
		}
		case 'a':
			bind_addr(stmt, at, va_arg(*args, const struct addr *));
			break;
		case 'n': sqlite3_bind_null(stmt, at); break;
		default: BUG("sqlite: no such type '%c'", *types);
		}
	}
}

static sqlite3_stmt *start(
    struct db *db, const char *sql, const char *types, va_list *args)
{
	sqlite3_stmt *stmt = prepared(db, sql);
	if (!stmt)
		return NULL;
	sqlite3_reset(stmt);
	bind(stmt, types, args);
	return stmt;
}

sqlite3_stmt *db_query(struct db *db, const char *sql, const char *types, ...)
{
	va_list args;
	va_start(args, types);
	sqlite3_stmt *stmt = start(db, sql, types, &args);
	va_end(args);
	return stmt;
}

int db_step(struct db *db, sqlite3_stmt *stmt, struct errmsg *msg)
{
	if (!stmt)
		return db_error(db, msg);
	int code = sqlite3_step(stmt);
	if (code == SQLITE_ROW)
		return 1;
	return code == SQLITE_DONE ? 0 : db_error(db, msg);
}

int db_run(
    struct db *db, struct errmsg *msg, const char *sql, const char *types, ...)
{
	va_list args;
	va_start(args, types);
	sqlite3_stmt *stmt = start(db, sql, types, &args);
	va_end(args);
	int err = db_step(db, stmt, msg);
	sqlite3_reset(stmt);
	return err < 0 ? err : ERR_OK;
}

void db_reset_all(struct db *db)
{
	for (size_t i = 0; i < db->cap; i++)
		sqlite3_reset(db->statements[i].stmt);
}

int db_changes(const struct db *db)
{
	return sqlite3_changes(db->handle);
}

int db_integer(struct db *db, int64_t *value, int64_t fallback, const char *sql,
    const char *types, ...)
{
	va_list args;
	va_start(args, types);
	sqlite3_stmt *stmt = start(db, sql, types, &args);
	va_end(args);
	int err = db_step(db, stmt, NULL);
	*value = err == 1 && sqlite3_column_type(stmt, 0) != SQLITE_NULL
	    ? sqlite3_column_int64(stmt, 0)
	    : fallback;
	sqlite3_reset(stmt);
	return err < 0 ? err : ERR_OK;
}

int db_damage(const struct db *db, struct errmsg *msg)
{
	return db->corrupt
	    ? err_set(msg, ERR_CORRUPT,
		  "database: it is damaged; see sonde-collector --check-db")
	    : ERR_OK;
}

int db_inspect(const char *path, void (*finding)(void *ctx, const char *text),
    void *ctx, struct errmsg *msg)
{
	struct db db;
	struct errmsg why = { "" };
	int err = db_open(&db, path, true, &why);
	if (err == ERR_OK) {
		sqlite3_stmt *row = db_query(&db, "PRAGMA integrity_check", "");
		while ((err = db_step(&db, row, &why)) == 1)
			if (strcmp(db_column_text(row, 0), "ok") != 0)
				finding(ctx, db_column_text(row, 0));
	}
	/* What cannot even be read is a finding, not a failure of ours. */
	if (err == ERR_CORRUPT) {
		finding(ctx, why.text);
		err = ERR_OK;
	}
	if (err < 0)
		err = err_set(msg, -EIO, "%.120s: %.120s", path, why.text);
	db_close(&db);
	return err;
}

struct addr db_column_addr(sqlite3_stmt *stmt, int column)
{
	const void *bytes = sqlite3_column_blob(stmt, column);
	int len = sqlite3_column_bytes(stmt, column);
	return addr_from_bytes(bytes, bytes ? (size_t)len : 0);
}

void db_column_copy(sqlite3_stmt *stmt, int column, void *to, size_t len)
{
	const void *bytes = sqlite3_column_blob(stmt, column);
	if (bytes && (size_t)sqlite3_column_bytes(stmt, column) == len)
		memcpy(to, bytes, len);
	else
		memset(to, 0, len);
}
