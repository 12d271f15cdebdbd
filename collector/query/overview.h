/* SPDX-License-Identifier: ISC */
#pragma once

#include "collector/core/part.h"

/* What query_overview keeps between two askings. */
extern const struct part overview_part;
