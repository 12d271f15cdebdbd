/* SPDX-License-Identifier: ISC */
/* When each part's chore is due, for the thread that runs some of them. */
#pragma once

#include <stdbool.h>

#include "lib/base/clock.h"

struct collector;

struct chores {
	struct monotime *due; /* by part; owned */
	bool beside;          /* which of them (core/part.h) */
};

void chores_init(
    struct chores *chores, const struct collector *collector, bool beside);
void chores_fini(struct chores *chores);
/* Those that are due, or all; returns when the next one is, within a minute. */
struct monotime chores_run(
    struct chores *chores, struct collector *collector, bool all);
