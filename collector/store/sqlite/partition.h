/* SPDX-License-Identifier: ISC */
/*
 * Partitions: one SQLite file an arrival day, STATE/telemetry/NNNNNNNN.db,
 * written only while it is the newest and dropped whole.  Each has the
 * watermarks of all agents as they stood when it was made and since, so what
 * decides about a batch and what stores it are one file and one transaction.
 *
 * Block ids are one ascending number over all partitions.
 */
#pragma once

#include <pthread.h>
#include <stdatomic.h>

#include "collector/store/plan.h"
#include "lib/sqlite/db-files.h"
#include "lib/sqlite/db.h"

#define PARTITION_VERSION 1
#define RUN_BLOCKS 256 /* whose keys are written together */

/* A read-only connection to one. */
struct partition_reader {
	struct db db;
	struct partition *partition;
	struct partition_reader *next; /* at rest */
};
struct partition {
	uint64_t ordinal, first_block;
	char *path;
	uint32_t salt;
	int64_t opened_ns; /* not before the last arrival of the one before */
	struct db_files files;
	/* of those that are no longer written */
	bool closed;
	int64_t min_ns, max_ns; /* of its records' wall_ns */
	int64_t last_received_ns;
	uint64_t last_block, records, bytes;
	/* under the lock of the set */
	unsigned users; /* connections out, and the set itself */
	struct partition_reader *at_rest;
	unsigned at_rest_count;
};

/* All of them, ascending; the last is the newest. */
struct partition_set {
	pthread_mutex_t lock;
	struct partition **list;
	size_t count;
	char *dir;
	uint8_t history[16];
	_Atomic bool corrupt; /* a reader met damage */
};

/* Opens what there is, deletes what was never ready, finishes a drop.  They
 * must be of config->history; with config->adopt, theirs becomes it.  old: an
 * older version's database will fill them.  ERR_UNSUPPORTED: of a newer
 * version; -ENOENT: there was one, and it is gone; -ESTALE: another history. */
int partitions_open(struct partition_set *set, struct store_config *config,
    bool old, struct errmsg *msg);
/* Their file names, sorted; the caller frees them and the list. */
int partition_names(
    const char *dir, char ***names, size_t *count, struct errmsg *msg);
bool partitions_exist(const char *dir);
void partitions_close(struct partition_set *set);

/* Makes the next one, with the watermarks of `from` (NULL: the first).  It is
 * in the set and the newest when this returns, and the one before is closed as
 * `measured` says. */
int partition_make(struct partition_set *set, struct db *from,
    uint64_t first_block, int64_t opened_ns, const struct partition *measured,
    struct errmsg *msg);
/* Reads what a closed one holds into the struct. */
int partition_measure(struct partition *partition, struct errmsg *msg);
/* The oldest is gone from the set and from the disk; who reads it goes on. */
int partition_drop_oldest(struct partition_set *set, struct errmsg *msg);

/* The writing connection. */
int partition_open_writer(
    struct db *db, const struct partition *partition, struct errmsg *msg);

/* partition: of the set, locked by the caller's use of it.  NULL with 0: it was
 * dropped meanwhile. */
int partition_reader_get(struct partition_set *set, struct partition *partition,
    struct partition_reader **reader, struct errmsg *msg);
void partition_reader_put(
    struct partition_set *set, struct partition_reader *reader);

/* All partitions as they are now, ascending, each held until release. */
struct partition **partitions_hold(struct partition_set *set, size_t *count);
void partitions_release(
    struct partition_set *set, struct partition **list, size_t count);
