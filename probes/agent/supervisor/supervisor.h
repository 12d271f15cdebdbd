/* SPDX-License-Identifier: ISC */
/*
 * The supervisor: starts the agent's processes, restarts the ones that die,
 * passes runs on, and ends everything in an order that loses nothing.  It
 * parses nothing that came from a network.
 */
#pragma once

#include <stdbool.h>

#include "probes/agent/config/agent-config.h"

/* Runs the agent until SIGTERM or SIGINT; gives the exit code.  Takes over
 * the config; path is where SIGHUP reads it again. */
int supervisor_run(struct agent_config *config, const char *path);
