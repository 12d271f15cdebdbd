/* SPDX-License-Identifier: ISC */
/*
 * How a chore that runs each second logs its failures: a full disk lasts
 * for hours and is logged once, not each second into a log on the same disk.
 */
#pragma once

#include <stdbool.h>

#include "lib/base/err.h"

struct chore_log {
	struct errmsg reported; /* empty: it works */
};

/* err: of the call that just ended, msg its reason.  Logs "NAME: reason" when
 * that was not logged last, "NAME: works again" after a failure.  Whether
 * it logged. */
bool chore_log(
    struct chore_log *log, const char *name, int err, const struct errmsg *msg);
