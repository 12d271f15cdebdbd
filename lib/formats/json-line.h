/* SPDX-License-Identifier: ISC */
/*
 * One JSON object a line: what the formats of JSON and the commands with
 * --json share.
 */
#pragma once

#include <jansson.h>
#include <stdio.h>

#include "lib/base/buf.h"
#include "lib/base/err.h"
#include "lib/record/record.h"

/* A format's open and close hooks whose context is the stream alone. */
int json_line_open(void **ctx, FILE *to, int colour, struct errmsg *msg);
int json_line_close(void *ctx, struct errmsg *msg);

/* Writes the object and a newline.  Consumes line, which may be NULL: nothing
 * to say.  flags: jansson's, beside JSON_COMPACT. */
int json_line_write(FILE *to, json_t *line, size_t flags, struct errmsg *msg);

/* Writes the text, to which it adds a newline. */
int json_line_write_text(FILE *to, struct buf *line, struct errmsg *msg);

/* Formats of other tools, which have traces and pings alone: makes the line
 * with the one or the other; FORMAT_SKIPPED for other records. */
typedef json_t *json_line_fn(const Sonde__Record *record);
int json_line_measurement(FILE *to, const Sonde__Record *record,
    json_line_fn *trace, json_line_fn *ping, struct errmsg *msg);
