/* SPDX-License-Identifier: ISC */
/* What --verbose prints of a measurement, on standard error. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/record/record.h"

#define VERBOSE_CLOCKS 5 /* Sonde__Clock */
#define VERBOSE_OUTCOMES (SONDE__OUTCOME__OUTCOME_SILENT + 1)

struct verbose {
	bool on;
	const char *name; /* of the command, before each line */
	uint64_t records, sent, answered, denied;
	uint64_t tx_clocks[VERBOSE_CLOCKS], rx_clocks[VERBOSE_CLOCKS];
	uint64_t outcomes[VERBOSE_OUTCOMES]; /* of probes, also unsent */
};

/* A line, if it is on. */
void verbose_print(const struct verbose *verbose, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Each probe that was denied and why; the rest is counted. */
void verbose_record(struct verbose *verbose, const Sonde__Record *record);
/* Probes, replies, the clocks that stamped them, and how probes ended. */
void verbose_end(const struct verbose *verbose);
