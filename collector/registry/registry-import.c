/* SPDX-License-Identifier: ISC */
/* One database became two: the older program's tables, as its version 4 has
 * them. */
#include "collector/registry/registry-import.h"

#include "collector/registry/registry-private.h"
#include "collector/registry/registry-schema.h"

static const char copy_sql[] =
    "BEGIN IMMEDIATE;"
    "DELETE FROM agents; DELETE FROM reserved; DELETE FROM tokens;"
    "DELETE FROM campaigns; DELETE FROM alarms; DELETE FROM events;"
    "DELETE FROM sqlite_sequence;"
    "INSERT OR REPLACE INTO meta SELECT key, value FROM old.meta"
    " WHERE key IN ('generation', 'revision');"
    "INSERT INTO agents (id, agent, public_key, name, tags, version,"
    " enrolled_ns, seen_ns)"
    " SELECT id, agent, public_key, name, tags, version, enrolled_ns,"
    " seen_ns FROM old.agents;"
    "INSERT INTO tokens (hash, name, tags, made_ns, expires_ns, used_ns,"
    " agent) SELECT hash, name, tags, made_ns, expires_ns, used_ns, agent"
    " FROM old.tokens;"
    "INSERT INTO campaigns (id, campaign, script, targets, options,"
    " selectors, every_s, until_ns, created_ns, stopped_ns)"
    " SELECT id, campaign, script, targets, options, selectors, every_s,"
    " until_ns, created_ns, stopped_ns FROM old.campaigns;"
    "INSERT INTO alarms (id, detector, bin_s, verdict, signature, agent,"
    " direction, onset_ns, detected_ns, ended_ns, observed, expected, test,"
    " run_length)"
    " SELECT l.id, 'spikes', l.bin_s, k.verdict, k.signature, l.agent,"
    " l.direction, l.onset_ns, l.detected_ns, l.ended_ns, l.observed,"
    " l.expected, l.test, l.run_length"
    " FROM old.alarms l JOIN old.kinds k ON k.id = l.kind;"
    "INSERT INTO events (id, at_ns, type, data)"
    " SELECT id, at_ns, type, data FROM old.events;" REGISTRY_RENAME_EVENTS
    /* The counters outlive the rows. */
    "DELETE FROM sqlite_sequence;"
    "INSERT INTO sqlite_sequence SELECT name, seq FROM old.sqlite_sequence"
    " WHERE name IN ('alarms', 'events');"
    "COMMIT;";

int registry_import(
    struct registry *registry, const char *path, struct errmsg *msg)
{
	struct db *db = &registry->db;
	int err = db_run(db, msg, "ATTACH ?1 AS old", "t", path);
	if (err < 0) {
		err_prefix(msg, "%.120s", path);
		return err;
	}
	err = db_script(db, copy_sql, msg);
	if (err < 0)
		err_prefix(msg, "registry.db: taking over %.100s", path);
	if (!sqlite3_get_autocommit(db->handle))
		db_script(db, "ROLLBACK", NULL);
	db_reset_all(db);
	db_script(db, "DETACH old", NULL);
	return err;
}
