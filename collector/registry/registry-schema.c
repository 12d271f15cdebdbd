/* SPDX-License-Identifier: ISC */
/*
 * The registry's tables, as steps (lib/sqlite/db-schema.h).  Times are ns
 * since 1970 (UTC).  An agent's id here is its row in telemetry too, and is
 * never given to another.
 */
#include "collector/registry/registry-schema.h"

static const char step_registry[] =
    "CREATE TABLE meta ("
    " key TEXT PRIMARY KEY, value) WITHOUT ROWID;"
    "INSERT INTO meta VALUES ('generation', randomblob(16)),"
    " ('history', randomblob(16)), ('revision', 1);"
    "CREATE TABLE agents ("
    " id INTEGER PRIMARY KEY,"
    " agent BLOB NOT NULL UNIQUE,"
    " public_key BLOB NOT NULL,"
    " name TEXT NOT NULL UNIQUE,"
    " tags TEXT NOT NULL,"    /* JSON array */
    " version TEXT NOT NULL," /* when it enrolled */
    " enrolled_ns INTEGER NOT NULL,"
    " seen_ns INTEGER NOT NULL DEFAULT 0,"
    /* Events of records below this number have been written. */
    " announced_epoch INTEGER NOT NULL DEFAULT 0,"
    " announced_next INTEGER NOT NULL DEFAULT 0);"
    /* Rows that telemetry knows of agents that are not enrolled here. */
    "CREATE TABLE reserved ("
    " id INTEGER PRIMARY KEY,"
    " agent BLOB NOT NULL UNIQUE);"
    "CREATE TABLE tokens ("
    " hash BLOB PRIMARY KEY,"
    " name TEXT,"
    " tags TEXT NOT NULL,"
    " made_ns INTEGER NOT NULL,"
    " expires_ns INTEGER NOT NULL,"
    " used_ns INTEGER NOT NULL DEFAULT 0,"
    " agent INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID;"
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
    "CREATE TABLE alarms ("
    " id INTEGER PRIMARY KEY AUTOINCREMENT,"
    " detector TEXT NOT NULL,"
    " bin_s INTEGER NOT NULL,"
    /* The subject: a series of sightings, of one agent or (0) of all. */
    " verdict TEXT NOT NULL,"
    " signature TEXT NOT NULL,"
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
    /* An agent's alarm looks for the one of all agents around it. */
    "CREATE INDEX alarms_subject"
    " ON alarms (signature, verdict, agent, onset_ns);"
    "CREATE TABLE events ("
    " id INTEGER PRIMARY KEY AUTOINCREMENT,"
    " at_ns INTEGER NOT NULL,"
    " type TEXT NOT NULL,"
    " data TEXT NOT NULL);";

static const char step_result_schemas[] =
    "CREATE TABLE result_schemas ("
    " id INTEGER PRIMARY KEY,"
    " hash BLOB NOT NULL UNIQUE,"
    " script TEXT NOT NULL,"
    " agent INTEGER NOT NULL," /* the first that brought it */
    " first_ns INTEGER NOT NULL,"
    " body BLOB NOT NULL);" /* a packed ResultSchema */
    "CREATE INDEX result_schemas_agent ON result_schemas (agent);";

/* When an agent announced it last. */
static const char step_result_schemas_used[] =
    "ALTER TABLE result_schemas ADD COLUMN last_ns INTEGER NOT NULL"
    " DEFAULT 0;"
    "UPDATE result_schemas SET last_ns = first_ns;";

/* What detectors know of each subject. */
static const char step_detectors[] =
    "CREATE TABLE detector_states ("
    " bin_s INTEGER, detector TEXT, verdict TEXT, signature TEXT,"
    " agent INTEGER,"
    " next_s INTEGER NOT NULL," /* the bin it waits for */
    " last_s INTEGER NOT NULL,"
    " state BLOB NOT NULL,"
    " PRIMARY KEY (bin_s, detector, verdict, signature, agent))"
    " WITHOUT ROWID;";

static const char step_event_types[] = REGISTRY_RENAME_EVENTS;

/* The newest that an agent said of each interface that its sensor watches. */
static const char step_coverage[] =
    "CREATE TABLE coverage ("
    " agent INTEGER, interface TEXT,"
    " state TEXT NOT NULL, why TEXT NOT NULL,"
    " since_ns INTEGER NOT NULL, last_ns INTEGER NOT NULL,"
    " heard_ns INTEGER NOT NULL, ring_bytes INTEGER NOT NULL,"
    " PRIMARY KEY (agent, interface)) WITHOUT ROWID;";

static const char *const steps[] = { step_registry, step_result_schemas,
	step_result_schemas_used, step_detectors, step_event_types,
	step_coverage };

const struct db_schema registry_schema = { steps,
	sizeof(steps) / sizeof(steps[0]) };
