/* SPDX-License-Identifier: ISC */
/*
 * Ranges of sequence numbers, and the gap records that declare them.
 * Private to lib/spool/.
 */
#pragma once

#include "lib/base/buf.h"
#include "lib/spool/spool-format.h"

enum spool_reason {
	SPOOL_REASON_FULL,
	SPOOL_REASON_CORRUPT,
	SPOOL_REASON_MISSING,
	SPOOL_REASONS
};

struct spool_range {
	uint64_t epoch, from, to; /* inclusive */
	enum spool_reason reason;
};

struct spool_ranges {
	struct spool_range *list; /* owned */
	size_t count;
};
void spool_ranges_fini(struct spool_ranges *ranges);
/* Joins the last range when it touches it and has the same reason. */
void spool_ranges_add(
    struct spool_ranges *ranges, const struct spool_range *range);
/* Sorts by place and joins what overlaps or touches, whatever the reason of
 * the joined parts. */
void spool_ranges_join(struct spool_ranges *ranges);
/* Appends to `to` what of `range` no range of the (joined) list covers. */
void spool_ranges_subtract(const struct spool_ranges *list,
    const struct spool_range *range, struct spool_ranges *to);

/* Is any number of the range in the (joined) list? */
bool spool_ranges_overlap(
    const struct spool_ranges *list, const struct spool_range *range);

/* Adds what a gap record declares; false when it is none. */
bool spool_gap_read(
    struct spool_ranges *to, const uint8_t *payload, size_t len);
/* Packs the next gap record of ranges of one epoch and reason, beginning at
 * index `from`; returns how many ranges it declares and the sum of their
 * numbers in *lost. */
size_t spool_gap_pack(const struct spool_ranges *ranges, size_t from,
    struct buf *to, uint64_t *lost);
