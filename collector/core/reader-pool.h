/* SPDX-License-Identifier: ISC */
/* Read-only connections.  reader_get waits for nobody: it opens one more when
 * none is at rest. */
#pragma once

#include "collector/core/part.h"
#include "collector/store/store.h"

int reader_get(struct collector *collector, struct store_reader **reader,
    struct errmsg *msg);
void reader_put(struct collector *collector, struct store_reader *reader);

extern const struct part reader_pool_part;
