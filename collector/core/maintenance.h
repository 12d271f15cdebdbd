/* SPDX-License-Identifier: ISC */
#pragma once

#include "collector/core/part.h"

/* Lets old rows go, a little each second. */
extern const struct part retention_part;
