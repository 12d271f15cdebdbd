/* SPDX-License-Identifier: ISC */
/* What every subcommand needs, and stands on. */
#include <stdio.h>
#include <stdlib.h>

#include "probes/cli/command.h"

int command_fail(const char *name, int err, const struct errmsg *msg)
{
	fprintf(stderr, "sonde %s: %s\n", name,
	    msg && msg->text[0] ? msg->text : err_str(err));
	return err_exit_code(err);
}

void command_print_help(const struct option_table *table)
{
	char *text = option_help_text(table);
	fputs(text, stdout);
	free(text);
}
