/* SPDX-License-Identifier: ISC */
#pragma once

#include "collector/core/part.h"

/* Lets old rows go, a little each second. */
extern const struct part retention_part;
/* Events above a number, once some thousands came. */
extern const struct part event_retention_part;
/* Alarms and tokens, which are few: once a minute. */
extern const struct part registry_retention_part;
