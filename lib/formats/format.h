/* SPDX-License-Identifier: ISC */
/*
 * How results look: a seam with one provider per format.  A writer gets
 * records one by one and writes to a stdio stream.
 */
#pragma once

#include <stdio.h>

#include "lib/base/err.h"
#include "lib/record/record.h"

struct writer_ops {
	const char *name; /* "text", "json", "csv", ... */
	const char *help;
	/* colour: the stream is a terminal that wants it. */
	int (*open)(void **ctx, FILE *to, int colour, struct errmsg *msg);
	int (*record)(
	    void *ctx, const Sonde__Record *record, struct errmsg *msg);
	/* A part of the next record, for those who look on; NULL: no use. */
	int (*preview)(
	    void *ctx, const Sonde__Record *part, struct errmsg *msg);
	/* Of scripts' results, only tables of this name; before the first
	 * record.  NULL: the format has no results. */
	void (*select)(void *ctx, const char *table);
	int (*close)(void *ctx, struct errmsg *msg); /* flushes; frees ctx */
};

extern const struct writer_ops writer_text, writer_json, writer_csv,
    writer_scamper, writer_atlas, writer_warts;

/* All writers, NULL-terminated, and the one with a name (or NULL). */
extern const struct writer_ops *const writers[];
const struct writer_ops *writer_find(const char *name);
