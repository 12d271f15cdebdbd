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

extern const struct command command_help, command_scripts, command_run,
    command_sensor, command_spikes, command_doctor, command_submit,
    command_runs, command_records, command_agents, command_campaigns,
    command_token, command_completion;
