// SPDX-License-Identifier: ISC
/* `sonde scripts`: the scripts that come along, each with its one line. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "probes/cmd/command.h"
#include "probes/cmd/measure.h"

static const struct option_row rows[] = {
    {.name = "json", .type = OPTION_FLAG,
	.help = "one JSON object a line, schema sonde-script/1"},
    {.name = "allow-weak-sandbox", .type = OPTION_FLAG,
	.help = "read headers although a layer of the sandbox is missing"},
    {.name = NULL},
};
static const struct option_table table = {
    .program = "sonde scripts",
    .synopsis = "[--json]",
    .summary = "the scripts that can be run by name",
    .examples = "sonde scripts\nSONDE_SCRIPTS=~/probes sonde scripts",
    .rows = rows,
    .operands_min = 0,
    .operands_max = 0,
};

static int print_json(const struct script *s)
{
	json_t *options = json_array(), *fields = json_array();
	for (const struct option_row *r = s->options.rows; r->name; r++)
		json_array_append_new(options,
		    json_pack("{s:s, s:s, s:s?}", "name", r->name, "help",
			r->help, "default", r->fallback));
	for (size_t i = 0; i < s->field_count; i++)
		json_array_append_new(fields,
		    json_pack("{s:s, s:s, s:s}", "name", s->fields[i].name,
			"type", s->fields[i].type, "help",
			s->fields[i].help));
	json_t *line = json_pack("{s:s, s:s, s:s, s:s, s:o, s:o}", "schema",
	    "sonde-script/1", "name", s->name, "summary", s->options.summary,
	    "path", s->path, "options", options, "fields", fields);
	int failed = !line || json_dumpf(line, stdout, JSON_COMPACT) != 0;
	putchar('\n');
	json_decref(line);
	return failed ? err_exit_code(ERR_MALFORMED) : 0;
}

static int print_one(const char *name, bool json, bool allow_weak)
{
	struct errmsg msg = {""};
	struct script *script;
	int err = script_load(&script, name, allow_weak, &msg);
	if (err)
		return command_fail("scripts", err, &msg);
	int code = 0;
	if (json)
		code = print_json(script);
	else
		printf("%-12s %s\n", name, script->options.summary);
	script_free(script);
	return code;
}

static int print_all(const struct option_values *values)
{
	struct errmsg msg = {""};
	char **names;
	size_t count;
	int code = 0, err = script_list(&names, &count, &msg);
	if (err)
		return command_fail("scripts", err, &msg);
	for (size_t i = 0; i < count; i++) {
		int one = print_one(names[i], option_flag(values, "json"),
		    option_flag(values, "allow-weak-sandbox"));
		code = code ? code : one;
		free(names[i]);
	}
	free(names);
	return code;
}

static int run(int argc, char **argv)
{
	struct errmsg msg = {""};
	struct option_values *values;
	int err = option_parse(&values, &table, argc, argv, &msg), code = 0;
	if (err)
		return command_fail("scripts", err, &msg);
	if (option_help_asked(values)) {
		char *text = option_help_text(&table);
		fputs(text, stdout);
		free(text);
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
    .run = run,
};
