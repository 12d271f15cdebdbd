/* SPDX-License-Identifier: ISC */
/* First packets of sources: records that are found by their source, and no
 * more. */
#include "collector/ingest/kinds/ingest-kind.h"

static int prepare_evidence(
    struct prepared_record *to, const Sonde__Record *record, struct errmsg *msg)
{
	const Sonde__Evidence *evidence = record->evidence;
	(void)msg;
	to->src = addr_from_bytes(evidence->src.data, evidence->src.len);
	return 0;
}

const struct ingest_kind ingest_evidence = {
	.prepare = prepare_evidence,
};
