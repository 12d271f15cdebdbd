/* SPDX-License-Identifier: ISC */
/*
 * Each table that a script records as a table of SQL, result_SCRIPT_TABLE
 * ('-' and '.' become '_'), over the table `records` of the same connection:
 *
 *   _agent, _epoch, _seq, _wall_ns, _campaign, _run as `records` has them, then
 *   the columns of the schema: integers, times, durations and booleans as
 *   INTEGER, numbers and rates REAL, octets BLOB, lists a JSON array, all else
 *   TEXT.
 *
 * Rows of all known versions of the script's schema are there, by the columns
 * of the newest.  Conditions on _wall_ns, _agent, _campaign and _run are handed
 * to `records`, and so is ORDER BY _wall_ns DESC.
 */
#pragma once

#include <sqlite3.h>
#include <stddef.h>

#include "lib/base/err.h"
#include "lib/record/result.h"

/* Declares the tables on a connection that has `records`.  schemas: newest
 * first; they must outlive the connection.  A table whose name is taken (by
 * another script that is spelled alike) is left out. */
int result_tables_declare(sqlite3 *db,
    const struct result_schema *const *schemas, size_t count,
    struct errmsg *msg);
