/* SPDX-License-Identifier: ISC */
/*
 * Read-only connections to telemetry and to the registry, each with a snapshot
 * of its own from get to put.  A get does not wait: it opens one more when
 * none is at rest.  ERR_UNAVAILABLE: the database cannot be read.
 */
#pragma once

#include "collector/core/part.h"
#include "collector/registry/registry-reader.h"
#include "collector/store/store.h"

int reader_get(struct collector *collector, struct store_view **reader,
    struct errmsg *msg);
void reader_put(struct collector *collector, struct store_view *reader);

int registry_get(struct collector *collector, struct registry_reader **reader,
    struct errmsg *msg);
void registry_put(struct collector *collector, struct registry_reader *reader);

extern const struct part reader_pool_part;
