/* SPDX-License-Identifier: ISC */
#pragma once

#include "lib/base/err.h"

struct registry;

/* Takes over what version 4 of the telemetry's database held of the registry,
 * in one transaction that replaces everything here, so it may be done again
 * until that database has left version 4. */
int registry_import(
    struct registry *registry, const char *path, struct errmsg *msg);
