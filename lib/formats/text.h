/* SPDX-License-Identifier: ISC */
/* What the parts of the text format share: text-style.c, and text-NAME.c for
 * records that take more than a line. */
#pragma once

#include <stdbool.h>
#include <stdio.h>

#include "lib/formats/reply-text.h"

enum text_style {
	TEXT_PLAIN,
	TEXT_DIM,
	TEXT_BOLD,
	TEXT_GOOD,
	TEXT_WARN,
	TEXT_BAD
};

struct text {
	FILE *to; /* borrowed */
	int colour;
	unsigned records; /* blocks printed so far */
	int64_t wall_ns; /* of the record that is being printed; 0: not known */
	/* Of the ping that is being printed while it runs; 0: none is. */
	uint32_t shown_attempt;
	/* Of the trace that is being printed while it runs: its head is, and
	 * the hops up to this TTL. */
	bool shown_head;
	uint32_t shown_ttl;
	uint8_t shown_answers[256]; /* of each of these */
};

/* Before and after coloured words; "" without colour. */
const char *text_on(const struct text *t, enum text_style style);
const char *text_off(const struct text *t);

/* Words from outside, with control characters shown as '?'. */
void text_print(const struct text *t, const char *text);
/* "name (address)" or the address; how many columns that was. */
int text_target(
    const struct text *t, const ProtobufCBinaryData *dst, const char *name);
/* Why a probe never left. */
void text_not_sent(const struct text *t, const Sonde__Reply *reply);
/* When the record was made, at the beginning of its first line, if that is
 * not now. */
void text_stamp(const struct text *t);
/* An empty line between blocks. */
void text_apart(struct text *t);

void text_trace(struct text *t, const Sonde__Trace *trace);
void text_ping(struct text *t, const Sonde__Ping *ping);
/* Hops of a trace that has not ended, in order: those above the ones that were
 * shown, up to the part's max_ttl.  Those behind tell what losses mean. */
void text_trace_preview(struct text *t, const Sonde__Trace *part);
/* The one probe of a ping that has not ended; they come in order. */
void text_ping_preview(struct text *t, const Sonde__Ping *ping);
