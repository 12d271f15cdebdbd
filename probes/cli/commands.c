/* SPDX-License-Identifier: ISC */
/* The subcommands, and what to report of a word that is none of them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/addr.h"
#include "lib/base/xalloc.h"
#include "probes/cli/measure.h"
#include "probes/cli/commands.h"

#define POINTER(name) &command_##name,
const struct command *const commands[] = { COMMANDS(POINTER) NULL };

const struct command *command_find(const char *name)
{
	for (size_t i = 0; commands[i]; i++)
		if (strcmp(commands[i]->name, name) == 0)
			return commands[i];
	return NULL;
}

/* Every word that could have been meant: commands and scripts. */
static const char *find_nearest(const char *word, char **scripts, size_t count)
{
	const char **names = xcalloc(count + 64, sizeof(*names));
	size_t n = 0;
	for (size_t i = 0; commands[i] && n < 64; i++)
		names[n++] = commands[i]->name;
	for (size_t i = 0; i < count; i++)
		names[n++] = scripts[i];
	const char *near = option_nearest(word, names, n);
	free(names);
	return near;
}

static bool is_host(const char *word)
{
	struct addr a;
	return addr_parse(&a, word) == 0 || strchr(word, '.') != NULL;
}

static void suggest(const char *word, const char *near)
{
	size_t len = strlen(word);
	if (near)
		fprintf(stderr, "; did you mean '%s'?\n", near);
	else if (len > 4 && strcmp(word + len - 4, ".lua") == 0)
		fprintf(stderr, "; did you mean `sonde run %.60s`?\n", word);
	else if (is_host(word))
		fprintf(stderr, "; did you mean `sonde trace %.60s`?\n", word);
	else
		fprintf(
		    stderr, "; `sonde --help` and `sonde scripts` list them\n");
}

int command_unknown(const char *before, const char *word)
{
	char **scripts = NULL;
	size_t count = 0;
	if (*word == '-') {
		fprintf(stderr,
		    "%s: %.60s: unknown option; expected a command or a "
		    "script first: `sonde --help` lists them\n",
		    before, word);
		return err_exit_code(ERR_USAGE);
	}
	if (script_list(&scripts, &count, NULL) != 0 || !scripts)
		count = 0;
	fprintf(
	    stderr, "%s: '%.60s' is no command and no script", before, word);
	suggest(word, find_nearest(word, scripts, count));
	for (size_t i = 0; i < count; i++)
		free(scripts[i]);
	free(scripts);
	return err_exit_code(ERR_USAGE);
}
