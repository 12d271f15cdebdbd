/* SPDX-License-Identifier: ISC */
/* What the supervisor forks into. */
#pragma once

#include "probes/agent/supervisor/supervisor-state.h"

const char *child_name(enum child_kind kind);
/* Forks it.  -1: errno says why not. */
int child_start(struct supervisor *s, enum child_kind kind);
/* First thing in any child: dies with us, keeps only these descriptors. */
void child_begin(
    const struct supervisor *s, const char *name, int *fds, size_t count);
