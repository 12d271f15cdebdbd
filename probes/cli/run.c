/* SPDX-License-Identifier: ISC */
/* `sonde run FILE.lua ARGUMENTS`: a script of the user's own. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/xalloc.h"
#include "probes/cli/command.h"
#include "probes/cli/measure.h"

static const struct option_table table = {
	.program = "sonde run",
	.synopsis = "FILE.lua [OPTION...] [OPERAND...]",
	.summary = "run a script: its options are its own and the common ones",
	.examples = "sonde run my-probe.lua 192.0.2.1\n"
		    "sonde run my-probe.lua --help\n"
		    "sonde --net sim:lab.sim run my-probe.lua web",
	.rows = measure_rows,
	.operands_min = 1,
	.operands_max = -1,
};

static int run_own_script(int argc, char **argv)
{
	struct errmsg msg;
	int at = measure_reorder(argc, argv);
	if (at < argc &&
	    (strcmp(argv[at], "--help") == 0 || strcmp(argv[at], "-h") == 0)) {
		command_print_help(&table);
		return 0;
	}
	if (at >= argc) {
		err_set(&msg, ERR_USAGE,
		    "expected a script; `sonde scripts` "
		    "lists those that run by name");
		return command_fail("run", ERR_USAGE, &msg);
	}
	/* A bare word here is a file too, not the name of a shipped script. */
	char *path = strchr(argv[at], '/') ? xstrdup(argv[at])
					   : xasprintf("./%s", argv[at]);
	int code = measure_main(path, argc - at, argv + at);
	free(path);
	return code;
}

const struct command command_run = {
	.name = "run",
	.summary = "run a script of your own",
	.options = &table,
	.run = run_own_script,
};
