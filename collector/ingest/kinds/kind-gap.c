/* SPDX-License-Identifier: ISC */
/* Gaps: why numbers are missing, and what never had one. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "collector/core/agent-table.h"
#include "collector/core/event-log.h"
#include "collector/ingest/kinds/announce.h"
#include "collector/ingest/kinds/ingest-kind.h"
#include "lib/json/json-value.h"

#define REASON_MAX_LEN 64

static int prepare_gap(
    struct prepared_record *to, const Sonde__Record *record, struct errmsg *msg)
{
	const Sonde__Gap *gap = record->gap;
	(void)to;
	(void)msg;
	return gap->epoch <= INT64_MAX && gap->to_seq <= INT64_MAX &&
	    gap->from_seq <= gap->to_seq && gap->unnumbered <= INT32_MAX &&
	    strlen(gap->reason) <= REASON_MAX_LEN;
}

static int announce_gap(
    const struct announcement *a, const Sonde__Gap *gap, struct errmsg *msg)
{
	char text[300];
	uint64_t records = record_gap_count(gap);
	snprintf(text, sizeof(text), "%s lost %" PRIu64 " records: %s",
	    a->agent->name, records, gap->reason);
	json_t *fields = announce_fields(a->agent);
	json_object_set_new(
	    fields, "records", json_integer((json_int_t)records));
	json_object_set_new(fields, "reason", json_text(gap->reason));
	return event_log_add(a->collector, "gap", text, fields, msg);
}

static int announce_gaps(const struct announcement *a, struct errmsg *msg)
{
	for (uint32_t i = a->outcome->first_new; i < a->batch->header.count;
	     i++) {
		const struct prepared_record *record = &a->batch->records[i];
		if (record->kind != SONDE__RECORD__BODY_GAP || !record->record)
			continue;
		int err = announce_gap(a, record->record->gap, msg);
		if (err < 0)
			return err;
	}
	return ERR_OK;
}

const struct ingest_kind ingest_gap = {
	.prepare = prepare_gap,
	.announce = announce_gaps,
};
