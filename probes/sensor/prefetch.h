/* SPDX-License-Identifier: ISC */
/*
 * Packets on their way into the table, a few at a time.  What one packet
 * needs lies anywhere in the table's memory; while one line of it is on its
 * way, the other packets ask for theirs.  Counting stays in order.
 */
#pragma once

#include "probes/sensor/table.h"

#define BATCH_PACKETS 32
#define BATCH_OCTETS 16384

struct batch;
struct batch *batch_new(struct table *table);
void batch_free(struct batch *batch);

/* An entry to decode into; valid until the next batch_put. */
struct table_entry *batch_next(struct batch *batch);
/* Takes that entry.  Its payload is copied, so the caller's octets may go. */
void batch_put(struct batch *batch);
/* Counts what is waiting. */
void batch_settle(struct batch *batch);
