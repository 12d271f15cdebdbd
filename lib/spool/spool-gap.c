/* SPDX-License-Identifier: ISC */
/*
 * What was produced and is gone.  When segments of a class are dropped, the
 * numbers it lost lie between those of other classes: one record declares many
 * ranges, each further one by two small numbers (kept since the last, lost
 * then).
 */
#include <stdlib.h>
#include <string.h>

#include "lib/record/record.h"
#include "lib/spool/spool-gap.h"
#include "lib/base/vec.h"
#include "lib/base/xalloc.h"

enum { RANGES_A_RECORD = RECORD_MAX_REPLIES / 2 };

static const char *const reasons[SPOOL_REASONS] = {
	[SPOOL_REASON_FULL] = "spool-full",
	[SPOOL_REASON_CORRUPT] = "corrupt",
	[SPOOL_REASON_MISSING] = "missing-segment",
};

void spool_ranges_fini(struct spool_ranges *ranges)
{
	free(ranges->list);
	*ranges = (struct spool_ranges){ 0 };
}

void spool_ranges_add(
    struct spool_ranges *ranges, const struct spool_range *range)
{
	struct spool_range *last =
	    ranges->count ? &ranges->list[ranges->count - 1] : NULL;
	if (last != NULL && last->epoch == range->epoch &&
	    last->reason == range->reason && last->to + 1 == range->from) {
		last->to = range->to;
		return;
	}
	VEC_ROOM(ranges->list, ranges->count);
	ranges->list[ranges->count++] = *range;
}

static int range_cmp(const void *a, const void *b)
{
	const struct spool_range *x = a, *y = b;
	if (x->epoch != y->epoch)
		return x->epoch < y->epoch ? -1 : 1;
	return x->from < y->from ? -1 : x->from > y->from;
}

void spool_ranges_join(struct spool_ranges *ranges)
{
	size_t kept = 0;
	if (ranges->count == 0)
		return;
	qsort(ranges->list, ranges->count, sizeof(*ranges->list), range_cmp);
	for (size_t i = 1; i < ranges->count; i++) {
		struct spool_range *last = &ranges->list[kept];
		const struct spool_range *next = &ranges->list[i];
		if (next->epoch == last->epoch && next->from <= last->to + 1) {
			if (next->to > last->to)
				last->to = next->to;
		} else {
			ranges->list[++kept] = *next;
		}
	}
	ranges->count = kept + 1;
}

/* The first of the joined list that ends at or behind the place. */
static size_t range_find(
    const struct spool_ranges *list, uint64_t epoch, uint64_t seq)
{
	size_t low = 0, high = list->count;
	while (low < high) {
		size_t mid = low + (high - low) / 2;
		const struct spool_range *r = &list->list[mid];
		if (r->epoch < epoch || (r->epoch == epoch && r->to < seq))
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

void spool_ranges_subtract(const struct spool_ranges *list,
    const struct spool_range *range, struct spool_ranges *to)
{
	struct spool_range rest = *range;
	for (size_t i = range_find(list, rest.epoch, rest.from);
	     i < list->count && rest.from <= rest.to; i++) {
		const struct spool_range *r = &list->list[i];
		if (r->epoch != rest.epoch || r->from > rest.to)
			break;
		if (r->from > rest.from) {
			struct spool_range before = rest;
			before.to = r->from - 1;
			spool_ranges_add(to, &before);
		}
		rest.from = r->to + 1;
	}
	if (rest.from <= rest.to)
		spool_ranges_add(to, &rest);
}

bool spool_ranges_overlap(
    const struct spool_ranges *list, const struct spool_range *range)
{
	size_t i = range_find(list, range->epoch, range->from);
	return i < list->count && list->list[i].epoch == range->epoch &&
	    list->list[i].from <= range->to;
}

static enum spool_reason reason_parse(const char *text)
{
	for (int i = 0; i < SPOOL_REASONS; i++)
		if (strcmp(text, reasons[i]) == 0)
			return (enum spool_reason)i;
	return SPOOL_REASON_CORRUPT;
}

bool spool_gap_read(struct spool_ranges *to, const uint8_t *payload, size_t len)
{
	Sonde__Record *record;
	if (record_unpack(&record, payload, len, NULL) != 0)
		return false;
	const Sonde__Gap *gap = record->gap;
	if (record->body_case != SONDE__RECORD__BODY_GAP) {
		record_free(record);
		return false;
	}
	struct spool_range range = { gap->epoch, gap->from_seq, gap->to_seq,
		reason_parse(gap->reason) };
	bool sane = range.from > 0 && range.from <= range.to;
	if (sane)
		spool_ranges_add(to, &range);
	for (size_t i = 0; sane && i + 1 < gap->n_more; i += 2) {
		uint64_t kept = gap->more[i], lost = gap->more[i + 1];
		sane = kept > 0 && lost > 0 &&
		    !__builtin_add_overflow(range.to, kept + 1, &range.from) &&
		    !__builtin_add_overflow(range.from, lost - 1, &range.to);
		if (sane)
			spool_ranges_add(to, &range);
	}
	record_free(record);
	return sane;
}

size_t spool_gap_pack(const struct spool_ranges *ranges, size_t from,
    struct buf *to, uint64_t *lost)
{
	const struct spool_range *first = &ranges->list[from], *last = first;
	uint64_t *more = xcalloc(2 * (size_t)RANGES_A_RECORD, sizeof(*more));
	Sonde__Gap gap = SONDE__GAP__INIT;
	Sonde__Record record = SONDE__RECORD__INIT;
	gap.epoch = first->epoch;
	gap.from_seq = first->from;
	gap.to_seq = first->to;
	gap.reason = (char *)reasons[first->reason];
	gap.more = more;
	*lost = first->to - first->from + 1;
	size_t taken = 1;
	while (from + taken < ranges->count && taken < RANGES_A_RECORD) {
		const struct spool_range *r = last + 1;
		if (r->epoch != first->epoch || r->reason != first->reason ||
		    r->from <= last->to + 1)
			break;
		more[gap.n_more++] = r->from - last->to - 1;
		more[gap.n_more++] = r->to - r->from + 1;
		*lost += r->to - r->from + 1;
		last = r;
		taken++;
	}
	record.body_case = SONDE__RECORD__BODY_GAP;
	record.gap = &gap;
	record_stamp(&record);
	if (record_pack(&record, to, NULL) != 0)
		BUG("a gap record does not pack");
	free(more);
	return taken;
}
