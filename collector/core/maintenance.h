/* SPDX-License-Identifier: ISC */
#pragma once

#include "collector/core/part.h"

/* Lets old rows go, a little each second. */
extern const struct part retention_part;
/* The same of alarms, events and tokens, which are few: once a minute. */
extern const struct part registry_retention_part;
