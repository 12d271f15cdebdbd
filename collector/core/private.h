/* SPDX-License-Identifier: ISC */
/*
 * The collector's parts and how they hang together; for collector/'s own
 * files.  Each part has its own lock and no function holds two of them.  The
 * listener is called under a lock of its own, other callbacks under none.
 */
#pragma once

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <jansson.h>

#include "collector/collector.h"
#include "collector/core/stats.h"
#include "collector/store/store.h"

struct agents;   /* agent-table.c: who they are and when we heard of them */
struct writer;   /* writer.c: the one thread that changes the store */
struct feed;     /* event-log.c */
struct readers;  /* reader-pool.c: read-only connections at rest */
struct alarms;   /* engine.c: the thread that judges series */
struct overview; /* query-overview.c: what it keeps for a moment */

struct counters {
	_Atomic uint64_t batches[INGEST_RESULTS], batch_bytes;
	_Atomic uint64_t records_stored, commits, commit_failures, commit_ns;
	_Atomic uint64_t records_expired, queries, query_failures, events;
	_Atomic uint64_t alarm_rounds, alarms_open;
	_Atomic uint64_t database_bytes, free_bytes, wal_bytes;
	_Atomic uint64_t records_per_second_milli;
};

struct collector {
	struct collector_config config; /* texts are ours */
	const struct store_ops *ops;
	struct store_config store_config;
	struct store *store; /* the writer's thread only */
	char *state_dir;
	int lock_fd;
	char generation[33];
	char *admin_token;
	struct agents *agents;
	struct writer *writer;
	struct feed *feed;
	struct readers *readers;
	struct alarms *alarms;
	struct overview *overview;
	struct counters counters;
	struct {
		_Atomic bool taken, set;
		struct errmsg why;
	} fault; /* fault.h */
	_Atomic uint64_t revision;
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

/* What the writer does for somebody. */
struct job {
	/* Inside the transaction, in the writer's thread.  0 keeps what it
	 * did to the store; an error undoes it.  May run again when the
	 * transaction was lost, so it starts afresh each time. */
	int (*run)(
	    struct collector *collector, struct job *job, struct errmsg *msg);
	/* After COMMIT, or when it came to nothing (job->err); owns the job
	 * from here on.  Called without locks. */
	void (*done)(struct collector *collector, struct job *job);
	size_t bytes; /* memory that waits with it */
	int err;
	struct errmsg msg;
	uint64_t revision; /* set by run: work has changed */
	struct job *next;
};

int writer_start(struct collector *collector, struct errmsg *msg);
/* Refuses jobs from here on, ends the queue, stops the thread. */
void writer_stop(struct collector *collector);
/* ERR_UNAVAILABLE: the queue is full; the job is still the caller's. */
int writer_submit(struct collector *collector, struct job *job);
/* Submits and waits; the job needs no done and is the caller's after. */
int writer_call(
    struct collector *collector, struct job *job, struct errmsg *msg);
void writer_queue(struct collector *collector, uint64_t *jobs, uint64_t *bytes);
bool writer_is_well(struct collector *collector, char *detail, size_t len);

/* A tick now rather than within a second, after the jobs that wait; waits for
 * its end. */
void writer_tick(struct collector *collector);

/* maintenance.c: once a second in the writer's thread, outside a transaction.
 */
void collector_tick(struct collector *collector);
/* Runs one job in a transaction of its own, in the writer's thread. */
int writer_run_now(struct collector *collector, struct job *job);

/* Readers.  get waits for nobody: it opens one more when none is at rest. */
int readers_open(struct collector *collector, struct errmsg *msg);
void readers_close(struct collector *collector);
int reader_get(struct collector *collector, struct store_reader **reader,
    struct errmsg *msg);
void reader_put(struct collector *collector, struct store_reader *reader);

/* Events.  feed_add belongs into a job's run: the event appears with its
 * COMMIT.  fields: more members of data (consumed; may be NULL). */
int feed_open(struct collector *collector, struct errmsg *msg);
void feed_close(struct collector *collector);
int feed_add(struct collector *collector, const char *type, const char *text,
    json_t *fields, struct errmsg *msg);
size_t feed_pending(struct collector *collector);
void feed_cut(struct collector *collector, size_t count); /* undo */
void feed_publish(struct collector *collector);

/* Agents in memory. */
#define AGENT_NAME_MAX 64
#define AGENT_TAGS_MAX 32

struct agent {
	int64_t row;
	uint8_t id[AGENT_ID_LEN], key[32];
	char name[AGENT_NAME_MAX + 1];
	const json_t *tags; /* borrowed, never changes */
	enum agent_state state;
	int64_t seen_wall_ns; /* 0: never */
};
int agents_open(struct collector *collector, struct errmsg *msg);
void agents_close(struct collector *collector);
/* tags is consumed. */
void agents_add(
    struct collector *collector, const struct agent *agent, json_t *tags);
bool agents_find(
    struct collector *collector, const uint8_t *id, struct agent *agent);
/* A copy of all of them, by row; the caller frees. */
size_t agents_list(struct collector *collector, struct agent **agents);
void agents_contact(struct collector *collector, const uint8_t *id);
/* True when no fork of this agent was told in the last ten minutes; then
 * counts as told. */
bool agents_fork_is_news(struct collector *collector, const uint8_t *id);
/* The next agent whose state is not what it was; it is from then on. */
bool agents_next_change(struct collector *collector, struct agent *agent);
/* The next agent whose last contact is not in the store; it is from then
 * on. */
bool agents_next_unsaved(struct collector *collector, struct agent *agent);

/* engine.c */
int alarms_start(struct collector *collector, struct errmsg *msg);
void alarms_stop(struct collector *collector);
/* Judges every series up to now; what changed goes through the writer. */
int alarms_round(struct collector *collector, struct errmsg *msg);

/* announce.c: what a stored batch tells the feed. */
int ingest_tell(struct collector *collector, const struct agent *agent,
    const struct prepared_batch *batch, const struct store_outcome *outcome,
    struct errmsg *msg);

/* Levels of rollups. */
bool collector_has_level(const struct collector *collector, uint32_t bin_s);
/* The coarsest level that still gives about `bins` bins over a range. */
uint32_t collector_level_for(const struct collector *collector,
    const struct store_range *range, unsigned bins);
