/* SPDX-License-Identifier: ISC */
/* Numbers about the collector itself: /metrics prints them, /healthz judges
 * them. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <jansson.h>

#include "collector/core/agent-table.h"

/* How a batch ended: collector/ingest/ingest.h. */
enum ingest_result {
	INGEST_STORED,        /* 200: committed; send from `next` on */
	INGEST_DUPLICATE,     /* 200: was committed before */
	INGEST_GAP,           /* 409: send from `next` on */
	INGEST_FORKED,        /* 409: the same numbers with other bytes */
	INGEST_MALFORMED,     /* 400 */
	INGEST_IMPLAUSIBLE,   /* 400: numbers that no agent can have reached */
	INGEST_TOO_BIG,       /* 413: the header or the body exceeds a limit */
	INGEST_BOMB,          /* 413: unpacks to more than it may */
	INGEST_UNKNOWN_AGENT, /* 401 */
	INGEST_SIGNATURE,     /* 401 */
	INGEST_BUSY,          /* 503 with Retry-After: nothing was kept */
	INGEST_RESULTS
};

struct collector_metrics {
	/* counters, since this process started */
	uint64_t batches[INGEST_RESULTS]; /* by result */
	uint64_t batch_bytes;             /* bodies received */
	uint64_t records_stored;
	uint64_t records_lost; /* declared by agents */
	uint64_t commits, commit_failures;
	double commit_seconds;    /* in COMMIT, all together */
	uint64_t records_expired; /* raw rows let go by retention */
	uint64_t rollups_bounded; /* counted under "(more)" */
	uint64_t queries, query_failures;
	uint64_t events;
	uint64_t alarm_rounds;
	uint64_t result_schemas_refused; /* above an agent's bound */
	/* gauges */
	uint64_t queue_batches, queue_bytes;
	uint64_t database_bytes, wal_bytes;
	uint64_t agents[AGENT_STATES];
	uint64_t alarms_open;
	uint64_t alarm_subjects_unjudged; /* above the bound */
	double start_time_s;              /* Unix time */
};
void collector_metrics(
    struct collector *collector, struct collector_metrics *metrics);

/* True: every check passes.  *checks: {"writer": {"status", "detail"}, ...},
 * new. */
bool collector_health(struct collector *collector, json_t **checks);

extern const struct part stats_part;
