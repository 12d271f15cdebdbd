/* SPDX-License-Identifier: ISC */
/* The thread beside the writer: what telemetry has to do that takes long (sums
 * to the disk, merges, retention), so that batches do not wait for it. */
#pragma once

#include "collector/core/part.h"

/* Every chore beside the writer now rather than when it is due; waits for their
 * end. */
void upkeep_tick(struct collector *collector);

extern const struct part upkeep_part;
