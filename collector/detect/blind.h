/* SPDX-License-Identifier: ISC */
/*
 * Sensors that say themselves that they do not watch, or say nothing any more
 * though their agent calls.  An interface that is not watched for BLIND_S is an
 * alarm (detector "blind") until it is watched again or is no longer
 * configured.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "collector/core/agent-table.h"
#include "collector/core/part.h"
#include "collector/registry/registry-coverage.h"

#define BLIND_S 300
/* A sensor speaks of its interfaces at least once a minute. */
#define BLIND_SILENT_S 180

struct blindness {
	bool is_blind;
	int64_t since_ns;
	const char *why; /* borrowed of the row, or constant; "" */
};
struct blindness blindness_of(const struct registry_coverage *coverage,
    const struct agent *agent, int64_t now_ns);

extern const struct part blind_part; /* raises and ends the alarms */
