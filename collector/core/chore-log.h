/* SPDX-License-Identifier: ISC */
/*
 * What a chore that runs each second says of its failures: a full disk lasts
 * for hours and is told once, not each second into a log on the same disk.
 */
#pragma once

#include <stdbool.h>

#include "lib/base/err.h"

struct chore_log {
	struct errmsg said; /* empty: it works */
};

/* err: of the call that just ended, msg its reason.  Logs "NAME: reason" when
 * that is not what was said last, "NAME: works again" after a failure.  Whether
 * it logged. */
bool chore_log(
    struct chore_log *log, const char *name, int err, const struct errmsg *msg);
