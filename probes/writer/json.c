/* SPDX-License-Identifier: ISC */
/* NDJSON: one record a line, schema sonde-record/1 (sonde-records(5)). */
#include <errno.h>
#include <jansson.h>
#include <string.h>

#include "probes/writer/writer.h"

static int json_open(void **ctx, FILE *to, int colour, struct errmsg *msg)
{
	(void)colour;
	(void)msg;
	*ctx = to;
	return 0;
}

static int json_record(
    void *ctx, const Sonde__Record *record, struct errmsg *msg)
{
	FILE *to = ctx;
	json_t *json = record_to_json(record);
	int failed = json_dumpf(json, to, JSON_COMPACT);
	json_decref(json);
	if (failed || putc('\n', to) == EOF)
		return err_set(msg, -errno, "output: %s", strerror(errno));
	return 0;
}

static int json_close(void *ctx, struct errmsg *msg)
{
	if (fflush(ctx) != 0)
		return err_set(msg, -errno, "output: %s", strerror(errno));
	return 0;
}

const struct writer_ops writer_json = {
    .name = "json",
    .help = "one JSON object a line, schema sonde-record/1",
    .open = json_open,
    .record = json_record,
    .close = json_close,
};
