/* SPDX-License-Identifier: ISC */
/* What a reader of a summary has to know before its figures. */
#pragma once

#include "lib/base/buf.h"
#include "probes/cli/sensor-report.h"

/* Appends a line for each warning, each with its end of line; in no line is a
 * character that JSON would have to escape. */
void sensor_warnings_write(
    const struct report_summary *summary, struct buf *to);
