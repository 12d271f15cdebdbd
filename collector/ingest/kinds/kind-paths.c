/* SPDX-License-Identifier: ISC */
/* Multipath graphs: stored, found by their ends. */
#include "collector/ingest/kinds/announce.h"
#include "collector/ingest/kinds/ingest-kind.h"

static int prepare_paths(
    struct prepared_record *to, const Sonde__Record *record, struct errmsg *msg)
{
	const Sonde__Paths *paths = record->paths;
	(void)msg;
	to->src = addr_from_bytes(paths->src.data, paths->src.len);
	to->dst = addr_from_bytes(paths->dst.data, paths->dst.len);
	return 0;
}

static int announce_paths(const struct announcement *a, struct errmsg *msg)
{
	return announce_runs(
	    a, SONDE__RECORD__BODY_PATHS, announce_results, msg);
}

const struct ingest_kind ingest_paths = {
	.prepare = prepare_paths,
	.announce = announce_paths,
};
