/* SPDX-License-Identifier: ISC */
/*
 * A batch that is ready for the writer: signature checked, unpacked, every
 * record decoded and checked, every trace cut into its path.  Who makes one
 * (collector/ingest/decode-batch.h) does so outside the writer's thread; the
 * store only inserts and can find no fault in it but its numbers.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "analysis/path.h"
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
	 * a source. */
	struct addr src, dst;
	const uint8_t *body; /* its bytes, inside the batch's raw */
	uint32_t body_len;
	bool reached;     /* a trace or ping: the target answered */
	struct path path; /* traces; no hops: nothing was sent */
	uint8_t path_digest[PATH_DIGEST_LEN];
	Sonde__Record
	    *record; /* in the arena; sightings, payloads and losses that
			can be used, errors of runs, NULL for
			the others */
	struct prepared_heartbeat {
		uint64_t uptime_ns;
		bool sensor; /* it counts what a sensor does */
		char version[32];
	} heartbeat;
};

#define PREPARED_MAX_BYTES (64u << 20)

struct prepared_batch {
	struct batch_header header;
	int64_t agent_row; /* the store's number of the agent */
	struct walltime received;
	/* What the agent can have produced in all, and what the loss records
	 * here declare that never had a number. */
	uint64_t produced_most, unnumbered;
	struct prepared_record *records; /* header.count, seq from first_seq */
	struct buf raw;                  /* framed as lib/record/batch.h says */
	struct arena arena;              /* of the records that are kept */
	size_t bytes;                    /* memory, about */
};
