/* SPDX-License-Identifier: ISC */
/* Alarms as JSON, for queries and events. */
#pragma once

#include <jansson.h>

#include "collector/core/private.h"

json_t *alarm_to_json(const struct store_alarm *alarm);
