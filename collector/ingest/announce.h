/* SPDX-License-Identifier: ISC */
#pragma once

#include "collector/core/agent-table.h"
#include "collector/store/store.h"

/* What a stored batch tells the feed; inside its transaction. */
int ingest_tell(struct collector *collector, const struct agent *agent,
    const struct prepared_batch *batch, const struct store_outcome *outcome,
    struct errmsg *msg);
