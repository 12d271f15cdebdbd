/* SPDX-License-Identifier: ISC */
/*
 *   produced <= PLAUSIBLE_PER_S * (now - enrolled + 1 day)
 *
 * where produced is all that is counted for the agent, stored and lost.  The
 * sum is compared where it is known, in the store's append; what a batch shows
 * by itself is judged here.
 */
#include "collector/ingest/plausible.h"

#include <errno.h>
#include <inttypes.h>

#define DAY_NS (86400 * NS_PER_S)

uint64_t plausible_most(int64_t enrolled_ns, int64_t now_ns)
{
	int64_t since_ns = now_ns > enrolled_ns ? now_ns - enrolled_ns : 0;
	uint64_t seconds = (uint64_t)(since_ns / NS_PER_S) + DAY_NS / NS_PER_S;
	return seconds * PLAUSIBLE_PER_S;
}

/* A gap names numbers that were given before its own; of an older epoch, no
 * more than there can be. */
static int check_gap(const struct batch_header *h, const Sonde__Gap *gap,
    uint64_t produced_most, struct errmsg *msg)
{
	uint64_t end = h->first_seq + h->count;
	if (gap->epoch > h->epoch ||
	    (gap->epoch == h->epoch && gap->to_seq >= end) ||
	    gap->to_seq > produced_most ||
	    record_gap_count(gap) > produced_most)
		return err_set(msg, -ERANGE,
		    "gap of %" PRIu64 " to %" PRIu64 " in epoch %" PRIu64
		    ": no agent can have numbered them",
		    gap->from_seq, gap->to_seq, gap->epoch);
	return ERR_OK;
}

int plausible_check(
    struct prepared_batch *batch, uint64_t produced_most, struct errmsg *msg)
{
	const struct batch_header *h = &batch->header;
	if (h->epoch > PLAUSIBLE_EPOCH || h->first_seq > produced_most)
		return err_set(msg, -ERANGE,
		    "batch: number %" PRIu64 " of epoch %" PRIu64
		    ", expected at most %" PRIu64
		    ": no agent can have reached it",
		    h->first_seq, h->epoch, produced_most);
	batch->produced_most = produced_most;
	batch->unnumbered = 0;
	for (uint32_t i = 0; i < h->count; i++) {
		const struct prepared_record *record = &batch->records[i];
		int err = ERR_OK;
		if (record->wall_ns < 0)
			err = err_set(msg, -ERANGE, "wall_ns: before 1970");
		if (err == ERR_OK && record->kind == SONDE__RECORD__BODY_GAP &&
		    record->record) {
			const Sonde__Gap *gap = record->record->gap;
			err = check_gap(h, gap, produced_most, msg);
			batch->unnumbered += gap->unnumbered;
		}
		if (err < 0) {
			err_prefix(msg, "record %" PRIu32, i);
			return err;
		}
	}
	return ERR_OK;
}
