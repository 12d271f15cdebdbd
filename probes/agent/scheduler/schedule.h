/* SPDX-License-Identifier: ISC */
/*
 * When runs start.  Pure: time comes in.  Wall time is looked at once, when a
 * campaign is first seen, to find its place in the interval; from then on
 * only the time since boot counts, so a clock that is set moves no run, and
 * one that was suspended keeps its place, its numbers and its end.
 *
 * An agent's place in the interval is a hash of agent and campaign: many
 * agents spread evenly, one agent keeps its place for ever.  On one agent,
 * starts keep a distance, so that campaigns of one moment do not burst.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/clock.h"
#include "probes/agent/scheduler/worklist.h"

#define SCHEDULE_SPACING_NS (200 * NS_PER_MS) /* between two starts */
#define SCHEDULE_ONCE_SPREAD_NS (2 * NS_PER_S)

struct schedule;

struct schedule *schedule_new(const uint8_t agent[static 16]);
void schedule_free(struct schedule *schedule);

/* Makes the schedule that of the list: what is known keeps its place, what is
 * gone goes.  wall: the collector's now if it gives one, else ours. */
void schedule_update(struct schedule *schedule, const struct worklist *list,
    struct boottime now, struct walltime wall);

/* Takes the next start that is due: which campaign, which run (from 1).
 * Starts that were missed by more than one interval are skipped, not caught
 * up with.  False when nothing is due. */
bool schedule_take(struct schedule *schedule, struct boottime now,
    uint8_t campaign[static 16], uint64_t *run);
/* When to ask again; far away when there is nothing. */
struct boottime schedule_next(const struct schedule *schedule);
/* Starts that were skipped so far. */
uint64_t schedule_skipped(const struct schedule *schedule);
