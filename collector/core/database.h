/* SPDX-License-Identifier: ISC */
/* The store as a part of the collector, and its check from outside. */
#pragma once

#include "collector/core/part.h"

/* Reads the whole database; *findings: what is damaged, one a line, "" when
 * nothing is.  The caller frees. */
int collector_inspect(
    const char *state_dir, char **findings, struct errmsg *msg);

extern const struct part database_part, registry_numbers_part;
