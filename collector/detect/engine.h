/* SPDX-License-Identifier: ISC */
/* The alarm thread, and alarms as JSON for queries and events. */
#pragma once

#include <jansson.h>

#include "collector/core/part.h"
#include "collector/registry/registry-alarms.h"

json_t *alarm_to_json(const struct registry_alarm *alarm);

/* Judges every series up to now; what changed goes through the writer. */
int alarms_round(struct collector *collector, struct errmsg *msg);

extern const struct part alarms_part;
