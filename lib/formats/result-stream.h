/* SPDX-License-Identifier: ISC */
/* What formats share about results of scripts: the schemas that a stream of
 * records brought, and which table is asked for. */
#pragma once

#include "lib/record/result.h"

struct result_stream { /* zero: empty, all tables */
	struct result_catalog catalog;
	char *table; /* owned; only rows of tables of this name */
};
/* Of a result_schema or result record.  1: a row, of *schema and checked
 * against it; 0: nothing to print; ERR_NOT_FOUND: a row of a schema that did
 * not come; any other error: the record is not what it says. */
int result_stream_take(struct result_stream *stream,
    const Sonde__Record *record, const struct result_schema **schema,
    struct errmsg *msg);
void result_stream_select(struct result_stream *stream, const char *table);
void result_stream_fini(struct result_stream *stream);
