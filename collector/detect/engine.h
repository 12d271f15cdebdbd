/* SPDX-License-Identifier: ISC */
/* The alarm thread. */
#pragma once

#include "collector/core/part.h"

/* Judges every subject of every detector up to now; what changed goes through
 * the writer.  One caller at a time. */
int alarms_round(struct collector *collector, struct errmsg *msg);

extern const struct part alarms_part;
