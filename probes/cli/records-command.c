/* SPDX-License-Identifier: ISC */
/* `sonde records`: what the collector holds, in any format;
 * --json shows each record with its agent, epoch and number. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/xalloc.h"
#include "probes/cli/api-client.h"
#include "lib/formats/format.h"
#include "lib/record/result.h"

static const struct option_row rows[] = {
	{ "kind", 'k', OPTION_TEXT, "KINDS", NULL, 0, 0, NULL,
	    "trace,ping,sighting,...: only these" },
	{ "agent", 0, OPTION_TEXT, "ID", NULL, 0, 0, NULL,
	    "of this agent only" },
	{ "campaign", 0, OPTION_TEXT, "ID", NULL, 0, 0, NULL,
	    "of this campaign only" },
	{ "run", 0, OPTION_TEXT, "NUMBER", NULL, 0, 0, NULL,
	    "of this run of it only" },
	{ "src", 0, OPTION_TEXT, "ADDRESS", NULL, 0, 0, NULL,
	    "from this address only" },
	{ "dst", 0, OPTION_TEXT, "ADDRESS", NULL, 0, 0, NULL,
	    "towards this address only" },
	{ "from", 0, OPTION_TEXT, "TIME", NULL, 0, 0, "-1h",
	    "RFC 3339, or -1h for an hour ago" },
	{ "to", 0, OPTION_TEXT, "TIME", NULL, 0, 0, NULL, "likewise" },
	{ "table", 0, OPTION_TEXT, "NAME", NULL, 0, 0, NULL,
	    "of scripts' results, only tables of this name" },
	{ "format", 'f', OPTION_TEXT, "FORMAT", NULL, 0, 0, NULL,
	    "text, csv, ...; `sonde help formats` lists them" },
	OUTPUT_JSON_ROW,
	OUTPUT_CSV_ROW,
	CLIENT_LIMIT_ROW,
	CLIENT_ROWS,
	CLIENT_END,
};

static const struct option_table options = {
	.program = "sonde records",
	.synopsis = "[--kind KINDS] [--json | --csv | -f FORMAT]",
	.summary = "show records that a collector holds",
	.examples =
	    "sonde records --kind trace --from -10m\n"
	    "sonde records --kind sighting --json -n 1000 | jq .record\n"
	    "sonde records --kind ping --csv --from -1d -n 100000\n"
	    "sonde records --kind result --table summary --csv",
	.rows = rows,
};

struct format {
	const struct format_ops *ops;
	void *ctx;
	unsigned long left_out; /* no form in this format */
	/* For the schemas, which are read once, when the records that were
	 * asked for are there: what fails by then fails by their name. */
	struct api_client *client;
	const struct option_values *values;
	bool has_schemas;
};

/* A schema as the record that brought it, for the rows that come after. */
static int write_schema(void *arg, json_t *item, struct errmsg *msg)
{
	struct format *out = arg;
	Sonde__Record *record;
	json_t *json = json_pack("{s:O}", "result_schema", item);
	int err = record_from_json(&record, json, msg);
	json_decref(json);
	if (!err)
		err = out->ops->item(out->ctx, record, msg);
	record_free(record);
	return err == ERR_UNSUPPORTED || err == FORMAT_SKIPPED ? 0 : err;
}

/* Formats read rows of scripts' tables by schemas, which the agents sent once
 * and long ago. */
static int write_schemas(struct format *out, struct errmsg *msg)
{
	const char *kinds = option_text(out->values, "kind");
	const char *table = option_text(out->values, "table");
	if (out->has_schemas)
		return 0;
	out->has_schemas = true;
	if (!out->ops->select || (kinds && !strstr(kinds, "result")))
		return 0;
	if (table)
		out->ops->select(out->ctx, table);
	return client_list(out->client, "/api/v1/results", RESULT_SCHEMAS_MAX,
	    write_schema, out, msg);
}

static int write_item(void *arg, json_t *item, struct errmsg *msg)
{
	struct format *out = arg;
	Sonde__Record *record;
	int err = write_schemas(out, msg);
	if (err)
		return err;
	err = record_from_json(&record, json_object_get(item, "record"), msg);
	if (!err)
		err = out->ops->item(out->ctx, record, msg);
	record_free(record);
	if (err != ERR_UNSUPPORTED && err != FORMAT_SKIPPED)
		return err;
	out->left_out++;
	return 0;
}

static int print_item(void *arg, json_t *item, struct errmsg *msg)
{
	(void)arg;
	return client_print_json("sonde-stored-record/1", item, msg);
}

static int show_records(struct api_client *client,
    const struct option_values *values, const struct format_ops *ops,
    const char *path, struct errmsg *msg)
{
	int64_t limit = option_integer(values, "limit");
	struct format out = { .ops = ops, .client = client, .values = values };
	if (option_flag(values, "json"))
		return client_list(client, path, limit, print_item, NULL, msg);
	int err = out.ops->open(&out.ctx, stdout, 0, msg);
	if (err)
		return err;
	err = client_list(client, path, limit, write_item, &out, msg);
	if (!err)
		err = write_schemas(&out, msg); /* a table's head, of no rows */
	if (out.left_out)
		fprintf(stderr,
		    "sonde records: %lu left out: the format has no form for "
		    "their kind, or no columns beside the first's; choose with "
		    "--kind\n",
		    out.left_out);
	struct errmsg closing;
	int last = out.ops->close(out.ctx, err ? &closing : msg);
	return err ? err : last;
}

static int run_records(int argc, char **argv)
{
	static const char *const filters[] = { "kind", "agent", "campaign",
		"run", "src", "dst", "from", "to" };
	struct option_values *values;
	struct api_client *client = NULL;
	const struct format_ops *ops = NULL;
	struct errmsg msg = { "" };
	int code;
	if (!client_options(&values, &command_records, argc, argv, &code))
		return code;
	char *path = xstrdup("/api/v1/records");
	for (size_t i = 0; i < sizeof(filters) / sizeof(*filters); i++)
		client_query(
		    &path, filters[i], option_text(values, filters[i]));
	int err = output_format(&ops, values, &msg);
	if (err < 0)
		goto out;
	err = client_open(&client, values, &msg);
	if (err < 0)
		goto out;
	err = show_records(client, values, ops, path, &msg);
out:
	client_close(client);
	free(path);
	option_free(values);
	return err ? command_fail(command_records.name, err, &msg) : 0;
}

const struct command command_records = {
	.name = "records",
	.summary = "show records that a collector holds",
	.options = &options,
	.run = run_records,
};
