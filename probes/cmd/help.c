// SPDX-License-Identifier: ISC
/* `sonde help`: an overview, a command, a script, or the formats. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "probes/cmd/command.h"
#include "probes/cmd/measure.h"
#include "probes/writer/writer.h"

static void list_scripts(void)
{
	char **names;
	size_t count;
	if (script_list(&names, &count, NULL) != 0)
		return;
	printf("\nScripts (`sonde help NAME` says more):\n ");
	for (size_t i = 0; i < count; i++) {
		printf(" %s", names[i]);
		free(names[i]);
	}
	printf("\n");
	free(names);
}

static int overview(void)
{
	printf(
	    "sonde: measure the Internet from here, now\n\n"
	    "Examples:\n"
	    "  sonde trace www.example.net        the path, hop by hop\n"
	    "  sonde ping -c 1 -f hosts.txt       who answers, of many\n"
	    "  sonde trace --json 2001:db8::80    the same as JSON lines\n"
	    "  sonde run my-probe.lua 192.0.2.1   your own script\n"
	    "  sonde --net sim:lab.sim trace web  on a simulated internet\n"
	    "  sonde sensor -r worms.pcap         worm probes in a capture\n"
	    "\n"
	    "Commands:\n");
	for (size_t i = 0; commands[i]; i++)
		printf("  %-12s %s\n", commands[i]->name,
		    commands[i]->summary);
	list_scripts();
	printf("\nEvery command has --help; sonde(1) has the whole story.\n");
	return 0;
}

static int help_formats(void)
{
	for (size_t i = 0; writers[i]; i++)
		printf("  %-10s %s\n", writers[i]->name, writers[i]->help);
	return 0;
}

static void print_table(const struct option_table *table)
{
	char *text = option_help_text(table);
	fputs(text, stdout);
	free(text);
}

static void print_fields(const struct script *script)
{
	if (script->field_count > 0)
		printf("\nRecords:\n");
	for (size_t i = 0; i < script->field_count; i++)
		printf("  %-16s %-8s %s\n", script->fields[i].name,
		    script->fields[i].type, script->fields[i].help);
}

static int help_script(const char *name, bool allow_weak)
{
	struct errmsg msg = {""};
	struct script *script;
	int err = script_load(&script, name, allow_weak, &msg);
	if (err)
		return command_fail("help", err, &msg);
	struct option_table *table = measure_table(script);
	print_table(table);
	print_fields(script);
	measure_table_free(table);
	script_free(script);
	return 0;
}

static const struct option_row rows[] = {
    {.name = "allow-weak-sandbox", .type = OPTION_FLAG,
	.help = "read a script's header although a layer is missing"},
    {.name = NULL},
};
static const struct option_table table = {
    .program = "sonde help",
    .synopsis = "[COMMAND | SCRIPT | FILE.lua | formats]",
    .summary = "what a command or a script does, and its options",
    .examples = "sonde help trace\nsonde help ./my-probe.lua",
    .rows = rows,
    .operands_min = 0,
    .operands_max = 1,
};

static int run(int argc, char **argv)
{
	struct errmsg msg = {""};
	struct option_values *values;
	const char *const *operands;
	int err = option_parse(&values, &table, argc, argv, &msg), code;
	if (err)
		return command_fail("help", err, &msg);
	size_t count = option_operands(values, &operands);
	const struct command *command =
	    count ? command_find(operands[0]) : NULL;
	if (option_help_asked(values)) {
		print_table(&table);
		code = 0;
	} else if (count == 0) {
		code = overview();
	} else if (command && command->options) {
		print_table(command->options);
		code = 0;
	} else if (command) {
		char ask[] = "--help";
		code = command->run(
		    2, (char *[]){(char *)command->name, ask, NULL});
	} else if (strcmp(operands[0], "formats") == 0) {
		code = help_formats();
	} else {
		code = help_script(operands[0],
		    option_flag(values, "allow-weak-sandbox"));
	}
	option_free(values);
	return code;
}

const struct command command_help = {
    .name = "help",
    .summary = "what a command or a script does, and its options",
    .options = &table,
    .run = run,
};
