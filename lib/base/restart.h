/* SPDX-License-Identifier: ISC */
/*
 * When a process that died comes back: at once-ish, then later and later, and
 * after a budget of crashes in a row never.  One that has lived for a minute
 * starts with a clean sheet.  Pure: time comes in.
 */
#pragma once

#include <stdbool.h>

#include "lib/base/clock.h"

#define RESTART_MOST_NS (30 * NS_PER_S)
#define RESTART_CLEAN_NS (60 * NS_PER_S)

struct restart {
	int64_t least_ns; /* the first wait */
	unsigned budget;  /* crashes in a row that are forgiven */
	unsigned crashes;
	bool failed; /* given up */
};

/* It ran from `since` to `now` and died.  False: given up; else *at says when
 * to start it again. */
bool restart_plan(struct restart *restart, struct monotime since,
    struct monotime now, struct monotime *at);
