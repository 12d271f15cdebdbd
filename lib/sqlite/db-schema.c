/* SPDX-License-Identifier: ISC */
/* A step and its stamp are one transaction, so what was interrupted goes on
 * where it stood. */
#include "lib/sqlite/db-schema.h"

static int take_step(struct db *db, const struct db_schema *schema, int version,
    struct errmsg *msg)
{
	char stamp[48];
	sqlite3_snprintf(
	    sizeof(stamp), stamp, "PRAGMA user_version = %d", version + 1);
	int err = db_script(db, "BEGIN IMMEDIATE", msg);
	if (err < 0)
		goto out;
	err = db_script(db, schema->steps[version], msg);
	if (err < 0)
		goto out;
	err = db_script(db, stamp, msg);
	if (err < 0)
		goto out;
	err = db_script(db, "COMMIT", msg);
out:
	if (err < 0) {
		err_prefix(msg, "schema version %d", version + 1);
		if (!sqlite3_get_autocommit(db->handle))
			db_script(db, "ROLLBACK", NULL);
	}
	return err;
}

int db_version(struct db *db, int *version, struct errmsg *msg)
{
	int64_t value;
	int err = db_integer(db, &value, 0, "PRAGMA user_version", "");
	if (err < 0)
		return db_error(db, msg);
	*version = (int)value;
	return ERR_OK;
}

int db_migrate(
    struct db *db, const struct db_schema *schema, int to, struct errmsg *msg)
{
	int version = 0;
	int err = db_version(db, &version, msg);
	if (err < 0)
		return err;
	if (version > schema->count)
		return err_set(msg, ERR_UNSUPPORTED,
		    "database: made by a newer version (schema %d, we know "
		    "%d)",
		    version, schema->count);
	for (; version < (to ? to : schema->count); version++) {
		err = take_step(db, schema, version, msg);
		if (err < 0)
			return err;
	}
	return ERR_OK;
}
