/* SPDX-License-Identifier: ISC */
#pragma once

#include <stdbool.h>

#include "collector/core/config.h"
#include "collector/core/part.h"

/* What opening the part would refuse of the token's file, without making
 * anything. */
int admin_token_check(
    const struct collector_config *config, struct errmsg *msg);

/* The text after "Bearer "; compared in constant time; NULL is false. */
bool admin_token_matches(const struct collector *collector, const char *token);

/* Reads the administrator's token from its file; makes both when there is no
 * file.  A file that others can read is an error. */
extern const struct part admin_token_part;
