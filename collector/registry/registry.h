/* SPDX-License-Identifier: ISC */
/*
 * Who may do what, and what was asked for and found: agents, tokens,
 * campaigns, alarms, events, settings.  Small, transactional, always SQLite,
 * in registry.db beside the telemetry (collector/store/store.h), so these are
 * plain functions and no seam.
 *
 * One writer, used by the writer's thread alone; any number of readers
 * (registry-reader.h).  Calls return 0 or an error; ERR_UNAVAILABLE means
 * that the transaction is lost (disk full, I/O): roll back.  Texts and blobs
 * in rows are borrowed for the callback.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/err.h"

#define REGISTRY_HISTORY_LEN 16

struct registry; /* the writing half */

struct registry_config {
	const char *dir;
	bool had_one; /* there was a registry here */
	bool begin;   /* make one where none is left */
};
struct registry_stats {
	uint64_t database_bytes, wal_bytes;
	uint64_t changes; /* only grows within a history */
};

/* Opens, creates, migrates.  ERR_UNSUPPORTED: made by a newer program;
 * -ENOENT: had_one, and it is gone. */
int registry_open(struct registry **registry,
    const struct registry_config *config, struct errmsg *msg);
/* NULL is fine. */
void registry_close(struct registry *registry);
/* Whether there is a file of it. */
bool registry_exists(const char *dir);

/* Reads all of it, in use or not, and reports each damage. */
typedef void registry_finding_fn(void *ctx, const char *text);
int registry_inspect(
    const char *dir, registry_finding_fn *fn, void *ctx, struct errmsg *msg);

/* 0, or what no retry repairs: -ESTALE (the files that are open are no longer
 * those with their names), ERR_CORRUPT (damage was met). */
int registry_fault(struct registry *registry, struct errmsg *msg);

/* One transaction at a time.  One that writes nothing syncs nothing. */
int registry_begin(struct registry *registry, struct errmsg *msg);
int registry_commit(struct registry *registry, struct errmsg *msg);
void registry_rollback(struct registry *registry);
/* Only grows: the same number before and after a job that failed means that it
 * wrote nothing. */
uint64_t registry_written(struct registry *registry);

int registry_stats(struct registry *registry, struct registry_stats *stats,
    struct errmsg *msg);
/* The id by which agents know this history; renew makes another. */
int registry_generation(struct registry *registry, bool renew,
    uint8_t generation[16], struct errmsg *msg);
/* The id that registry and telemetry of one collector share.  A registry that
 * was begun beside telemetry that is there adopts telemetry's. */
int registry_history(struct registry *registry,
    uint8_t history[REGISTRY_HISTORY_LEN], struct errmsg *msg);
int registry_adopt(struct registry *registry,
    const uint8_t history[REGISTRY_HISTORY_LEN], struct errmsg *msg);
/* A number that outlives a run; 0 when it was never set. */
int registry_setting(struct registry *registry, const char *key, int64_t *value,
    struct errmsg *msg);
int registry_set_setting(struct registry *registry, const char *key,
    int64_t value, struct errmsg *msg);
/* Adds one to the revision of all work and returns it. */
int registry_revise(
    struct registry *registry, uint64_t *revision, struct errmsg *msg);

/* Deletes the oldest events above a fixed number, some of them. */
int registry_trim_events(struct registry *registry, struct errmsg *msg);
/* Deletes alarms that ended before alarms_from_ns (0: none) and tokens that
 * expired a week before now_ns. */
int registry_trim(struct registry *registry, int64_t now_ns,
    int64_t alarms_from_ns, struct errmsg *msg);
