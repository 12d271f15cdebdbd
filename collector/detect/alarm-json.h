/* SPDX-License-Identifier: ISC */
#pragma once

#include <jansson.h>

#include "collector/registry/registry-alarms.h"

/* As the API shows it: a new object. */
json_t *alarm_to_json(const struct registry_alarm *alarm);
