/* SPDX-License-Identifier: ISC */
#include "collector/store/sqlite/legacy.h"

#include <stdlib.h>
#include <sys/stat.h>

#include "collector/store/sqlite/partition-set.h"
#include "collector/store/sqlite/schema.h"
#include "collector/store/sqlite/migrate.h"
#include "lib/base/xalloc.h"

#define LAST_WITH_BOTH 4

static int raise_version(struct db *db, int *version, struct errmsg *msg)
{
	int err = db_version(db, version, msg);
	if (err < 0 || *version == 0 || *version > LAST_WITH_BOTH)
		return err;
	return db_migrate(db, &store_schema, LAST_WITH_BOTH, msg);
}

int legacy_find(const char *dir, char **path, struct errmsg *msg)
{
	struct db db;
	struct stat st;
	int version = 0;
	*path = NULL;
	char *name = xasprintf("%s/sonde.db", dir);
	int err = ERR_OK;
	if (stat(name, &st) < 0 || st.st_size == 0)
		goto out;
	err = db_open(&db, name, false, msg);
	if (err < 0)
		goto out;
	err = raise_version(&db, &version, msg);
	db_close(&db);
	if (err < 0)
		err_prefix(msg, "%s", name);
	else if (version > 0 && version <= LAST_WITH_BOTH) {
		*path = name;
		name = NULL;
	}
out:
	free(name);
	return err;
}

bool store_files_exist(const char *dir)
{
	char *telemetry = xasprintf("%s/telemetry", dir);
	bool there = store_has_old_file(dir) || partitions_exist(telemetry);
	free(telemetry);
	return there;
}
