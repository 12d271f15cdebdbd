/* SPDX-License-Identifier: ISC */
/* What to say where a socket is refused. */
#pragma once

#include "lib/base/err.h"

/* "WHAT: reason", with the line that grants what is missing; err. */
int live_deny(int err, const char *what, struct errmsg *msg);
