/* SPDX-License-Identifier: ISC */
/* Log lines: an error of a campaign's run ends that run. */
#include "collector/ingest/kinds/ingest-kind.h"

static int prepare_log(
    struct prepared_record *to, const Sonde__Record *record, struct errmsg *msg)
{
	(void)msg;
	return to->in_campaign && record->log->level == 0;
}

const struct ingest_kind ingest_log = {
	.prepare = prepare_log,
};
