/* SPDX-License-Identifier: ISC */
/*
 * `sonde help`: an overview, a command, a script, or the formats; with --json
 * the same as objects, schema sonde-help/1.
 */
#include "lib/record/result-json.h"
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "probes/cli/output.h"
#include "probes/cli/commands.h"
#include "probes/cli/measure.h"
#include "probes/script/shipped.h"
#include "lib/formats/json-line.h"
#include "lib/formats/format.h"

static void list_scripts(void)
{
	char **names;
	size_t count;
	if (script_list(&names, &count, NULL) != 0)
		return;
	printf("\nScripts (`sonde help NAME` shows more):\n ");
	for (size_t i = 0; i < count; i++) {
		printf(" %s", names[i]);
		free(names[i]);
	}
	printf("\n");
	free(names);
}

static void list_library(void)
{
	printf("\nLibrary of scripts (sonde-script(7)):\n");
	for (size_t i = 0; i < shipped_library_count; i++)
		printf("  sonde.use \"%s\": %s\n", shipped_libraries[i].name,
		    shipped_libraries[i].help);
}

static int overview(void)
{
	printf("sonde: measure the Internet from here, now\n\n"
	       "Examples:\n"
	       "  sonde trace www.example.net        the path, hop by hop\n"
	       "  sonde ping -c 1 -f hosts.txt       who answers, of many\n"
	       "  sonde trace --json 2001:db8::80    the same as JSON lines\n"
	       "  sonde run my-probe.lua 192.0.2.1   your own script\n"
	       "  sonde --net sim:lab.sim trace web  on a simulated internet\n"
	       "  sonde sensor -r worms.pcap         worm probes in a capture\n"
	       "  sonde submit ping 192.0.2.1        by many agents at once\n"
	       "\n"
	       "Commands:\n");
	for (size_t i = 0; commands[i]; i++)
		printf("  %-12s %s\n", commands[i]->name, commands[i]->summary);
	list_scripts();
	list_library();
	printf("\nEvery command has --help; sonde(1) has the whole story.\n");
	return 0;
}

static int help_formats(void)
{
	for (size_t i = 0; formats[i]; i++)
		printf("  %-10s %s\n", formats[i]->name, formats[i]->help);
	return 0;
}

static void print_tables(const struct script *script)
{
	const struct result_schema *results = script->results;
	for (size_t t = 0; results && t < results->table_count; t++) {
		const struct result_table *table = &results->tables[t];
		printf("\nTable %s%s%s:\n", table->name,
		    *table->help ? ": " : "", table->help);
		for (size_t i = 0; i < table->column_count; i++)
			printf("  %-16s %-8s %s\n", table->columns[i].name,
			    column_type_name(table->columns[i].type),
			    table->columns[i].help);
	}
}

static void print_fields(const struct script *script)
{
	if (script->field_count > 0)
		printf("\nRecords:\n");
	for (size_t i = 0; i < script->field_count; i++)
		printf("  %-16s %-8s %s\n", script->fields[i].name,
		    script->fields[i].type, script->fields[i].help);
}

/* --- as JSON ----------------------------------------------------------- */

static json_t *head_json(
    const char *name, const char *kind, const char *summary)
{
	return json_pack("{s:s, s:s, s:s, s:s}", "schema", "sonde-help/1",
	    "name", name, "kind", kind, "summary", summary);
}

static int print_line(json_t *line)
{
	struct errmsg msg = { "" };
	int err = json_line_write(stdout, line, 0, &msg);
	return err ? command_fail("help", err, &msg) : 0;
}

static int overview_json(bool allow_weak)
{
	char **names;
	size_t count;
	int code = 0;
	for (size_t i = 0; commands[i] && !code; i++)
		code = print_line(head_json(
		    commands[i]->name, "command", commands[i]->summary));
	if (script_list(&names, &count, NULL) != 0)
		return code;
	for (size_t i = 0; i < count; i++) {
		struct script *script;
		if (!code &&
		    script_load(&script, names[i], allow_weak, NULL) == 0) {
			code = print_line(head_json(
			    names[i], "script", script->options.summary));
			script_free(script);
		}
		free(names[i]);
	}
	free(names);
	for (size_t i = 0; i < shipped_library_count && !code; i++)
		code = print_line(head_json(shipped_libraries[i].name,
		    "library", shipped_libraries[i].help));
	return code;
}

static int formats_json(void)
{
	int code = 0;
	for (size_t i = 0; formats[i] && !code; i++)
		code = print_line(
		    head_json(formats[i]->name, "format", formats[i]->help));
	return code;
}

static json_t *lines_json(const char *text)
{
	json_t *list = json_array();
	for (; text && *text; text += *text == '\n') {
		size_t len = strcspn(text, "\n");
		json_array_append_new(list, json_stringn(text, len));
		text += len;
	}
	return list;
}

