/* SPDX-License-Identifier: ISC */
/* Runs of scripts, each a worker with its channels. */
#pragma once

#include "probes/agent/supervisor/supervisor-state.h"

void run_start(struct supervisor *s, struct run_request *request);
/* A worker ended, or its deadline came; and what is left of ended ones. */
void runs_tend(struct supervisor *s);
/* Asks workers to record what they have and end; kills them soon after. */
void runs_end(struct supervisor *s);
bool runs_active(const struct supervisor *s);
/* When runs_tend has something to do next. */
struct monotime runs_next(const struct supervisor *s);
