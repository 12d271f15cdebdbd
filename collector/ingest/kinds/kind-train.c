/* SPDX-License-Identifier: ISC */
/* Results of scripts that declare fields and no tables: only stored. */
#include "collector/ingest/kinds/announce.h"
#include "collector/ingest/kinds/ingest-kind.h"

static int announce_trains(const struct announcement *a, struct errmsg *msg)
{
	return announce_runs(
	    a, SONDE__RECORD__BODY_TRAIN, announce_results, msg);
}

const struct ingest_kind ingest_train = {
	.announce = announce_trains,
};
