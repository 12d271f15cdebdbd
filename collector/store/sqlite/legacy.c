/* SPDX-License-Identifier: ISC */
#include "collector/store/sqlite/legacy.h"

#include <stdlib.h>
#include <sys/stat.h>

#include "collector/store/sqlite/partition-set.h"
#include "collector/store/sqlite/schema.h"
#include "collector/store/sqlite/migrate.h"
#include "lib/base/xalloc.h"

#define LAST_WITH_BOTH 4
/* store_write_stub makes two pages. */
#define STUB_MOST_BYTES 8192

static int raise_version(struct db *db, int *version, struct errmsg *msg)
{
	int err = db_version(db, version, msg);
	if (err < 0 || *version == 0 || *version > LAST_WITH_BOTH)
		return err;
	return db_migrate(db, &store_schema, LAST_WITH_BOTH, msg);
}

/* What is in the way, by what it can be: an older version's database has many
 * more pages than the stub. */
static int describe_damage(
    const char *name, off_t bytes, int err, struct errmsg *msg)
{
	if (err != ERR_CORRUPT || !msg) {
		err_prefix(msg, "%s", name);
		return err;
	}
	const struct errmsg why = *msg;
	return bytes <= STUB_MOST_BYTES
	    ? err_set(msg, err,
		  "%.100s: expected the stub that stands where an older "
		  "version's database was, got: %.40s; there is nothing in it: "
		  "remove it and start again",
		  name, why.text)
	    : err_set(msg, err,
		  "%.100s: expected an older version's database, got: %.40s; "
		  "put a backup in its place, or remove it where its records "
		  "were taken over into telemetry/",
		  name, why.text);
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
	if (err == ERR_OK && version > 0 && version <= LAST_WITH_BOTH) {
		*path = name;
		name = NULL;
	}
out:
	if (err < 0)
		err = describe_damage(name, st.st_size, err, msg);
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
