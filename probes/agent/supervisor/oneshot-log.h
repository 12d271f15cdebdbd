/* SPDX-License-Identifier: ISC */
/*
 * The campaigns that were to run once and did: a file of their ids, appended
 * and synced before the run starts, so that an agent that restarts does not
 * repeat them.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/err.h"

#define ONCE_MOST 4096 /* then the older half is forgotten */

struct once;

int once_open(struct once **once, const char *path, struct errmsg *msg);
void once_close(struct once *once);
bool once_has(const struct once *once, const uint8_t id[static 16]);
int once_add(
    struct once *once, const uint8_t id[static 16], struct errmsg *msg);
