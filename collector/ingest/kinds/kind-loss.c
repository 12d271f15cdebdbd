/* SPDX-License-Identifier: ISC */
/* Losses: why numbers are missing, and what never had one. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "collector/core/agent-table.h"
#include "collector/core/event-log.h"
#include "collector/ingest/kinds/announce.h"
#include "collector/ingest/kinds/ingest-kind.h"
#include "lib/json/json-value.h"

#define REASON_MAX_LEN 64

static int prepare_loss(
    struct prepared_record *to, const Sonde__Record *record, struct errmsg *msg)
{
	const Sonde__Loss *loss = record->loss;
	(void)to;
	(void)msg;
	return loss->epoch <= INT64_MAX && loss->to_seq <= INT64_MAX &&
	    loss->from_seq <= loss->to_seq && loss->unnumbered <= INT32_MAX &&
	    strlen(loss->reason) <= REASON_MAX_LEN;
}

static int announce_loss(
    const struct announcement *a, const Sonde__Loss *loss, struct errmsg *msg)
{
	char text[300];
	uint64_t records = record_loss_count(loss);
	snprintf(text, sizeof(text), "%s lost %" PRIu64 " records: %s",
	    a->agent->name, records, loss->reason);
	json_t *fields = announce_fields(a->agent);
	json_object_set_new(
	    fields, "records", json_integer((json_int_t)records));
	json_object_set_new(fields, "reason", json_text(loss->reason));
	return event_log_add(a->collector, "loss", text, fields, msg);
}

static int announce_losses(const struct announcement *a, struct errmsg *msg)
{
	for (uint32_t i = a->outcome->first_new; i < a->batch->header.count;
	     i++) {
		const struct prepared_record *record = &a->batch->records[i];
		if (record->kind != SONDE__RECORD__BODY_LOSS || !record->record)
			continue;
		int err = announce_loss(a, record->record->loss, msg);
		if (err < 0)
			return err;
	}
	return ERR_OK;
}

const struct ingest_kind ingest_loss = {
	.prepare = prepare_loss,
	.announce = announce_losses,
};
