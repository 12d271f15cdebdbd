/* SPDX-License-Identifier: ISC */
/*
 * Token buckets, as one number each: the time at which the bucket will be
 * full again (the generic cell rate algorithm).  In every window of w seconds
 * at most rate * w + burst packets pass.  Time comes from the caller; when it
 * jumps ahead a bucket is at most full, when it falls back nothing passes
 * that would not have passed before.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/addr.h"
#include "lib/base/clock.h"
#include "probes/policy/policy.h"

struct bucket {
	int64_t full_ns;  /* monotonic */
	uint32_t waiting; /* deferred probes that wait for this bucket */
};

struct limit {
	struct bucket *bucket; /* borrowed */
	uint32_t rate_pps, burst;
};

/* When a packet may pass: now, or later.  A packet that has not waited yet
 * goes behind those that do.  INT64_MAX: never. */
int64_t limit_ready(const struct limit *limit, bool waited, int64_t now);
void limit_take(const struct limit *limit, int64_t now);

/* A bounded table of buckets by class and destination prefix.  A bucket that
 * is full and that no probe waits for may be forgotten: a new one is the same.
 * A place that was never used is such a bucket too. */
#define LIMIT_ROWS 1024
#define LIMIT_PLACES 16 /* in a row */
struct limit_table {
	uint64_t key; /* secret; all else begins as zeros */
	struct limit_entry {
		struct bucket bucket;
		struct prefix prefix;
		enum policy_who who;
	} rows[LIMIT_ROWS][LIMIT_PLACES];
};
/* Gives NULL, and in *retry when to ask again, if no bucket can be forgotten
 * now.  Buckets stay where they are while a probe waits for them. */
struct bucket *limit_table_find(struct limit_table *table, enum policy_who who,
    const struct addr *dst, int64_t now, int64_t *retry);
