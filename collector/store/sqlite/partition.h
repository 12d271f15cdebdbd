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

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/sqlite/db-files.h"
#include "lib/sqlite/db.h"

#define PARTITION_VERSION 1
#define PARTITION_NAME_DIGITS 8
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
	/* under the lock of the set (partition-set.h) */
	unsigned users; /* connections out, and the set itself */
	struct partition_reader *at_rest;
	unsigned at_rest_count;
};

/* With path, ordinal, first_block, opened_ns and salt set: makes the file, with
 * the watermarks of `from` (NULL: the first). */
int partition_create(struct partition *partition, struct db *from,
    const uint8_t history[16], struct errmsg *msg);
/* With path set: reads the rest.  1: it is ready; 0: it never was.  Zeroes in
 * history fit all; adopt: its own becomes history.  -ESTALE: another one. */
int partition_read_head(struct partition *partition, uint8_t history[16],
    bool adopt, struct errmsg *msg);
/* Reads what a closed one holds into the struct. */
int partition_measure(struct partition *partition, struct errmsg *msg);
/* The writing connection. */
int partition_open_writer(
    struct db *db, const struct partition *partition, struct errmsg *msg);

/* Their file names, sorted; the caller frees them and the list. */
int partition_names(
    const char *dir, char ***names, size_t *count, struct errmsg *msg);
bool partitions_exist(const char *dir);
/* With what lies beside them. */
void partition_remove_files(const char *path);
void partition_free(struct partition *partition);
