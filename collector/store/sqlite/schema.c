/* SPDX-License-Identifier: ISC */
/*
 * The tables, as a list of steps (lib/sqlite/db-schema.h).
 *
 * Times are ns since 1970 (UTC), bins are seconds.  Tables that are only
 * reached by their key have no rowid; records have one, because it is the
 * order of arrival and their bodies are large.
 */
#include "collector/store/sqlite/schema.h"

/* 1: what exactly once needs */
static const char step_ingest[] =
    "CREATE TABLE meta ("
    " key TEXT PRIMARY KEY, value) WITHOUT ROWID;"
    "INSERT INTO meta VALUES ('generation', randomblob(16));"
    "CREATE TABLE agents ("
    " id INTEGER PRIMARY KEY,"
    " agent BLOB NOT NULL UNIQUE,"
    " public_key BLOB NOT NULL,"
    " name TEXT NOT NULL UNIQUE,"
    " tags TEXT NOT NULL,"
    " version TEXT NOT NULL,"
    " enrolled_ns INTEGER NOT NULL,"
    " seen_ns INTEGER NOT NULL DEFAULT 0,"
    " heard_ns INTEGER NOT NULL DEFAULT 0," /* wall of last heartbeat */
    " epoch INTEGER NOT NULL DEFAULT 0,"
    " stored INTEGER NOT NULL DEFAULT 0,"
    " lost INTEGER NOT NULL DEFAULT 0,"
    " heartbeat BLOB);"
    "CREATE TABLE tokens ("
    " hash BLOB PRIMARY KEY,"
    " name TEXT,"
    " tags TEXT NOT NULL,"
    " made_ns INTEGER NOT NULL,"
    " expires_ns INTEGER NOT NULL,"
    " used_ns INTEGER NOT NULL DEFAULT 0,"
    " agent INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID;"
    "CREATE TABLE watermarks ("
    " agent INTEGER, epoch INTEGER,"
    " next INTEGER NOT NULL,"
    " stored INTEGER NOT NULL,"
    " lost INTEGER NOT NULL,"
    " chain BLOB NOT NULL,"
    " PRIMARY KEY (agent, epoch)) WITHOUT ROWID;"
    "CREATE TABLE batches ("
    " agent INTEGER, epoch INTEGER, first_seq INTEGER,"
    " count INTEGER NOT NULL,"
    " digest BLOB NOT NULL,"
    " PRIMARY KEY (agent, epoch, first_seq)) WITHOUT ROWID;"
    "CREATE TABLE records ("
    " id INTEGER PRIMARY KEY,"
    " agent INTEGER NOT NULL,"
    " epoch INTEGER NOT NULL,"
    " seq INTEGER NOT NULL,"
    " wall_ns INTEGER NOT NULL,"
    " received_ns INTEGER NOT NULL,"
    " kind INTEGER NOT NULL,"
    " campaign BLOB, run INTEGER,"
    " src BLOB, dst BLOB,"
    " body BLOB NOT NULL,"
    " UNIQUE (agent, epoch, seq));"
    "CREATE INDEX records_time ON records (wall_ns);"
    "CREATE INDEX records_campaign ON records (campaign, run, wall_ns)"
    " WHERE campaign IS NOT NULL;"
    "CREATE INDEX records_dst ON records (dst, wall_ns)"
    " WHERE dst IS NOT NULL;"
    /* A source is only selective where it is not the agent's own. */
    "CREATE INDEX records_src ON records (src, wall_ns)"
    " WHERE src IS NOT NULL AND dst IS NULL;"
    "CREATE TABLE losses ("
    " id INTEGER PRIMARY KEY,"
    " agent INTEGER NOT NULL,"
    " wall_ns INTEGER NOT NULL,"
    " epoch INTEGER NOT NULL,"
    " from_seq INTEGER NOT NULL,"
    " to_seq INTEGER NOT NULL,"
    " unnumbered INTEGER NOT NULL,"
    " reason TEXT NOT NULL);";

/* 2: what pages read */
static const char step_rollups[] =
    "CREATE TABLE kinds ("
    " id INTEGER PRIMARY KEY,"
    " verdict TEXT NOT NULL,"
    " signature TEXT NOT NULL,"
    " sources INTEGER NOT NULL DEFAULT 0,"
    " packets INTEGER NOT NULL DEFAULT 0,"
    " first_ns INTEGER NOT NULL,"
    " last_ns INTEGER NOT NULL,"
    " UNIQUE (verdict, signature));"
    "CREATE TABLE seen ("
    " kind INTEGER, src BLOB,"
    " last_ns INTEGER NOT NULL,"
    " PRIMARY KEY (kind, src)) WITHOUT ROWID;"
    /* Distinct sources are counted when their first row of a bin comes:
     * exact, across agents too, as long as the bin's rows are kept. */
    "CREATE TABLE sources ("
    " bin_s INTEGER, bin INTEGER, kind INTEGER, src BLOB,"
    " agent INTEGER, proto INTEGER, dport INTEGER,"
    " packets INTEGER NOT NULL,"
    " targets INTEGER NOT NULL,"
    " first_ns INTEGER NOT NULL,"
    " last_ns INTEGER NOT NULL,"
    " payload BLOB,"
    " spoofable INTEGER NOT NULL,"
    " PRIMARY KEY (bin_s, bin, kind, src, agent, proto, dport))"
    " WITHOUT ROWID;"
    "CREATE TABLE series (" /* agent 0: the fleet */
    " bin_s INTEGER, kind INTEGER, agent INTEGER, bin INTEGER,"
    " sources INTEGER NOT NULL,"
    " packets INTEGER NOT NULL,"
    " PRIMARY KEY (bin_s, kind, agent, bin)) WITHOUT ROWID;"
    "CREATE TABLE watch ("
    " bin_s INTEGER, bin INTEGER, agent INTEGER,"
    " PRIMARY KEY (bin_s, bin, agent)) WITHOUT ROWID;"
    "CREATE TABLE payloads ("
    " hash BLOB PRIMARY KEY,"
    " octets BLOB NOT NULL,"
    " size_bytes INTEGER NOT NULL,"
    " first_ns INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE paths ("
    " id INTEGER PRIMARY KEY,"
    " agent INTEGER NOT NULL,"
    " digest BLOB NOT NULL,"
    " src BLOB, dst BLOB,"
    " hops BLOB NOT NULL,"
    " last_day INTEGER NOT NULL,"
    " UNIQUE (agent, digest));"
    "CREATE TABLE path_hops ("
    " addr BLOB, path INTEGER,"
    " PRIMARY KEY (addr, path)) WITHOUT ROWID;"
    "CREATE TABLE path_bins ("
    " bin_s INTEGER, bin INTEGER, path INTEGER,"
    " traces INTEGER NOT NULL,"
    " reached INTEGER NOT NULL,"
    " first_ns INTEGER NOT NULL,"
    " last_ns INTEGER NOT NULL,"
    " sums BLOB NOT NULL,"
    " PRIMARY KEY (bin_s, bin, path)) WITHOUT ROWID;";

