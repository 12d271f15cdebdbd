/* SPDX-License-Identifier: ISC */
/*
 * The seam of alarm detectors: a const struct that ends its file, and a line
 * in the list of alarm-detector.c.  A detector holds a bounded state for
 * each subject and takes one observation after another; the engine steps it,
 * keeps its states over restarts (in the registry), and turns what it finds
 * into alarms with ids that stay.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "analysis/spikes.h"
#include "collector/registry/registry-alarms.h"
#include "lib/base/buf.h"

enum detector_subject {
	SUBJECT_SERIES, /* sources of a signature, of one agent or all: how many
			   in the bin; missing: no sensor watched */
	SUBJECT_SENSOR  /* of an agent: 1 when it watched in the bin; missing:
			   the agent was not in contact */
};

struct detector_config {
	uint32_t bin_s;
	struct spike_config spikes;
};

/* What one observation changed. */
struct detector_step {
	bool ended;
	struct registry_alarm over; /* onset, end, means, direction, test */
};

struct alarm_detector {
	const char *name; /* in the registry; never changes */
	enum detector_subject subject;
	void *(*begin)(const struct detector_config *config);
	void (*end)(void *state);
	/* bin: its start divided by its width; ascending, without holes. */
	void (*step)(void *state, uint64_t bin, const struct spike_bin *value,
	    struct detector_step *step);
	/* The alarm that is on, as far as it is known; false: none is. */
	bool (*current)(const void *state, struct registry_alarm *alarm);
	void (*pack)(const void *state, struct buf *to);
	/* NULL: not such a state, or one of another configuration. */
	void *(*unpack)(const struct detector_config *config, const void *bytes,
	    size_t len);
	/* One line for a human, behind what it is about ("slammer at ams"). */
	void (*explain)(const struct registry_alarm *alarm, bool over,
	    char *text, size_t len);
};

extern const struct alarm_detector detector_spikes, detector_silence;

extern const struct alarm_detector *const alarm_detectors[]; /* NULL ends */
/* NULL: none of that name. */
const struct alarm_detector *alarm_detector_find(const char *name);
