/* SPDX-License-Identifier: ISC */
/*
 * NDJSON: one record a line, schema sonde-record/1 (sonde-records(5)).  A
 * script's row of a table, whose columns its schema record named before, is a
 * line of schema sonde-result/1.
 */
#include "lib/record/result-json.h"
#include <stdlib.h>

#include "lib/base/xalloc.h"
#include "lib/formats/format.h"
#include "lib/formats/json-line.h"
#include "lib/formats/result-stream.h"

struct json_format {
	FILE *to; /* borrowed */
	struct result_stream results;
	struct buf line;
};

static int json_open(void **ctx, FILE *to, int colour, struct errmsg *msg)
{
	(void)colour;
	(void)msg;
	struct json_format *format = xcalloc(1, sizeof(*format));
	format->to = to;
	*ctx = format;
	return 0;
}

static int json_record(
    void *ctx, const Sonde__Record *record, struct errmsg *msg)
{
	struct json_format *format = ctx;
	const struct result_schema *schema;
	bool row = record->body_case == SONDE__RECORD__BODY_RESULT;
	if (row || record->body_case == SONDE__RECORD__BODY_RESULT_SCHEMA) {
		int err =
		    result_stream_take(&format->results, record, &schema, msg);
		if (row && err == 1)
			return json_line_write(
			    format->to, result_to_json(schema, record), 0, msg);
		if (row && err == 0)
			return 0; /* of a table that was not asked for */
		if (err < 0 && err != ERR_NOT_FOUND)
			return err;
	}
	buf_clear(&format->line);
	record_put_json(&format->line, record);
	return json_line_write_text(format->to, &format->line, msg);
}

static void json_select(void *ctx, const char *table)
{
	struct json_format *format = ctx;
	result_stream_select(&format->results, table);
}

static int json_close(void *ctx, struct errmsg *msg)
{
	struct json_format *format = ctx;
	FILE *to = format->to;
	result_stream_fini(&format->results);
	buf_fini(&format->line);
	free(format);
	return json_line_close(to, msg);
}

const struct format_ops format_json = {
	.name = "json",
	.help = "one JSON object a line, schema sonde-record/1",
	.media_type = "application/jsonl",
	.extension = "jsonl",
	.open = json_open,
	.item = json_record,
	.select = json_select,
	.close = json_close,
};