static json_t *table_json(
    const char *name, const char *kind, const struct option_table *t)
{
	json_t *line = head_json(name, kind, t->summary);
	json_object_set_new(
	    line, "synopsis", json_string(t->synopsis ? t->synopsis : ""));
	json_object_set_new(line, "examples", lines_json(t->examples));
	json_object_set_new(line, "options", output_options_json(t->rows));
	return line;
}

/* --- one thing --------------------------------------------------------- */

static int help_command(const struct command *command, bool json)
{
	if (json)
		return print_line(
		    table_json(command->name, "command", command->options));
	command_print_help(command->options);
	return 0;
}

/* The next line of the comment that a library begins with, or NULL. */
static const char *comment_line(const char **at, size_t *len)
{
	const char *line = *at;
	if (line[0] != '-' && line[0] != '\n')
		return NULL;
	size_t whole = strcspn(line, "\n");
	*at = line + whole + (line[whole] == '\n');
	*len = whole > 3 ? whole - 3 : 0;
	return *len > 0 ? line + 3 : line;
}

static int help_library(const struct shipped_library *library, bool json)
{
	json_t *text = json_array();
	const char *at = library->source, *line;
	size_t len;
	comment_line(&at, &len); /* its licence */
	if (!json)
		printf("sonde.use \"%s\"\n\n", library->name);
	while ((line = comment_line(&at, &len)) != NULL) {
		json_array_append_new(text, json_stringn(line, len));
		if (!json)
			printf("%.*s\n", (int)len, line);
	}
	json_t *help = head_json(library->name, "library", library->help);
	json_object_set_new(help, "text", text);
	if (json)
		return print_line(help);
	json_decref(help);
	return 0;
}

static int help_script(const char *name, bool allow_weak, bool json)
{
	struct errmsg msg = { "" };
	struct script *script;
	int code = 0, err = script_load(&script, name, allow_weak, &msg);
	if (err == ERR_NOT_FOUND) {
		const struct shipped_library *library =
		    shipped_library_find(name);
		return library ? help_library(library, json)
			       : command_unknown("sonde help", name);
	}
	if (err)
		return command_fail("help", err, &msg);
	struct option_table *table = measure_table(script);
	if (json) {
		json_t *line = table_json(script->name, "script", table);
		json_t *fields = json_array();
		for (size_t i = 0; i < script->field_count; i++)
			json_array_append_new(fields,
			    json_pack("{s:s, s:s, s:s}", "name",
				script->fields[i].name, "type",
				script->fields[i].type, "help",
				script->fields[i].help));
		json_object_set_new(line, "fields", fields);
		if (script->results)
			json_object_set_new(line, "results",
			    result_schema_json(script->results));
		code = print_line(line);
	} else {
		command_print_help(table);
		print_fields(script);
		print_tables(script);
	}
	measure_table_free(table);
	script_free(script);
	return code;
}

static const struct option_row rows[] = {
	{ .name = "json",
	    .type = OPTION_FLAG,
	    .help = "one JSON object a line, schema sonde-help/1" },
	{ .name = "allow-weak-sandbox",
	    .type = OPTION_FLAG,
	    .help = "read a script's header although a layer is missing" },
	{ .name = NULL },
};
static const struct option_table table = {
	.program = "sonde help",
	.synopsis = "[COMMAND | SCRIPT | LIBRARY | FILE.lua | formats]",
	.summary = "what a command or a script does, and its options",
	.examples = "sonde help trace\nsonde help ./my-probe.lua",
	.rows = rows,
	.operands_min = 0,
	.operands_max = 1,
};

static int help_topic(const char *topic, bool json, bool allow_weak)
{
	if (!topic)
		return json ? overview_json(allow_weak) : overview();
	if (strcmp(topic, "formats") == 0)
		return json ? formats_json() : help_formats();
	const struct command *command = command_find(topic);
	return command ? help_command(command, json)
		       : help_script(topic, allow_weak, json);
}

static int run_help(int argc, char **argv)
{
	struct errmsg msg = { "" };
	struct option_values *values;
	const char *const *operands;
	int err = option_parse(&values, &table, argc, argv, &msg), code = 0;
	if (err)
		return command_fail("help", err, &msg);
	size_t count = option_operands(values, &operands);
	if (option_help_asked(values))
		command_print_help(&table);
	else
		code = help_topic(count ? operands[0] : NULL,
		    option_flag(values, "json"),
		    option_flag(values, "allow-weak-sandbox"));
	option_free(values);
	return code;
}

const struct command command_help = {
	.name = "help",
	.summary = "what a command or a script does, and its options",
	.options = &table,
	.run = run_help,
};
