/* SPDX-License-Identifier: ISC */
/* Records that the text format shows in more than a line, each in a file of
 * its own: text-trace.c, text-ping.c. */
#pragma once

#include "lib/formats/text-style.h"

void text_trace(struct text *t, const Sonde__Trace *trace);
void text_ping(struct text *t, const Sonde__Ping *ping);
/* The one probe of a ping that has not ended; they come in order. */
void text_ping_preview(struct text *t, const Sonde__Ping *ping);
