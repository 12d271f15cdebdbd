/* SPDX-License-Identifier: ISC */
#include "lib/record/result-row.h"
#include <stdlib.h>
#include <string.h>

#include "lib/base/xalloc.h"
#include "lib/formats/result-stream.h"

int result_stream_take(struct result_stream *stream,
    const Sonde__Record *record, const struct result_schema **schema,
    struct errmsg *msg)
{
	if (record->body_case == SONDE__RECORD__BODY_RESULT_SCHEMA) {
		int err = result_catalog_add(
		    &stream->catalog, record->result_schema, msg);
		return err < 0 ? err : 0;
	}
	const Sonde__Result *row = record->result;
	*schema = result_catalog_find(
	    &stream->catalog, row->hash.data, row->hash.len);
	if (!*schema)
		return err_set(msg, ERR_NOT_FOUND,
		    "a result of a schema that did not come before it");
	int err = result_check(*schema, row, msg);
	if (err < 0)
		return err;
	const char *table = (*schema)->tables[row->table].name;
	return !stream->table || strcmp(stream->table, table) == 0;
}

void result_stream_select(struct result_stream *stream, const char *table)
{
	free(stream->table);
	stream->table = xstrdup(table);
}

void result_stream_fini(struct result_stream *stream)
{
	result_catalog_fini(&stream->catalog);
	free(stream->table);
	stream->table = NULL;
}
