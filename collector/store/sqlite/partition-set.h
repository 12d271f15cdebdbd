/* SPDX-License-Identifier: ISC */
/* All partitions of a store, and read-only connections to them. */
#pragma once

#include <pthread.h>
#include <stdatomic.h>

#include "collector/store/plan.h"
#include "collector/store/sqlite/partition.h"

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
void partitions_close(struct partition_set *set);

/* Makes the next one, with the watermarks of `from` (NULL: the first).  It is
 * in the set and the newest when this returns, and the one before is closed as
 * `measured` says. */
int partition_make(struct partition_set *set, struct db *from,
    uint64_t first_block, int64_t opened_ns, const struct partition *measured,
    struct errmsg *msg);
/* The oldest is gone from the set and from the disk; who reads it goes on. */
int partition_drop_oldest(struct partition_set *set, struct errmsg *msg);

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
