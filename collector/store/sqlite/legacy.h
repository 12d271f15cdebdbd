/* SPDX-License-Identifier: ISC */
#pragma once

#include <stdbool.h>

#include "lib/base/err.h"

/* Whether there is telemetry of this or of an older version. */
bool store_files_exist(const char *dir);
/* A database of the time before the registry had its own: *path is its file,
 * brought to the last version that held both (the caller frees), or NULL when
 * there is none. */
int legacy_find(const char *dir, char **path, struct errmsg *msg);
