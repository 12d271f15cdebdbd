/* SPDX-License-Identifier: ISC */
/* Rows of scripts' tables. */
#include "collector/ingest/kinds/announce.h"
#include "collector/ingest/kinds/ingest-kind.h"

static int announce_rows(const struct announcement *a, struct errmsg *msg)
{
	return announce_runs(
	    a, SONDE__RECORD__BODY_RESULT, announce_results, msg);
}

const struct ingest_kind ingest_result = {
	.announce = announce_rows,
};
