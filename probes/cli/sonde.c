/* SPDX-License-Identifier: ISC */
/*
 * The command `sonde`: a subcommand, or any script by its name.  Common
 * options may stand before the word too: `sonde --net sim:FILE trace HOST`.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/stdio-fds.h"
#include "lib/base/xalloc.h"
#include "probes/cli/commands.h"
#include "probes/cli/measure.h"

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

/* Options alone: of what? */
static int no_word(const char *option)
{
	if (!measure_option_is_common(option))
		fprintf(stderr,
		    "sonde: %.60s: unknown option; `sonde --help` "
		    "lists what there is\n",
		    option);
	else
		fprintf(stderr,
		    "sonde: expected a command or a script after "
		    "%.60s, as in `sonde %.60s trace HOST`\n",
		    option, option);
	return err_exit_code(ERR_USAGE);
}

static int dispatch(int argc, char **argv)
{
	int at = measure_reorder(argc, argv);
	if (at >= argc && argc > 1)
		return no_word(argv[1]);
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
	return command_unknown("sonde", word);
}

/* What was printed must also have been written. */
int main(int argc, char **argv)
{
	if (standard_fds_open() != 0)
		return err_exit_code(-EIO);
	int code = dispatch(argc, argv);
	if (fflush(stdout) == 0 && !ferror(stdout))
		return code;
	fprintf(stderr, "sonde: output: cannot be written\n");
	return code ? code : err_exit_code(-EIO);
}
