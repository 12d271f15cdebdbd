/* SPDX-License-Identifier: ISC */
/*
 * What the parts of the collector hang in; for collector/'s own files.  Each
 * part has its own lock and no function holds two of them.  The listener is
 * called under a lock of its own, other callbacks under none.
 */
#pragma once

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "collector/core/config.h"
#include "collector/core/listener.h"
#include "collector/core/stats.h"
#include "collector/core/chore-log.h"
#include "collector/core/trusted-clock.h"
#include "collector/registry/registry.h"
#include "collector/store/store.h"

struct agents;    /* agent-table.c: who they are and when we heard of them */
struct writer;    /* writer.c: the one thread that takes batches in */
struct upkeep;    /* upkeep.c: the thread of chores beside it */
struct event_log; /* event-log.c */
struct readers;   /* reader-pool.c: read-only connections at rest */
struct alarms;    /* engine.c: the thread that judges series */
struct result_schemas; /* result-schemas.c */
struct overview;       /* query-overview.c: what it keeps for a moment */

struct collector_counters {
	_Atomic uint64_t batches[INGEST_RESULTS], batch_bytes;
	_Atomic uint64_t records_stored, records_lost, commits, commit_failures,
	    commit_ns;
	_Atomic uint64_t records_expired, queries, query_failures, events;
	_Atomic uint64_t alarm_rounds, alarms_open, alarm_subjects_unjudged;
	_Atomic uint64_t result_schemas_refused;
	_Atomic uint64_t database_bytes, free_bytes, wal_bytes;
	_Atomic uint64_t registry_bytes, registry_wal_bytes;
	_Atomic uint64_t records_per_second_milli;
	_Atomic uint64_t rollups_bounded;
};

struct collector {
	struct collector_config config;  /* texts are ours */
	const struct part *const *parts; /* NULL ends; collector.c */
	const struct store_ops *ops;
	struct store_config store_config;
	struct store *store;
	struct registry *registry; /* the writer's thread only */
	char *state_dir;
	int lock_fd;
	char generation[33];
	uint8_t history[REGISTRY_HISTORY_LEN];
	char *admin_token;
	struct agents *agents;
	struct writer *writer;
	struct upkeep *upkeep;
	struct event_log *event_log;
	struct readers *readers;
	struct alarms *alarms;
	struct result_schemas *result_schemas;
	struct overview *overview;
	struct collector_counters counters;
	struct {
		_Atomic bool taken, set;
		struct errmsg why;
	} fault; /* fault.h */
	struct trusted_clock trusted;
	struct chore_log retention_log, database_log;
	uint64_t events_trimmed_at; /* the newest event's id then */
	_Atomic uint64_t revision;
	_Atomic uint64_t paths_revision; /* grows when sums of paths change */
	struct walltime started;
	uint64_t tick_stored; /* records_stored a second ago */
	pthread_mutex_t listener_lock;
	struct collector_listener listener;
};

static inline struct walltime collector_wall(const struct collector *c)
{
	const struct collector_clock *clock = c->config.clock;
	return clock ? clock->wall(clock->ctx) : walltime_now();
}

static inline struct monotime collector_mono(const struct collector *c)
{
	const struct collector_clock *clock = c->config.clock;
	return clock ? clock->mono(clock->ctx) : monotime_now();
}
