/* SPDX-License-Identifier: ISC */
/* Shared by the files of the registry; no other file includes this. */
#pragma once

#include "collector/registry/registry.h"
#include "lib/sqlite/db-files.h"
#include "lib/sqlite/db.h"

struct registry {
	struct db db;
	char *path;
	struct db_files files; /* as they were opened */
};
struct registry_reader {
	struct db db;
	struct errmsg msg;
};

static inline int registry_next(
    struct registry_reader *reader, sqlite3_stmt *row)
{
	return db_step(&reader->db, row, &reader->msg);
}
