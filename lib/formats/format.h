/* SPDX-License-Identifier: ISC */
/*
 * Output formats: a seam with one provider per format.  A format gets records
 * one by one and writes to a stdio stream; commands and the API's downloads
 * share it.
 */
#pragma once

#include <stdio.h>

#include "lib/base/err.h"
#include "lib/record/record.h"

enum { FORMAT_SKIPPED = 1 };

struct format_ops {
	const char *name; /* "text", "json", "csv", ... */
	const char *help;
	const char *media_type; /* of a download */
	const char *extension;  /* of a file's name */
	/* Kinds of records that a file holds unless others are asked for,
	 * separated by commas; NULL: every kind. */
	const char *kinds;
	/* Kinds that it can hold at all, in files of their own; NULL: every
	 * kind. */
	const char *holds;
	/* colour: the stream is a terminal that wants it. */
	int (*open)(void **ctx, FILE *to, int colour, struct errmsg *msg);
	/* 0; FORMAT_SKIPPED or ERR_UNSUPPORTED: a record of this kind has no
	 * form here (beside those that came before), nothing was written, and
	 * the next may have one. */
	int (*item)(void *ctx, const Sonde__Record *record, struct errmsg *msg);
	/* A part of the next record, for a reader who watches; NULL: no use. */
	int (*preview)(
	    void *ctx, const Sonde__Record *part, struct errmsg *msg);
	/* Of scripts' results, only tables of this name; before the first
	 * record.  NULL: the format has no results. */
	void (*select)(void *ctx, const char *table);
	int (*close)(void *ctx, struct errmsg *msg); /* flushes; frees ctx */
};

/* X(name), in the order that help shows them. */
#define FORMATS(X) X(text) X(json) X(csv) X(scamper) X(atlas) X(warts)

#define FORMAT_DECLARE(name) extern const struct format_ops format_##name;
FORMATS(FORMAT_DECLARE)
#undef FORMAT_DECLARE

/* All formats and their names, NULL-terminated, and the one with a name (or
 * NULL). */
extern const struct format_ops *const formats[];
extern const char *const format_names[];
const struct format_ops *format_find(const char *name);