/* 3: what is handed out, and what is found */
static const char step_campaigns[] =
    "INSERT INTO meta VALUES ('revision', 1);"
    "CREATE TABLE campaigns ("
    " id INTEGER PRIMARY KEY,"
    " campaign BLOB NOT NULL UNIQUE,"
    " script TEXT NOT NULL,"
    " targets TEXT NOT NULL,"
    " options TEXT NOT NULL,"
    " selectors TEXT NOT NULL,"
    " every_s INTEGER NOT NULL,"
    " until_ns INTEGER NOT NULL,"
    " created_ns INTEGER NOT NULL,"
    " stopped_ns INTEGER NOT NULL DEFAULT 0);"
    "CREATE TABLE runs ("
    " id INTEGER PRIMARY KEY,"
    " campaign BLOB NOT NULL,"
    " run INTEGER NOT NULL,"
    " agent INTEGER NOT NULL,"
    " first_ns INTEGER NOT NULL,"
    " last_ns INTEGER NOT NULL,"
    " records INTEGER NOT NULL,"
    " UNIQUE (campaign, agent, run));"
    "CREATE TABLE alarms ("
    " id INTEGER PRIMARY KEY AUTOINCREMENT,"
    " bin_s INTEGER NOT NULL,"
    " kind INTEGER NOT NULL,"
    " agent INTEGER NOT NULL,"
    " direction INTEGER NOT NULL,"
    " onset_ns INTEGER NOT NULL,"
    " detected_ns INTEGER NOT NULL,"
    " ended_ns INTEGER NOT NULL,"
    " observed REAL NOT NULL,"
    " expected REAL NOT NULL,"
    " test TEXT NOT NULL,"
    " run_length REAL NOT NULL);"
    "CREATE INDEX alarms_onset ON alarms (onset_ns);"
    "CREATE INDEX alarms_open ON alarms (id) WHERE ended_ns = 0;"
    "CREATE TABLE events ("
    " id INTEGER PRIMARY KEY AUTOINCREMENT,"
    " at_ns INTEGER NOT NULL,"
    " type TEXT NOT NULL,"
    " data TEXT NOT NULL);";

/* 4: runs that failed, alarms of one outbreak */
static const char step_failures[] =
    "ALTER TABLE runs ADD COLUMN error TEXT;" /* NULL: none is known */
    "CREATE INDEX runs_failed ON runs (campaign, last_ns)"
    " WHERE error IS NOT NULL;"
    /* An agent's alarm looks for the one of all agents around it. */
    "CREATE INDEX alarms_kind ON alarms (kind, agent, onset_ns);";

/* 5: telemetry alone; the rest went to the registry's own database before
 * (collector/registry/registry-import.h) */
static const char step_telemetry[] =
    "DROP TABLE tokens; DROP TABLE campaigns; DROP TABLE alarms;"
    "DROP TABLE events;"
    "DELETE FROM meta WHERE key IN ('generation', 'revision');"
    "CREATE TABLE agents_telemetry ("
    " id INTEGER PRIMARY KEY,"
    " agent BLOB NOT NULL UNIQUE,"
    " version TEXT NOT NULL DEFAULT '',"
    " epoch INTEGER NOT NULL DEFAULT 0,"
    " stored INTEGER NOT NULL DEFAULT 0,"
    " lost INTEGER NOT NULL DEFAULT 0,"
    " heard_ns INTEGER NOT NULL DEFAULT 0," /* wall of last heartbeat */
    " heartbeat BLOB);"
    "INSERT INTO agents_telemetry (id, agent, version, epoch, stored, lost,"
    " heard_ns, heartbeat) SELECT id, agent, version, epoch, stored, lost,"
    " heard_ns, heartbeat FROM agents;"
    "DROP TABLE agents;"
    "ALTER TABLE agents_telemetry RENAME TO agents;";

static const char *const steps[] = {
	step_ingest,
	step_rollups,
	step_campaigns,
	step_failures,
	step_telemetry,
};

const struct db_schema store_schema = { steps,
	sizeof(steps) / sizeof(steps[0]) };
