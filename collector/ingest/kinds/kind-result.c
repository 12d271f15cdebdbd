/* SPDX-License-Identifier: ISC */
/*
 * Rows of scripts' tables.  A row that does not fit its schema is refused; one
 * whose schema is not known (it was lost on the way) is kept as it is, and can
 * be read when the schema comes.
 */
#include "lib/record/result-row.h"
#include <string.h>

#include "collector/core/result-schemas.h"
#include "collector/ingest/kinds/announce.h"
#include "collector/ingest/kinds/ingest-kind.h"

/* Found by the first address in it, if it has one. */
static int prepare_row(
    struct prepared_record *to, const Sonde__Record *record, struct errmsg *msg)
{
	const Sonde__Result *row = record->result;
	(void)msg;
	for (size_t i = 0; i < row->n_row && !to->dst.family; i++) {
		const Sonde__Cell *cell = row->row[i];
		if (cell->n_values > 0 &&
		    cell->values[0]->value_case == SONDE__VALUE__VALUE_ADDRESS)
			to->dst = addr_from_bytes(cell->values[0]->address.data,
			    cell->values[0]->address.len);
	}
	return 1;
}

/* Rows of one script come together. */
static const struct result_schema *find_schema(
    struct ingest_checking *checking, const Sonde__Result *row)
{
	const void *hash = row->hash.data;
	size_t len = row->hash.len;
	if (checking->last_schema && len == RESULT_HASH_LEN &&
	    memcmp(checking->last_schema->hash, hash, len) == 0)
		return checking->last_schema;
	const struct result_schema *found =
	    result_catalog_find(&checking->schemas, hash, len);
	if (!found)
		found = result_schemas_find(checking->collector, hash, len);
	checking->last_schema = found;
	return found;
}

static int check_row(
    struct ingest_checking *checking, uint32_t index, struct errmsg *msg)
{
	const Sonde__Result *row =
	    checking->batch->records[index].record->result;
	const struct result_schema *schema = find_schema(checking, row);
	return schema ? result_check(schema, row, msg) : ERR_OK;
}

static int announce_rows(const struct announcement *a, struct errmsg *msg)
{
	return announce_runs(
	    a, SONDE__RECORD__BODY_RESULT, announce_results, msg);
}

const struct ingest_kind ingest_result = {
	.prepare = prepare_row,
	.check = check_row,
	.announce = announce_rows,
};
