/* SPDX-License-Identifier: ISC */
/*
 * Command-line options as a table.  One table per program or subcommand
 * drives getopt_long, --help, range errors, shell completion and the test
 * that the man page names every option.  The same rows describe a script's
 * options, so `sonde trace --help` and `sonde-agent --help` read alike.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/err.h"

enum option_type {
	OPTION_FLAG,    /* no argument; value is bool */
	OPTION_INTEGER, /* min..max */
	OPTION_NUMBER,  /* double, min..max */
	OPTION_TEXT,
	OPTION_CHOICE,   /* one of choices, separated by '|' */
	OPTION_DURATION, /* "500ms", "60s", "5m", "1h", "1d"; value in ns */
	OPTION_SIZE,     /* "64k", "8M", "1G"; value in bytes */
	OPTION_TOS,      /* "EF", "AF41", "CS5", "184", "0xb8"; value is the
			    octet, min..max */
	OPTION_ADDRESS,  /* numeric address */
	OPTION_PREFIX,
	OPTION_LIST /* text, may be given several times */
};

struct option_row {
	const char *name; /* long name, without dashes */
	char letter;      /* short letter, or 0 */
	enum option_type type;
	const char *argument; /* shown in help: "SECONDS" */
	const char *choices;  /* OPTION_CHOICE */
	double min, max;      /* both 0: unbounded; in the value's unit (ns,
				 bytes); max < min: no upper bound */
	const char *fallback; /* default as text, or NULL; a list's with
				 commas */
	const char *help;     /* one line, lower case, no full stop */
};

struct option_table {
	const char *program;            /* "sonde sensor" */
	const char *synopsis;           /* "[-r FILE | -i IFACE]" */
	const char *summary;            /* one line */
	const char *examples;           /* lines, each a command; shown first */
	const struct option_row *rows;  /* ends with a row without a name */
	int operands_min, operands_max; /* max -1: any number */
	bool options_first; /* after the first operand all words are operands:
			       `sonde run FILE.lua --its --options` */
};

struct option_values; /* what was given, with defaults filled in */

/* Parses argv (argv[0] is skipped).  ERR_USAGE with "option: what, expected,
 * got" and a did-you-mean; --help sets option_help_asked. */
int option_parse(struct option_values **values,
    const struct option_table *table, int argc, char **argv,
    struct errmsg *msg);
void option_free(struct option_values *values);

bool option_help_asked(const struct option_values *values);
bool option_given(const struct option_values *values, const char *name);
bool option_flag(const struct option_values *values, const char *name);
int64_t option_integer(const struct option_values *values, const char *name);
int64_t option_tos(const struct option_values *values, const char *name);
double option_number(const struct option_values *values, const char *name);
int64_t option_duration_ns(
    const struct option_values *values, const char *name);
uint64_t option_size(const struct option_values *values, const char *name);
/* As it was written, of any type but a list; NULL when not given and without
 * a default.  Borrowed. */
const char *option_text(const struct option_values *values, const char *name);
/* An option of any type but a list, as it was written: for passing it on. */
const char *option_written(
    const struct option_values *values, const char *name);
size_t option_list(const struct option_values *values, const char *name,
    const char *const **items);
size_t option_operands(
    const struct option_values *values, const char *const **operands);

/* Text for --help: examples first.  The caller frees. */
char *option_help_text(const struct option_table *table);
/* Completion lines for shell "bash", "zsh" or "fish"; NULL for another. */
char *option_completion(
    const struct option_table *const *tables, size_t count, const char *shell);

/* The nearest of the names within an edit distance of 2, or NULL. */
const char *option_nearest(
    const char *word, const char *const *names, size_t count);

/* The typed parsers, for config files and scripts too. */
int option_parse_duration(int64_t *ns, const char *text, struct errmsg *msg);
int option_parse_size(uint64_t *bytes, const char *text, struct errmsg *msg);
/* The octet of type of service or traffic class; a DSCP's name is that code
 * point with ECN 0. */
int option_parse_tos(int64_t *tos, const char *text, struct errmsg *msg);
int option_parse_integer(int64_t *value, const char *text, double min,
    double max, struct errmsg *msg);
