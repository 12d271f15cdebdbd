/* SPDX-License-Identifier: ISC */
/* Rows of `time,source[,signature]`, as CSV or NDJSON, for `sonde spikes`. */
#pragma once

#include <stdbool.h>
#include <stdio.h>
#include <sys/types.h>

#include "lib/base/clock.h"
#include "lib/base/err.h"

struct spike_row {
	struct walltime when;
	const char *source;    /* borrowed from the parser */
	const char *signature; /* the same; NULL: the row has none */
};

struct spike_rows; /* the parser: knows the header, owns the last row */
struct spike_rows *spike_rows_new(void);
void spike_rows_free(struct spike_rows *rows);

/* Takes one line, changes it.  0, ERR_NOT_FOUND for a line without a row
 * (empty, or the header), ERR_MALFORMED. */
int spike_rows_parse(struct spike_rows *rows, char *line, struct spike_row *row,
    struct errmsg *msg);

/* A file of rows ('-': standard input); a gzip file is read through gzip. */
struct spike_file {
	FILE *f;
	pid_t gzip; /* 0: none */
};
int spike_file_open(
    struct spike_file *file, const char *path, struct errmsg *msg);
/* What went wrong while it was read, if anything. */
int spike_file_close(struct spike_file *file, struct errmsg *msg);
