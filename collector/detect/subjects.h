/* SPDX-License-Identifier: ISC */
/*
 * What the detectors know: one state for each detector and subject, bounded in
 * number.  They stand at the end of the bins that are settled for good; what
 * came after is judged on a copy, because it may still change.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "collector/detect/alarm-detector.h"
#include "lib/sketch/hash-index.h"

#define SUBJECTS_MOST 4096

struct series;
struct alarm_subject {
	const struct alarm_detector *detector;
	char *verdict, *signature; /* owned */
	int64_t agent_row;         /* 0: all agents */
	void *state;
	int64_t last_s;              /* the newest bin that had something */
	const struct series *series; /* the engine's, in a round */
};
struct subjects {
	struct alarm_subject *items; /* owned */
	size_t count;
	struct index index;
};

/* NULL: none. */
struct alarm_subject *subjects_find(struct subjects *subjects,
    const struct alarm_detector *detector, const char *verdict,
    const char *signature, int64_t agent_row);
struct alarm_subject *subjects_add(struct subjects *subjects,
    const struct alarm_detector *detector, const char *verdict,
    const char *signature, int64_t agent_row, void *state);
/* Those without anything since then, and without an alarm. */
void subjects_drop_idle(struct subjects *subjects, int64_t since_s);
void subjects_fini(struct subjects *subjects);
