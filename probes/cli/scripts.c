/* SPDX-License-Identifier: ISC */
/* `sonde scripts`: the scripts that come along, each with its one line. */
#include "lib/record/result-json.h"
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "probes/cli/command.h"
#include "probes/cli/measure.h"
#include "probes/cli/output.h"

static const struct option_row rows[] = {
	{ .name = "json",
	    .type = OPTION_FLAG,
	    .help = "one JSON object a line, schema sonde-script/1" },
	{ .name = "csv",
	    .type = OPTION_FLAG,
	    .help = "rows for a spreadsheet" },
	{ .name = "allow-weak-sandbox",
	    .type = OPTION_FLAG,
	    .help = "read headers although a layer of the sandbox is missing" },
	{ .name = NULL },
};
static const struct option_table table = {
	.program = "sonde scripts",
	.synopsis = "[--json | --csv]",
	.summary = "the scripts that can be run by name",
	.examples = "sonde scripts\nSONDE_SCRIPTS=~/probes sonde scripts",
	.rows = rows,
	.operands_min = 0,
	.operands_max = 0,
};

static const struct output_column columns[] = {
	{ "NAME", "name", 11, NULL, NULL },
	{ "SUMMARY", "summary", 0, NULL, NULL },
	{ NULL, "path", 0, NULL, NULL },
	{ .key = NULL },
};

/* The caller's reference. */
static json_t *script_json(const struct script *s)
{
	json_t *options = output_options_json(s->options.rows);
	json_t *fields = json_array();
	for (size_t i = 0; i < s->field_count; i++)
		json_array_append_new(fields,
		    json_pack("{s:s, s:s, s:s}", "name", s->fields[i].name,
			"type", s->fields[i].type, "help", s->fields[i].help));
	json_t *json = json_pack("{s:s, s:s, s:s, s:o, s:o}", "name", s->name,
	    "summary", s->options.summary, "path", s->path, "options", options,
	    "fields", fields);
	if (s->results)
		json_object_set_new(
		    json, "results", result_schema_json(s->results));
	return json;
}

static int print_one(struct output *output, const char *name, bool allow_weak)
{
	struct errmsg msg = { "" };
	struct script *script;
	int err = script_load(&script, name, allow_weak, &msg);
	if (err)
		return command_fail("scripts", err, &msg);
	json_t *json = script_json(script);
	err = output_row(output, json, &msg);
	json_decref(json);
	script_free(script);
	return err ? command_fail("scripts", err, &msg) : 0;
}

static int print_all(const struct option_values *values)
{
	struct errmsg msg = { "" };
	char **names;
	size_t count;
	int code = 0;
	struct output output;
	int err = output_init(&output, values, "sonde-script/1", columns, &msg);
	output.titled = output.form == OUTPUT_TEXT; /* it needs no titles */
	if (!err)
		err = script_list(&names, &count, &msg);
	if (err)
		return command_fail("scripts", err, &msg);
	for (size_t i = 0; i < count; i++) {
		int one = print_one(&output, names[i],
		    option_flag(values, "allow-weak-sandbox"));
		code = code ? code : one;
		free(names[i]);
	}
	free(names);
	output_end(&output);
	return code;
}

static int run_scripts(int argc, char **argv)
{
	struct errmsg msg = { "" };
	struct option_values *values;
	int err = option_parse(&values, &table, argc, argv, &msg), code = 0;
	if (err)
		return command_fail("scripts", err, &msg);
	if (option_help_asked(values)) {
		command_print_help(&table);
	} else {
		code = print_all(values);
	}
	option_free(values);
	return code;
}

const struct command command_scripts = {
	.name = "scripts",
	.summary = "the scripts that can be run by name",
	.options = &table,
	.run = run_scripts,
};
