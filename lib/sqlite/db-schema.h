/* SPDX-License-Identifier: ISC */
/*
 * Schemas as lists of steps.  A database says in user_version how many it has
 * taken; a released step never changes, the next one repairs it.
 */
#pragma once

#include "lib/sqlite/db.h"

struct db_schema {
	const char *const *steps; /* scripts */
	int count;
};

/* Brings an open database up to version `to` (0: the newest), each step in a
 * transaction of its own.  ERR_UNSUPPORTED: made by a newer program. */
int db_migrate(
    struct db *db, const struct db_schema *schema, int to, struct errmsg *msg);
int db_version(struct db *db, int *version, struct errmsg *msg);
