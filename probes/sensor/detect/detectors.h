/* SPDX-License-Identifier: ISC */
/* All detectors, asked in turn. */
#pragma once

#include "probes/sensor/detect/detector.h"

void detect_packet(const struct packet *packet, struct reading *reading);

struct judgement detection_judge(const struct evidence *evidence);
