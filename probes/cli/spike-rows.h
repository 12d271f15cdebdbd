/* SPDX-License-Identifier: ISC */
/*
 * Rows of who was seen when, or how many, as CSV of any delimiter or NDJSON,
 * for `sonde spikes`.
 */
#pragma once

#include <stdbool.h>
#include <stdio.h>

#include "lib/base/clock.h"
#include "lib/base/err.h"
#include "probes/cli/spike-columns.h"

#define SPIKE_NO_PORT -1

struct spike_row {
	struct walltime when;
	bool is_day;           /* a date without a time */
	const char *source;    /* borrowed from the parser; NULL: a count */
	double count;          /* without a source */
	const char *signature; /* borrowed; NULL: the row has none */
	int port;              /* or SPIKE_NO_PORT */
};

struct spike_rows; /* the parser: knows the header, owns the last row */
/* choice: borrowed, of --columns, or empty: names decide. */
struct spike_rows *spike_rows_new(const struct spike_choice *choice);
void spike_rows_free(struct spike_rows *rows);

/* Takes one line, changes it.  0; ERR_NOT_FOUND for a line without a row
 * (empty, a header, the sensor's summary); ERR_MALFORMED; ERR_UNSUPPORTED when
 * the table has no columns that are needed, so that no other line will do. */
int spike_rows_parse(struct spike_rows *rows, char *line, struct spike_row *row,
    struct errmsg *msg);
/* "time: 'ts', source: 'src_ip'": what was taken for what, when its names are
 * not those of --columns; else NULL. */
const char *spike_rows_taken(const struct spike_rows *rows);

/* A file of rows ('-': standard input), unpacked when gzip or zstd packed it.
 */
struct spike_file {
	FILE *f;
	struct spike_source *source;
};
int spike_file_open(
    struct spike_file *file, const char *path, struct errmsg *msg);
/* What went wrong while it was read, if anything. */
int spike_file_close(struct spike_file *file, struct errmsg *msg);
