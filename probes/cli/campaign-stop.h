/* SPDX-License-Identifier: ISC */
#pragma once

#include "lib/option/option.h"

/* Ends a campaign for good; values are the command's.  The exit code. */
int campaigns_end_one(const struct option_values *values, const char *id);
