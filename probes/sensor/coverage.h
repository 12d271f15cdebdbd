/* SPDX-License-Identifier: ISC */
/*
 * What each interface did and did not see, as Coverage records: one for each
 * span in which its state stayed, at most COVERAGE_SPAN_NS long, so that a
 * series can tell "nothing came" from "nobody watched".  A capture file is
 * watched while it lasts.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/clock.h"
#include "lib/record/record.h"
#include "probes/sensor/capture.h"
#include "probes/sensor/sensor-engine.h"

#define COVERAGE_SPAN_NS (60 * NS_PER_S)

struct coverage;
/* The captures are borrowed; names are those of the configuration, in the order
 * in which they came to be captures: files by their names. */
struct coverage *coverage_new(
    struct capture *const *captures, const char *const *names, size_t count);
void coverage_free(struct coverage *coverage);

/* After frames of captures[i] were given to the engine. */
void coverage_count(struct coverage *coverage, size_t capture,
    const struct engine_counts *counts);
/* The file has been read to its end. */
void coverage_ended(struct coverage *coverage, size_t capture);

typedef void coverage_fn(void *arg, const Sonde__Coverage *span);
/* Gives the spans that are over: those whose state has changed, and with `all`
 * or after COVERAGE_SPAN_NS the others too.  A state that has just begun comes
 * at once, as a span of no length. */
void coverage_emit(
    struct coverage *coverage, bool all, coverage_fn *fn, void *arg);

struct coverage_sums {
	size_t interfaces, watched; /* files that ended are neither */
	uint64_t dropped_kernel, dropped_ring, dropped_own;
	struct walltime blind_since; /* of those that are not watched, the
					first; 0: all are */
};
struct coverage_sums coverage_sums(const struct coverage *coverage);
/* Of one interface, for who shows them by name: false past the end. */
struct coverage_state {
	const char *name;
	bool watched;
	struct walltime since;
};
bool coverage_state(
    const struct coverage *coverage, size_t i, struct coverage_state *state);
