/* SPDX-License-Identifier: ISC */
/*
 * A distribution of durations that can be added up: buckets of equal width
 * within an octave (64 an octave, so a value is known to within 0.8 %), kept
 * sparse and sorted.  Medians of minutes cannot be summed to the median of a
 * day; these can.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "lib/base/buf.h"
#include "lib/base/reader.h"

struct histogram_bucket {
	uint32_t index;
	uint32_t count;
};
struct histogram {
	struct histogram_bucket *buckets; /* owned, by index */
	size_t len, cap;
	uint64_t total;
};

void histogram_fini(struct histogram *h);
void histogram_copy(struct histogram *to, const struct histogram *from);
/* Negative values count as 0. */
void histogram_add(struct histogram *h, int64_t value_ns, uint32_t count);
void histogram_merge(struct histogram *to, const struct histogram *from);
/* The value below which the share q (0..1) lies; -1 when empty. */
int64_t histogram_quantile(const struct histogram *h, double q);
static inline int64_t histogram_median(const struct histogram *h)
{
	return histogram_quantile(h, 0.5);
}

/* The least value that a bucket holds, and the one that stands for it. */
int64_t histogram_bucket_low(uint32_t index);
int64_t histogram_bucket_middle(uint32_t index);

void histogram_write(const struct histogram *h, struct buf *to);
/* What histogram_write would make of both together. */
void histogram_write_sum(
    const struct histogram *a, const struct histogram *b, struct buf *to);
/* Forgets what h held and keeps its memory.  The reader's error says whether
 * it went well. */
void histogram_read(struct histogram *h, struct reader *from);
