/* SPDX-License-Identifier: ISC */
/* What a script of several tables recorded in the seeded data: the loss
 * towards each other agent with its interval, the hops, and events. */
#pragma once

#include "tests/web/seed-net.h"

/* Adds one minute of one agent's rows; their schema before the first. */
void results_minute(struct synth *by, unsigned agent,
    const Sonde__Record *frame, uint64_t minute, struct dice *dice);
