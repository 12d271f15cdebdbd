/* SPDX-License-Identifier: ISC */
/*
 * Where findings of evicted sources are summed up by class and port until
 * their interval ends.  When more sources send than the table holds, a record
 * for each that is evicted would be as many records as packets; an aggregate
 * keeps every count and only leaves out whose they were.
 */
#pragma once

#include "probes/sensor/finding.h"

struct aggregates;
struct aggregates *aggregates_new(void);
void aggregates_free(struct aggregates *aggregates);

/* Joins what this finding counts.  Bounded: at most 512 aggregates, the ports
 * beyond that together. */
void aggregates_add(
    struct aggregates *aggregates, const struct finding *finding);

/* Gives each as a finding whose src has family 0 and whose `sources` and
 * `targets` are lower bounds, and starts again with none. */
void aggregates_flush(struct aggregates *aggregates, finding_fn *fn, void *arg);
