/* SPDX-License-Identifier: ISC */
/* How `sonde sensor` shows what was found: NDJSON, CSV, or a table, worst
 * first. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/buf.h"
#include "lib/base/err.h"
#include "probes/cli/output.h"
#include "probes/sensor/detect/known-scanners.h"
#include "probes/sensor/sensor-engine.h"

struct report_summary {
	struct engine_counts counts;
	struct table_stats table;
	uint64_t dropped;
	uint64_t wrong_times; /* packets whose time could not be */
	uint64_t filtered;    /* of files: what the filter let not pass */
	int64_t elapsed_ns;
	/* Of an interval its ends, else of the first and the last packet. */
	struct walltime since, until;
	bool is_interval;
};

struct report;
/* rows: of the table; 0: all that are kept (4096).  talk_fd gets the summary
 * of CSV, which has no row for it. */
struct report *report_new(
    int fd, int talk_fd, enum output_form form, uint32_t rows);
void report_free(struct report *report);
/* Names the sources that are on this list, which is borrowed; NULL: none. */
void report_name_scanners(
    struct report *report, const struct known_scanners *scanners);

/* A finding_fn; arg is the report. */
void report_finding(void *arg, const struct finding *finding);
/* Writes what was gathered since the last call, and the summary. */
int report_summarize(
    struct report *report, const struct report_summary *summary);

/* How many findings had this verdict, those not listed included. */
uint64_t report_count(const struct report *report, enum verdict verdict);
