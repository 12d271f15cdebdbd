/* SPDX-License-Identifier: ISC */
/*
 * The one table of record kinds: what a record's body is called, how long an
 * agent's spool keeps it when room is short, and which processes may produce
 * it.  A kind is a member of the oneof in lib/record/record.proto, a row here,
 * and a file in collector/ingest/kinds/.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/record/record.pb-c.h"

/* What the spool drops first when its disk bound is reached. */
enum spool_class {
	SPOOL_COUNTERS, /* heartbeats, logs: lost first */
	SPOOL_RESULTS,  /* traces, pings, results of scripts */
	SPOOL_ALERTS,   /* sightings, payloads, gaps: kept longest */
	SPOOL_CLASSES
};

/* What a process of the agent is to its keeper; a set of these. */
#define RECORD_BY_SCRIPT 1u
#define RECORD_BY_SENSOR 2u
#define RECORD_BY_LOGGER 4u /* it only logs */
#define RECORD_BY_KEEPER 8u
#define RECORD_BY_ANY                                             \
	(RECORD_BY_SCRIPT | RECORD_BY_SENSOR | RECORD_BY_LOGGER | \
	    RECORD_BY_KEEPER)

/* X(name in the oneof, its name in capitals, spool class, producers), in the
 * order of their numbers. */
#define RECORD_KINDS(X)                                                 \
	X(trace, TRACE, SPOOL_RESULTS, RECORD_BY_SCRIPT)                \
	X(ping, PING, SPOOL_RESULTS, RECORD_BY_SCRIPT)                  \
	X(paths, PATHS, SPOOL_RESULTS, RECORD_BY_SCRIPT)                \
	X(train, TRAIN, SPOOL_RESULTS, RECORD_BY_SCRIPT)                \
	X(sighting, SIGHTING, SPOOL_ALERTS, RECORD_BY_SENSOR)           \
	X(payload, PAYLOAD, SPOOL_ALERTS, RECORD_BY_SENSOR)             \
	X(heartbeat, HEARTBEAT, SPOOL_COUNTERS, RECORD_BY_KEEPER)       \
	X(gap, GAP, SPOOL_ALERTS, RECORD_BY_KEEPER)                     \
	X(log, LOG, SPOOL_COUNTERS, RECORD_BY_ANY)                      \
	X(result_schema, RESULT_SCHEMA, SPOOL_ALERTS, RECORD_BY_SCRIPT) \
	X(result, RESULT, SPOOL_RESULTS, RECORD_BY_SCRIPT)              \
	X(coverage, COVERAGE, SPOOL_ALERTS, RECORD_BY_SENSOR)           \
	X(evidence, EVIDENCE, SPOOL_ALERTS, RECORD_BY_SENSOR)

struct record_kind {
	Sonde__Record__BodyCase body; /* its number in the oneof */
	const char *name;             /* stable, lower case: "trace" */
	enum spool_class class;
	unsigned producers; /* RECORD_BY_* */
};

/* All kinds; ends with a NULL name. */
extern const struct record_kind record_kinds[];
/* NULL: no such kind. */
const struct record_kind *record_kind_of(Sonde__Record__BodyCase body);
const struct record_kind *record_kind_find(const char *name, size_t name_len);
/* The name, or NULL. */
const char *record_kind_name(Sonde__Record__BodyCase body);
