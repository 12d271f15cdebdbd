/* SPDX-License-Identifier: ISC */
/*
 * Results as CSV.  One table: its titles, then its rows as they come.  Several
 * tables of a script: one after the other with an empty line between, so rows
 * wait until the end, at most CSV_RESULTS_WAITING octets of them.  The first
 * two columns are `table` and `wall_ns`, when the row was recorded.
 */
#pragma once

#include <stdio.h>

#include "lib/formats/result-stream.h"

#define CSV_RESULTS_WAITING (64u << 20)

struct csv_section;
struct csv_results { /* zero: empty */
	struct result_stream stream;
	const struct result_schema *schema; /* of the first row */
	struct csv_section *sections;       /* owned; one a table */
	size_t bytes;
	bool titled; /* what is not waited for */
};
/* What does not fit the columns is ERR_UNSUPPORTED. */
int csv_result(struct csv_results *results, FILE *to,
    const Sonde__Record *record, struct errmsg *msg);
void csv_results_flush(struct csv_results *results, FILE *to);
void csv_results_fini(struct csv_results *results);

/* The rows of titles and of one result, as the API's downloads have them. */
void csv_result_titles(FILE *to, const struct result_table *table);
void csv_result_row(
    FILE *to, const struct result_table *table, const Sonde__Record *record);
