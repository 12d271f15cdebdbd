/* SPDX-License-Identifier: ISC */
/*
 * A record has its bounds (RECORD_MAX_BYTES), and thousands of replies are more
 * than it holds.  Some are left out then, and counted, so that it is recorded
 * whatever was measured.
 */
#pragma once

#include <stddef.h>

#include "lib/record/record.pb-c.h"

/* The last replies go: the sums are of all.  Remarks never take more than half
 * of a record. */
void record_fit_ping(Sonde__Ping *ping);

/* So many more are left out. */
void record_leave_out(Sonde__Trace *trace, size_t count);

/* What says most of a hop stays, of every hop as many as there is room for: an
 * answer of the target, then others, then silence, then duplicates.  The list,
 * which is ordered by TTL, is shortened in place. */
void record_fit_trace(Sonde__Trace *trace);
