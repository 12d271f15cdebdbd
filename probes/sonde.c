// SPDX-License-Identifier: ISC
/*
 * The command `sonde`: a subcommand, or any script by its name.  Common
 * options may stand before the word too: `sonde --net sim:FILE trace HOST`.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/xalloc.h"
#include "probes/cmd/command.h"
#include "probes/cmd/measure.h"

/* Every word that could have been meant: commands and scripts. */
static const char *nearest(const char *word, char **scripts, size_t count)
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

static int unknown(const char *word)
{
	char **scripts;
	size_t count;
	script_list(&scripts, &count, NULL);
	const char *near = nearest(word, scripts, count);
	fprintf(stderr, "sonde: '%.60s' is no command and no script%s%s%s\n",
	    word, near ? "; did you mean '" : "", near ? near : "",
	    near ? "'?" : "; `sonde --help` and `sonde scripts` list them");
	for (size_t i = 0; i < count; i++)
		free(scripts[i]);
	free(scripts);
	return err_exit_code(ERR_USAGE);
}

static bool is_script(const char *word)
{
	char **scripts;
	size_t count;
	bool found = false;
	script_list(&scripts, &count, NULL);
	for (size_t i = 0; i < count; i++) {
		found = found || strcmp(scripts[i], word) == 0;
		free(scripts[i]);
	}
	free(scripts);
	return found;
}

static int dispatch(int argc, char **argv)
{
	int at = measure_reorder(argc, argv);
	const char *word = at < argc ? argv[at] : "--help";
	if (strcmp(word, "--version") == 0) {
		puts("sonde " SONDE_VERSION);
		return 0;
	}
	if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0)
		return command_help.run(1, argv);
	const struct command *command = command_find(word);
	if (command)
		return command->run(argc - at, argv + at);
	if (is_script(word))
		return measure_main(word, argc - at, argv + at);
	return unknown(word);
}

/* What was printed must also have been written. */
int main(int argc, char **argv)
{
	int code = dispatch(argc, argv);
	if (fflush(stdout) == 0 && !ferror(stdout))
		return code;
	fprintf(stderr, "sonde: output: cannot be written\n");
	return code ? code : err_exit_code(-EIO);
}
