/* SPDX-License-Identifier: ISC */
/*
 * Agents that wait for work: GET /api/v1/work is answered when the campaigns
 * are no longer those of the revision that the agent has, or after 30 s.
 */
#pragma once

#include <stdint.h>

#include "lib/base/clock.h"

struct collector;

struct long_polls *long_polls_new(struct collector *collector);
/* Answers all of them, and from now on at once. */
void long_polls_stop(struct long_polls *polls);
void long_polls_free(struct long_polls *polls);

void long_polls_revision(
    struct long_polls *polls, uint64_t revision); /* any thread */
void long_polls_tick(struct long_polls *polls, struct monotime now);
uint64_t long_polls_waiting(struct long_polls *polls);
