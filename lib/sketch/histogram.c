/* SPDX-License-Identifier: ISC */
/*
 * Sparse histograms over a fixed scale.  A value's bucket is its octave and
 * the six bits below its highest one, so adding two histograms is adding
 * counts, whatever they saw.  A bucket is at most 1/64 as wide as its values
 * are large, and a quantile is the middle of one: off by at most 0.8 %.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/sketch/histogram.h"
#include "lib/sketch/varint.h"
#include "lib/base/xalloc.h"

#define SUB_BITS 6
#define SUB (1u << SUB_BITS)
#define BUCKETS (SUB * (64 - SUB_BITS))

static uint32_t bucket_of(uint64_t v)
{
	if (v < SUB)
		return (uint32_t)v;
	unsigned octave = 63u - (unsigned)__builtin_clzll(v) - SUB_BITS;
	return octave * SUB + (uint32_t)(v >> octave);
}

int64_t histogram_bucket_low(uint32_t index)
{
	if (index < 2 * SUB)
		return index;
	return (int64_t)((uint64_t)(index % SUB + SUB) << (index / SUB - 1));
}

int64_t histogram_bucket_middle(uint32_t index)
{
	if (index < 2 * SUB)
		return index;
	return histogram_bucket_low(index) +
	    (int64_t)((UINT64_C(1) << (index / SUB - 1)) / 2);
}

void histogram_fini(struct histogram *h)
{
	free(h->buckets);
	*h = (struct histogram){ 0 };
}

void histogram_copy(struct histogram *to, const struct histogram *from)
{
	*to = *from;
	to->cap = to->len;
	to->buckets = to->len
	    ? xmemdup(from->buckets, from->len * sizeof(*from->buckets))
	    : NULL;
}

/* The place of the bucket, or where it belongs. */
static size_t find_bucket(const struct histogram *h, uint32_t index)
{
	size_t low = 0, high = h->len;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (h->buckets[middle].index < index)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static uint32_t sum_capped(uint32_t a, uint32_t b)
{
	return a > UINT32_MAX - b ? UINT32_MAX : a + b;
}

static void reserve_one(struct histogram *h)
{
	if (h->len < h->cap)
		return;
	h->cap = h->cap < 4 ? 4 : h->cap * 2;
	h->buckets = xreallocarray(h->buckets, h->cap, sizeof(*h->buckets));
}

static void add_bucket(struct histogram *h, uint32_t index, uint32_t count)
{
	h->total += count;
	size_t at = find_bucket(h, index);
	if (at < h->len && h->buckets[at].index == index) {
		h->buckets[at].count = sum_capped(h->buckets[at].count, count);
		return;
	}
	reserve_one(h);
	memmove(h->buckets + at + 1, h->buckets + at,
	    (h->len - at) * sizeof(*h->buckets));
	h->buckets[at] = (struct histogram_bucket){ index, count };
	h->len++;
}

void histogram_add(struct histogram *h, int64_t value_ns, uint32_t count)
{
	if (count)
		add_bucket(
		    h, bucket_of(value_ns > 0 ? (uint64_t)value_ns : 0), count);
}

void histogram_merge(struct histogram *to, const struct histogram *from)
{
	for (size_t i = 0; i < from->len; i++)
		add_bucket(to, from->buckets[i].index, from->buckets[i].count);
}

int64_t histogram_quantile(const struct histogram *h, double q)
{
	if (h->total == 0)
		return -1;
	double rank = q * (double)h->total;
	uint64_t seen = 0;
	for (size_t i = 0; i < h->len; i++) {
		seen += h->buckets[i].count;
		if ((double)seen >= rank)
			return histogram_bucket_middle(h->buckets[i].index);
	}
	return histogram_bucket_middle(h->buckets[h->len - 1].index);
}

void histogram_write(const struct histogram *h, struct buf *to)
{
	varint_put(to, h->len);
	uint32_t last = 0;
	for (size_t i = 0; i < h->len; i++) {
		varint_put(to, h->buckets[i].index - last);
		varint_put(to, h->buckets[i].count);
		last = h->buckets[i].index;
	}
}

/* The lower bucket of the two at i and j, or their sum; then both move on. */
static struct histogram_bucket next_of_sum(
    const struct histogram *a, const struct histogram *b, size_t *i, size_t *j)
{
	if (*j == b->len ||
	    (*i < a->len && a->buckets[*i].index < b->buckets[*j].index))
		return a->buckets[(*i)++];
	if (*i == a->len || b->buckets[*j].index < a->buckets[*i].index)
		return b->buckets[(*j)++];
	struct histogram_bucket both = a->buckets[(*i)++];
	both.count = sum_capped(both.count, b->buckets[(*j)++].count);
	return both;
}

void histogram_write_sum(
    const struct histogram *a, const struct histogram *b, struct buf *to)
{
	size_t i = 0, j = 0, len = 0;
	for (; i < a->len || j < b->len; len++)
		next_of_sum(a, b, &i, &j);
	varint_put(to, len);
	uint8_t *at = buf_extend(to, len * 2 * VARINT_MAX);
	uint32_t last = 0;
	for (i = j = 0; i < a->len || j < b->len;) {
		struct histogram_bucket one = next_of_sum(a, b, &i, &j);
		at = varint_write(at, one.index - last);
		at = varint_write(at, one.count);
		last = one.index;
	}
	to->len = (size_t)(at - to->data);
}

void histogram_read(struct histogram *h, struct reader *from)
{
	h->len = 0;
	h->total = 0;
	uint64_t len = varint_get(from), index = 0;
	if (len > BUCKETS)
		reader_fail(from, ERR_MALFORMED);
	for (uint64_t i = 0; from->err == ERR_OK && i < len; i++) {
		uint64_t step = varint_get(from), count = varint_get(from);
		if ((i > 0 && step == 0) || step >= BUCKETS - index ||
		    count == 0 || count > UINT32_MAX) {
			reader_fail(from, ERR_MALFORMED);
			return;
		}
		index += step;
		if (from->err != ERR_OK)
			return;
		reserve_one(h);
		h->buckets[h->len++] =
		    (struct histogram_bucket){ (uint32_t)index,
			    (uint32_t)count };
		h->total += count;
	}
}
