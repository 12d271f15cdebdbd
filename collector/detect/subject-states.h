/* SPDX-License-Identifier: ISC */
/* What the detectors know, kept in the registry over restarts. */
#pragma once

#include "collector/core/private.h"
#include "collector/detect/subjects.h"

/* Replaces what was kept for the collector's alarm_bin_s.  next_s: the bin that
 * the states wait for. */
int subject_states_save(struct collector *collector,
    const struct subjects *subjects, int64_t next_s);
/* Adds what is kept to subjects, up to SUBJECTS_MOST, and sets *next_s; where
 * nothing is kept both stay.  A state of another configuration or program is
 * left out: its subject begins with the window. */
int subject_states_load(struct collector *collector,
    const struct detector_config *config, struct subjects *subjects,
    int64_t *next_s, struct errmsg *msg);
