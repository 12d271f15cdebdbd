/* SPDX-License-Identifier: ISC */
/* What this process may do.  A file of its own: also who refuses, and enters no
 * sandbox, asks. */
#pragma once

#include <stdbool.h>

/* Is CAP_* (capabilities(7)) among the effective ones? */
bool capability_has(unsigned cap);
