/* SPDX-License-Identifier: ISC */
/* NDJSON: one record a line, schema sonde-record/1 (sonde-records(5)). */
#include "lib/formats/json-line.h"
#include "lib/formats/format.h"

static int json_record(
    void *ctx, const Sonde__Record *record, struct errmsg *msg)
{
	return json_line_write(ctx, record_to_json(record), 0, msg);
}

const struct writer_ops writer_json = {
	.name = "json",
	.help = "one JSON object a line, schema sonde-record/1",
	.open = json_line_open,
	.record = json_record,
	.close = json_line_close,
};
