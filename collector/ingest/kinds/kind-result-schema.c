/* SPDX-License-Identifier: ISC */
/* The tables that scripts declare: kept by their hash in the registry. */
#include "collector/core/agent-table.h"
#include "collector/core/result-schemas.h"
#include "collector/ingest/kinds/ingest-kind.h"

static int prepare_schema(
    struct prepared_record *to, const Sonde__Record *record, struct errmsg *msg)
{
	(void)to;
	(void)record;
	(void)msg;
	return 1;
}

static int check_schema(
    struct ingest_checking *checking, uint32_t index, struct errmsg *msg)
{
	const Sonde__Record *record = checking->batch->records[index].record;
	if (record->result_schema->hash.len == 0)
		return err_set(
		    msg, ERR_MALFORMED, "result schema: hash: expected one");
	int err =
	    result_catalog_add(&checking->schemas, record->result_schema, msg);
	return err < 0 ? err : ERR_OK;
}

/* In the registry's transaction, as events are: they name what they are, so
 * that one which is written twice, or without its record, does no harm. */
static int announce_schemas(const struct announcement *a, struct errmsg *msg)
{
	for (uint32_t i = a->outcome->first_new; i < a->batch->header.count;
	     i++) {
		const struct prepared_record *record = &a->batch->records[i];
		if (record->kind != SONDE__RECORD__BODY_RESULT_SCHEMA)
			continue;
		int err = result_schemas_add(a->collector, a->agent->row,
		    record->record->result_schema, msg);
		if (err < 0)
			return err;
	}
	return ERR_OK;
}

const struct ingest_kind ingest_result_schema = {
	.prepare = prepare_schema,
	.check = check_schema,
	.announce = announce_schemas,
	.expire = result_schemas_expire,
};
