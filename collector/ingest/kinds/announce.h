/* SPDX-License-Identifier: ISC */
/* What kinds of records share when they announce themselves in the event log
 * (announce in collector/ingest/kinds/ingest-kind.h). */
#pragma once

#include <jansson.h>

#include "collector/ingest/kinds/ingest-kind.h"

enum { RUN_ENDS = SONDE__OUTCOME__OUTCOME_SILENT + 1 };

/* Results of one run and kind in a batch. */
struct run_sum {
	const struct prepared_record *last;
	uint32_t records, reached;
	/* Of those not reached, or rejected in their own name, by outcome. */
	uint32_t ends[RUN_ENDS];
	/* How the last one ended, of traces and pings: ": rejected by ..." */
	Sonde__Outcome outcome;
	char end[160];
};

/* An event "run" for each of the first few campaign runs that have records of
 * the kind in the batch, in the words that `words` writes. */
typedef void announce_words_fn(
    char *text, size_t len, const char *agent, const struct run_sum *run);
int announce_runs(const struct announcement *a, Sonde__Record__BodyCase body,
    announce_words_fn *words, struct errmsg *msg);
/* Words for what has a target that is reached or not, and for the rest. */
announce_words_fn announce_targets, announce_results;

/* {"agent": its id, "name": its name} */
json_t *announce_fields(const struct agent *agent);
