/* SPDX-License-Identifier: ISC */
/* What sonde-collector does when it is not asked for something else. */
#pragma once

#include <stdbool.h>

#include "lib/option/config.h"
#include "lib/base/err.h"

/* Refuses what web_serve would refuse; makes nothing, listens nowhere. */
int web_serve_check(const struct config *config, struct errmsg *msg);

/* Serves until SIGTERM or SIGINT.  anew: with a new database where the old
 * one is gone. */
int web_serve(const struct config *config, bool anew, struct errmsg *msg);
