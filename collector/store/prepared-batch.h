/* SPDX-License-Identifier: ISC */
/*
 * A batch that is ready for the writer: signature checked, unpacked, every
 * record decoded and checked, every trace cut into its path, and all of it made
 * a block (collector/store/block.h).  Who makes one
 * (collector/ingest/decode-batch.h) does so outside the writer's thread; the
 * store only inserts and can find no fault in it but its numbers.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "analysis/path.h"
#include "collector/store/block.h"
#include "lib/base/addr.h"
#include "lib/base/arena.h"
#include "lib/base/buf.h"
#include "lib/base/clock.h"
#include "lib/record/batch.h"
#include "lib/record/record.h"

struct prepared_record {
	Sonde__Record__BodyCase kind;
	int64_t wall_ns;
	uint64_t run;
	bool in_campaign;
	uint8_t campaign[16];
	/* Family 0: the kind has none; of a sighting: its packets came from
	 * several sources that are not named.  They count as packets, never as
	 * a source.  They are what block_head finds: the body's fields `src`
	 * and `dst`, or the first address of a row. */
	struct addr src, dst;
	const uint8_t *body; /* its bytes, inside the batch's raw */
	uint32_t body_len;
	bool reached;     /* a trace or ping: the target answered */
	uint8_t outcome;  /* of such: Sonde__Outcome of what says most of it */
	bool unsent;      /* of such: some probes did not leave */
	struct path path; /* traces; no hops: nothing was sent */
	uint8_t path_digest[PATH_DIGEST_LEN];
	Sonde__Record
	    *record; /* in the arena; sightings, payloads, gaps and
			coverage that can be used, errors of runs, traces and
			pings with `unsent`, NULL for the others */
	struct prepared_heartbeat {
		uint64_t uptime_ns;
		bool sensor; /* it counts what a sensor does, which has no
				coverage of its own */
		char version[32];
	} heartbeat;
};

/* Fills `to` from an unpacked record.  1: the record itself must outlive the
 * call too (to->record); 0: not; an error: it is refused. */
typedef int prepare_record_fn(struct prepared_record *to,
    const Sonde__Record *record, struct errmsg *msg);

#define PREPARED_MAX_BYTES (64u << 20)

struct prepared_batch {
	struct batch_header header;
	int64_t agent_row; /* the registry's number of the agent */
	struct walltime received;
	/* What the agent can have produced in all, and what the gap records
	 * here declare that never had a number. */
	uint64_t produced_most, unnumbered;
	struct prepared_record *records; /* header.count, seq from first_seq */
	struct buf raw;                  /* framed as lib/record/batch.h says */
	struct arena arena;              /* of the records that are kept */
	size_t bytes;                    /* memory, about */

	/* prepared_batch_seal: what the store keeps. */
	struct buf block;
	uint64_t *keys; /* store_key of ends, campaigns, runs */
	size_t key_count;
	int64_t min_ns, max_ns; /* of wall_ns */
	uint64_t kinds;         /* bits: kind modulo 64 */
};

/* What a block can be found by. */
enum store_key_role {
	KEY_SRC_ALONE, /* of kinds that have no destination */
	KEY_SRC,
	KEY_DST,
	KEY_CAMPAIGN,
	KEY_CAMPAIGN_RUN,
	KEY_RUN,
};
uint64_t store_key(
    enum store_key_role role, const void *bytes, size_t len, uint64_t number);
/* KEY_SRC or KEY_SRC_ALONE. */
enum store_key_role store_src_role(uint32_t kind);

/* The keys of one record, at most STORE_KEYS_A_RECORD; those of its campaign
 * are left out when `before` (zeros: none) has the same.  How many. */
#define STORE_KEYS_A_RECORD 5
size_t store_record_keys(const struct block_head *record,
    const struct block_head *before, uint64_t *keys);

/* From frames to records: fills batch->records from batch->raw.  ERR_LIMIT,
 * ERR_MALFORMED and its like with the record and field in msg. */
int prepared_batch_open(struct prepared_batch *batch,
    prepare_record_fn *prepare, struct errmsg *msg);
/* Makes the block and its keys of the records from `first` on. */
void prepared_batch_seal(struct prepared_batch *batch, uint32_t first);
void prepared_batch_free(struct prepared_batch *batch);
