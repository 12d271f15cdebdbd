/* SPDX-License-Identifier: ISC */
/* Traces: each is cut into its path, whose sums are the map. */
#include "collector/ingest/kinds/announce.h"
#include "collector/ingest/kinds/ingest-kind.h"
#include "collector/ingest/kinds/target-end.h"

static int prepare_trace(
    struct prepared_record *to, const Sonde__Record *record, struct errmsg *msg)
{
	const Sonde__Trace *trace = record->trace;
	(void)msg;
	to->src = addr_from_bytes(trace->src.data, trace->src.len);
	to->dst = addr_from_bytes(trace->dst.data, trace->dst.len);
	path_from_trace(&to->path, trace, to->wall_ns);
	path_digest(&to->path, to->path_digest);
	to->outcome = (uint8_t)target_end_of(record).outcome;
	to->reached = to->path.reached > 0;
	to->unsent = target_has_unsent(record);
	return to->unsent;
}

static int announce_traces(const struct announcement *a, struct errmsg *msg)
{
	return announce_runs(
	    a, SONDE__RECORD__BODY_TRACE, announce_targets, msg);
}

const struct ingest_kind ingest_trace = {
	.prepare = prepare_trace,
	.announce = announce_traces,
};
