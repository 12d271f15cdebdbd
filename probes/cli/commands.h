/* SPDX-License-Identifier: ISC */
/* All subcommands. */
#pragma once

#include "probes/cli/command.h"

extern const struct command *const commands[]; /* NULL-terminated */
const struct command *command_find(const char *name);

/* Reports that the word is neither a command nor a script, and which one could
 * have been meant; before: "sonde".  The exit code. */
int command_unknown(const char *before, const char *word);
