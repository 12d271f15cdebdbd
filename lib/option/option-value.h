/* SPDX-License-Identifier: ISC */
/* One typed value of a row: what lib/option/option.c and
 * lib/option/config-file.c share. */
#pragma once

#include "lib/option/option.h"

struct option_value {
	bool given;      /* by the user, not by the row's default */
	bool set;        /* given, or the default is filled in */
	int64_t integer; /* also a flag as 0 or 1, a duration in ns */
	uint64_t size;
	double number;
	char *text;   /* owned; as it was written */
	char **items; /* owned; OPTION_LIST */
	size_t item_count;
};

/* Checks text against the row and keeps it; a list gets one more item.  The
 * message says what was expected and got, not which option. */
int option_value_set(struct option_value *value, const struct option_row *row,
    const char *text, struct errmsg *msg);
/* Fills in the row's default (a list's is separated by commas), if any. */
int option_value_default(struct option_value *value,
    const struct option_row *row, struct errmsg *msg);
/* Forgets a list's default before the first item that is given. */
void option_value_fini(struct option_value *value);

/* The values of a table by name; a name or type that the table does not have
 * is a bug. */
const struct option_value *option_value_of(const struct option_value *values,
    const struct option_row *rows, const char *name, enum option_type type);

size_t option_row_count(const struct option_row *rows);
/* "3 to 90", "at least 1s", ... or "" when unbounded. */
void option_range_text(const struct option_row *row, char *to, size_t size);
