/* SPDX-License-Identifier: ISC */
/*
 * Packets on their way into the table.  What one packet needs lies anywhere in
 * the table's memory, one link behind the other; while one line of it is on its
 * way, later packets are decoded and earlier ones counted.  Counting stays in
 * order.
 */
#pragma once

#include "probes/sensor/table.h"

struct prefetch;
struct prefetch *prefetch_new(struct table *table);
void prefetch_free(struct prefetch *prefetch);

/* An entry to decode into; valid until the next prefetch_put. */
struct table_entry *prefetch_next(struct prefetch *prefetch);
/* Takes that entry.  Its payload is copied, so the caller's octets may go. */
void prefetch_put(struct prefetch *prefetch);
/* Counts what is waiting. */
void prefetch_settle(struct prefetch *prefetch);
/* How many had this outcome. */
uint64_t prefetch_count(
    const struct prefetch *prefetch, enum table_outcome outcome);
