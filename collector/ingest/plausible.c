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
#include <string.h>

#define DAY_NS (86400 * NS_PER_S)

uint64_t plausible_most(int64_t enrolled_ns, int64_t now_ns)
{
	int64_t since_ns = now_ns > enrolled_ns ? now_ns - enrolled_ns : 0;
	uint64_t seconds = (uint64_t)(since_ns / NS_PER_S) + DAY_NS / NS_PER_S;
	return seconds * PLAUSIBLE_PER_S;
}

/* The last number that it names; 0: only what never had one; UINT64_MAX: its
 * ranges are none. */
static uint64_t last_of_gap(const Sonde__Gap *gap)
{
	uint64_t last = gap->to_seq;
	bool none = gap->from_seq > gap->to_seq ||
	    (gap->from_seq == 0 && gap->to_seq > 0) || gap->n_more % 2 != 0;
	for (size_t i = 0; i < gap->n_more && !none; i++)
		none = gap->more[i] == 0 ||
		    __builtin_add_overflow(last, gap->more[i], &last);
	return none ? UINT64_MAX : last;
}

/* A gap names numbers that were given before its own; of an older epoch, no
 * more than there can be. */
static int check_gap(const struct batch_header *h, const Sonde__Gap *gap,
    uint64_t produced_most, struct errmsg *msg)
{
	uint64_t end = h->first_seq + h->count, last = last_of_gap(gap);
	if (last == UINT64_MAX)
		return err_set(msg, -ERANGE,
		    "gap of %" PRIu64 " to %" PRIu64 " in epoch %" PRIu64
		    ": expected ranges from a first to a last number",
		    gap->from_seq, gap->to_seq, gap->epoch);
	if (gap->epoch > h->epoch || (gap->epoch == h->epoch && last >= end) ||
	    last > produced_most || gap->unnumbered > produced_most ||
	    record_gap_count(gap) > produced_most)
		return err_set(msg, -ERANGE,
		    "gap of %" PRIu64 " to %" PRIu64 " in epoch %" PRIu64
		    ", %" PRIu64 " unnumbered: no agent can have numbered them",
		    gap->from_seq, last, gap->epoch, gap->unnumbered);
	return ERR_OK;
}

/* One that its kind cannot count, from its bytes, so that no gap is stored
 * uncounted. */
static int check_uncounted_gap(const struct batch_header *h,
    const struct prepared_record *record, uint64_t produced_most,
    struct errmsg *msg)
{
	Sonde__Record *unpacked;
	int err = record_unpack(&unpacked, record->body, record->body_len, msg);
	if (err < 0)
		return err;
	err = check_gap(h, unpacked->gap, produced_most, msg);
	if (err < 0)
		goto out;
	err = err_set(msg, -ERANGE,
	    "gap of %" PRIu64 " unnumbered, reason of %zu bytes: more than one "
	    "record declares",
	    unpacked->gap->unnumbered, strlen(unpacked->gap->reason));
out:
	record_free(unpacked);
	return err;
}

static int check_record(struct prepared_batch *batch,
    const struct prepared_record *record, uint64_t produced_most,
    struct errmsg *msg)
{
	if (record->wall_ns < 0)
		return err_set(msg, -ERANGE, "wall_ns: before 1970");
	if (record->kind != SONDE__RECORD__BODY_GAP)
		return ERR_OK;
	if (!record->record)
		return check_uncounted_gap(
		    &batch->header, record, produced_most, msg);
	batch->unnumbered += record->record->gap->unnumbered;
	return check_gap(
	    &batch->header, record->record->gap, produced_most, msg);
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
		int err =
		    check_record(batch, &batch->records[i], produced_most, msg);
		if (err < 0) {
			err_prefix(msg, "record %" PRIu32, i);
			return err;
		}
	}
	return ERR_OK;
}
