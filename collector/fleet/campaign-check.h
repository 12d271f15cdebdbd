/* SPDX-License-Identifier: ISC */
/* What a campaign's request may hold, beyond its shape. */
#pragma once

#include <jansson.h>

#include "lib/base/err.h"

struct collector;

/* ERR_USAGE: a word that is an option of the command on a user's machine
 * (`sonde --net`, `--policy`), which no agent takes from afar; or of the way
 * that probes leave by (interface, source, mark), which an agent takes if its
 * operator allows it, a value that none can be. */
int campaign_check_option(
    const char *name, const json_t *value, struct errmsg *msg);
/* ERR_USAGE: not a numeric address of one host, with a zone or without. */
int campaign_check_target(const char *text, size_t number, struct errmsg *msg);
/* What is accepted and yet is likely a slip: a new list of sentences. */
json_t *campaign_warnings(
    struct collector *collector, const char *script, const json_t *on);

/* The names of the scripts beside us when we were built; ends with NULL. */
extern const char *const shipped_scripts[];
