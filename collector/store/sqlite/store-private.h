/* SPDX-License-Identifier: ISC */
/* What the files of the SQLite provider share (collector/store/store.h). */
#pragma once

#include "collector/store/sqlite/rollup/gather.h"
#include "collector/store/sqlite/partition-set.h"
#include "collector/store/sqlite/postings.h"
#include "collector/store/store.h"

/* A partition lasts that long, whatever the clock says. */
#define ROLL_LEAST_NS (3600 * NS_PER_S)

struct store {
	struct store_config config;
	char *dir;
	struct partition_set partitions;
	struct db_files files; /* of the newest; under the set's lock */
	/* Under this lock, which comes before the set's and the gather's: */
	pthread_mutex_t lock;
	struct db db; /* of the newest partition */
	uint64_t next_block;
	struct open_run run;
	struct gather *gather; /* has its own */
	struct monotime mono;  /* as it was last given */
	struct monotime rolled_at, checked_at;
	int64_t newest_received_ns; /* of what was appended */
	int64_t arriving_ns;        /* of what comes next: the day it begins */
	uint64_t roll_bytes;
	int64_t roll_ns;
	unsigned next_check; /* the partition whose files are looked at next */
	_Atomic uint64_t stored, lost; /* of all agents, ever */
	_Atomic uint64_t newest_records;
	_Atomic bool corrupt;
};
