/* SPDX-License-Identifier: ISC */
/* The subcommands, in the order that `sonde --help` shows them. */
#include <stdio.h>
#include <string.h>

#include "probes/cli/command.h"

const struct command *const commands[] = {
	&command_run,
	&command_scripts,
	&command_sensor,
	&command_submit,
	&command_campaigns,
	&command_runs,
	&command_records,
	&command_agents,
	&command_token,
	&command_doctor,
	&command_spikes,
	&command_help,
	&command_completion,
	NULL,
};

const struct command *command_find(const char *name)
{
	for (size_t i = 0; commands[i]; i++)
		if (strcmp(commands[i]->name, name) == 0)
			return commands[i];
	return NULL;
}

int command_fail(const char *name, int err, const struct errmsg *msg)
{
	fprintf(stderr, "sonde %s: %s\n", name,
	    msg && msg->text[0] ? msg->text : err_str(err));
	return err_exit_code(err);
}
