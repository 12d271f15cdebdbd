/* SPDX-License-Identifier: ISC */
#include "collector/registry/registry-reader.h"

#include <stdlib.h>

#include "collector/registry/registry-private.h"
#include "lib/base/xalloc.h"

void registry_reader_close(struct registry_reader *reader)
{
	if (!reader)
		return;
	db_close(&reader->db);
	free(reader);
}

int registry_reader_open(
    struct registry_reader **reader, const char *dir, struct errmsg *msg)
{
	struct registry_reader *made = xcalloc(1, sizeof(*made));
	char *path = xasprintf("%s/registry.db", dir);
	int err = db_open(&made->db, path, true, msg);
	free(path);
	if (err < 0)
		goto out;
	err = db_script(&made->db,
	    "PRAGMA query_only = ON;"
	    "PRAGMA temp_store = MEMORY;"
	    "PRAGMA cache_size = -1024;",
	    msg);
	if (err < 0)
		goto out;
	*reader = made;
	return ERR_OK;
out:
	registry_reader_close(made);
	return err;
}

int registry_reader_begin(struct registry_reader *reader, struct errmsg *msg)
{
	reader->msg = (struct errmsg){ "" };
	return db_run(&reader->db, msg, "BEGIN", "");
}

void registry_reader_end(struct registry_reader *reader)
{
	db_reset_all(&reader->db);
	if (!sqlite3_get_autocommit(reader->db.handle))
		db_run(&reader->db, NULL, "COMMIT", "");
}

const char *registry_reader_error(const struct registry_reader *reader)
{
	return reader->msg.text[0] ? reader->msg.text : NULL;
}

int registry_reader_fault(struct registry_reader *reader, struct errmsg *msg)
{
	return db_damage(&reader->db, msg);
}
