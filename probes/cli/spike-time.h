/* SPDX-License-Identifier: ISC */
/*
 * Times as tables of logs have them: ISO 8601 with and without its parts,
 * tshark's and web servers' forms, and the seconds since 1970 or their
 * thousandths, millionths, billionths.
 */
#pragma once

#include <stdbool.h>

#include "lib/base/clock.h"

/* *is_day: it was a date alone, and the time is its beginning.  Without a zone
 * UTC is meant.  0, ERR_MALFORMED, or ERR_LIMIT for a time before 1678 or after
 * 2261. */
int spike_time_parse(struct walltime *time, bool *is_day, const char *text);
