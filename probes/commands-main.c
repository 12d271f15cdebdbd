/* SPDX-License-Identifier: ISC */
/*
 * sonde-commands: what `sonde` starts for every command but a measurement.  A
 * program of its own, because its libraries (HTTPS, captures) take longer to
 * load than a measurement takes, and are of no use to one.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/stdio-fds.h"
#include "probes/cli/commands.h"
#include "probes/cli/measure.h"
#include "probes/script/shipped.h"

static int run_command(int argc, char **argv)
{
	int at = measure_reorder(argc, argv);
	const char *word = at < argc ? argv[at] : "--help";
	if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0)
		return command_help.run(1, argv);
	const struct command *command = command_find(word);
	if (command)
		return command->run(argc - at, argv + at);
	return command_unknown("sonde", word);
}

/* What was printed must also have been written. */
int main(int argc, char **argv)
{
	if (standard_fds_open() != 0)
		return err_exit_code(-EIO);
	shipped_use(shipped_headers, shipped_header_count, shipped_codes);
	int code = run_command(argc, argv);
	if (fflush(stdout) == 0 && !ferror(stdout))
		return code;
	fprintf(stderr, "sonde: output: cannot be written\n");
	return code ? code : err_exit_code(-EIO);
}
