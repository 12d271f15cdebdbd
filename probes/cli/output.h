/* SPDX-License-Identifier: ISC */
/*
 * How a command shows what it found: a table for people, one JSON object a
 * line, or CSV.  A command makes each result as one JSON object and says
 * which of its members are columns; this is the one place that knows forms.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#include "lib/option/option.h"
#include "lib/formats/format.h"

/* Rows for a command's option table.  Who has OUTPUT_CSV_ROW has the other
 * too. */
#define OUTPUT_JSON_ROW                                         \
	{                                                       \
		"json", 0, OPTION_FLAG, NULL, NULL, 0, 0, NULL, \
		    "one JSON object a line"                    \
	}
#define OUTPUT_CSV_ROW                                         \
	{                                                      \
		"csv", 0, OPTION_FLAG, NULL, NULL, 0, 0, NULL, \
		    "rows for a spreadsheet"                   \
	}

/* The format that --json, --csv or format (the value of --format if it was
 * given, else NULL) ask for; "text" when none does.  ERR_USAGE when several
 * do. */
int output_pick(const char **name, const struct option_values *values,
    const char *format, struct errmsg *msg);

/* The format that they ask for, by --format or else by those two. */
int output_format(const struct format_ops **ops,
    const struct option_values *values, struct errmsg *msg);

enum output_form { OUTPUT_TEXT, OUTPUT_JSON, OUTPUT_CSV };

/* Columns end with one without a key.  Texts, numbers and lists of texts are
 * shown, control bytes are replaced. */
struct output_column {
	const char *title; /* in the table; NULL: only in CSV */
	const char *key;   /* the object's member, and CSV's title */
	int width;         /* in the table; 0: the rest of the line */
	const char *unit;  /* after a number in the table, or NULL */
	const char *none;  /* in the table for what is absent; NULL: "-" */
};

struct output {
	enum output_form form;
	const char *schema; /* of JSON lines: "sonde-agent/1"; NULL: as is */
	const struct output_column *columns;
	FILE *to;
	bool titled;
};

/* In the form of --json or --csv, to standard output. */
int output_init(struct output *output, const struct option_values *values,
    const char *schema, const struct output_column *columns,
    struct errmsg *msg);
/* One result; the object is borrowed. */
int output_row(struct output *output, json_t *object, struct errmsg *msg);
/* When all went well: titles, if there was no row. */
void output_end(struct output *output);

/* A table's rows as help shows them.  The caller's reference. */
json_t *output_options_json(const struct option_row *rows);
