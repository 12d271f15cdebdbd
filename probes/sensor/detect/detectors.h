/* SPDX-License-Identifier: ISC */
/* All detectors, asked in turn. */
#pragma once

#include "probes/sensor/detect/detector.h"

void detect_packet(const struct packet *packet, struct reading *reading);

/* What the detectors keep about sources. */
struct detection;
struct detection *detection_new(void);
void detection_free(struct detection *detection);
void detection_source(struct detection *detection, const struct sight *sight);
struct judgement detection_judge(
    const struct detection *detection, const struct evidence *evidence);
