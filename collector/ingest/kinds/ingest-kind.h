/* SPDX-License-Identifier: ISC */
/*
 * What the collector does with the records of one kind beside storing them:
 * one const struct and one file (kind-NAME.c) a kind.  The table follows from
 * RECORD_KINDS in lib/record/kinds.h.  Every hook may be NULL.
 */
#pragma once

#include "collector/core/part.h"
#include "collector/store/store.h"
#include "lib/record/kinds.h"
#include "lib/record/result.h"

struct collector;
struct agent;

/* In the caller's thread, of a batch whose records are all prepared. */
struct ingest_checking {
	struct collector *collector;
	const struct prepared_batch *batch;
	struct result_catalog schemas;           /* of its records so far */
	const struct result_schema *last_schema; /* of the row before */
};

/* After the COMMIT that stored a batch: what the event log hears. */
struct announcement {
	struct collector *collector;
	const struct agent *agent;
	const struct prepared_batch *batch;
	const struct store_outcome *outcome; /* what was new */
};

struct ingest_kind {
	/* In the caller's thread, once a record: fills what the writer needs
	 * of it.  1: the record itself must outlive the call too
	 * (to->record); 0: not; an error refuses the whole batch. */
	prepare_record_fn *prepare;
	/* The same thread, once a record in their order, with what is known
	 * of other batches: an error refuses the whole batch. */
	int (*check)(struct ingest_checking *checking, uint32_t index,
	    struct errmsg *msg);
	/* Once a batch that had new records of the kind. */
	int (*announce)(const struct announcement *a, struct errmsg *msg);
	/* Once an hour, in the writer's thread and a transaction of the
	 * registry: deletes what the kind keeps there and no record needs.
	 * Records and sums go by the store's own retention. */
	int (*expire)(
	    struct collector *collector, int64_t now_ns, struct errmsg *msg);
};

/* What the kind of a record prepares. */
prepare_record_fn ingest_prepare_record;

/* Of a record that was unpacked: its kind is in lib/record/kinds.h. */
const struct ingest_kind *ingest_kind_of(Sonde__Record__BodyCase body);

#define INGEST_KIND(name, capitals, class, producers) \
	extern const struct ingest_kind ingest_##name;
RECORD_KINDS(INGEST_KIND)
#undef INGEST_KIND

/* An error names the record. */
int ingest_check(struct collector *collector,
    const struct prepared_batch *batch, struct errmsg *msg);
int ingest_announce(const struct announcement *a, struct errmsg *msg);

extern const struct part kinds_part; /* expires */
