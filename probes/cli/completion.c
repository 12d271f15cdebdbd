/* SPDX-License-Identifier: ISC */
/* `sonde completion SHELL`: every command, script and option. */
#include <stdio.h>
#include <stdlib.h>

#include "lib/base/xalloc.h"
#include "probes/cli/commands.h"
#include "probes/cli/measure.h"
#include "lib/formats/json-line.h"

static const struct option_row rows[] = {
	{ .name = "json",
	    .type = OPTION_FLAG,
	    .help = "the text in one JSON object, schema sonde-completion/1" },
	{ .name = "allow-weak-sandbox",
	    .type = OPTION_FLAG,
	    .help = "read headers although a layer of the sandbox is missing" },
	{ .name = NULL },
};
static const struct option_table table = {
	.program = "sonde completion",
	.synopsis = "bash|zsh|fish",
	.summary = "completion for a shell, to be read by it",
	.examples =
	    "source <(sonde completion bash)\n"
	    "sonde completion fish >~/.config/fish/completions/sonde.fish",
	.rows = rows,
	.operands_min = 1,
	.operands_max = 1,
};

struct command_tables {
	struct script **scripts;
	struct option_table **made; /* of scripts */
	const struct option_table **all;
	size_t script_count, count;
};

static void add_scripts(struct command_tables *t, bool allow_weak)
{
	char **names;
	size_t count;
	if (script_list(&names, &count, NULL) != 0)
		return;
	t->scripts = xcalloc(count, sizeof(struct script *));
	t->made = xcalloc(count, sizeof(struct option_table *));
	t->all = xreallocarray(
	    t->all, t->count + count, sizeof(struct option_table *));
	for (size_t i = 0; i < count; i++) {
		struct script *s;
		if (script_load(&s, names[i], allow_weak, NULL) == 0) {
			t->scripts[t->script_count] = s;
			t->made[t->script_count] = measure_table(s);
			t->all[t->count++] = t->made[t->script_count++];
		}
		free(names[i]);
	}
	free(names);
}

static void gather(struct command_tables *t, bool allow_weak)
{
	size_t count = 0;
	while (commands[count])
		count++;
	t->all = xcalloc(count + 1, sizeof(struct option_table *));
	for (size_t i = 0; i < count; i++)
		if (commands[i]->options)
			t->all[t->count++] = commands[i]->options;
	add_scripts(t, allow_weak);
}

static void release(struct command_tables *t)
{
	for (size_t i = 0; i < t->script_count; i++) {
		measure_table_free(t->made[i]);
		script_free(t->scripts[i]);
	}
	free(t->scripts);
	free(t->made);
	free(t->all);
}

static int print_for(const char *shell, bool json, bool allow_weak)
{
	struct errmsg msg = { "" };
	struct command_tables t = { 0 };
	gather(&t, allow_weak);
	char *text = option_completion(t.all, t.count, shell);
	release(&t);
	if (!text) {
		err_set(&msg, ERR_USAGE,
		    "expected bash, zsh or fish, got '%.40s'", shell);
		return command_fail("completion", ERR_USAGE, &msg);
	}
	int err = 0;
	if (json)
		err = json_line_write(stdout,
		    json_pack("{s:s, s:s, s:s}", "schema", "sonde-completion/1",
			"shell", shell, "text", text),
		    0, &msg);
	else
		fputs(text, stdout);
	free(text);
	return err ? command_fail("completion", err, &msg) : 0;
}

static int run_completion(int argc, char **argv)
{
	struct errmsg msg = { "" };
	struct option_values *values;
	const char *const *operands;
	int err = option_parse(&values, &table, argc, argv, &msg), code = 0;
	if (err)
		return command_fail("completion", err, &msg);
	if (option_help_asked(values)) {
		command_print_help(&table);
	} else {
		option_operands(values, &operands);
		code = print_for(operands[0], option_flag(values, "json"),
		    option_flag(values, "allow-weak-sandbox"));
	}
	option_free(values);
	return code;
}

const struct command command_completion = {
	.name = "completion",
	.summary = "completion for bash, zsh or fish",
	.options = &table,
	.run = run_completion,
};
