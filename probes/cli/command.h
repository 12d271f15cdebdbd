/* SPDX-License-Identifier: ISC */
/*
 * A subcommand of `sonde`: one file in probes/cli/ that ends in one const
 * struct, listed in probes/cli/commands.c.
 */
#pragma once

#include "lib/option/option.h"

struct command {
	const char *name;    /* "sensor" */
	const char *summary; /* one line for `sonde --help` */
	const struct option_table *options;
	/* argv[0] is the subcommand.  Returns the exit code. */
	int (*run)(int argc, char **argv);
};

/* Prints "sonde NAME: text" to standard error and gives the exit code that
 * goes with err. */
int command_fail(const char *name, int err, const struct errmsg *msg);

/* What --help shows. */
void command_print_help(const struct option_table *table);

/* All of them, in the order that `sonde --help` shows them. */
#define COMMANDS(X)  \
	X(run)       \
	X(scripts)   \
	X(sensor)    \
	X(submit)    \
	X(campaigns) \
	X(runs)      \
	X(records)   \
	X(agents)    \
	X(token)     \
	X(doctor)    \
	X(spikes)    \
	X(help)      \
	X(completion)
#define COMMAND_DECLARE(name) extern const struct command command_##name;
COMMANDS(COMMAND_DECLARE)
