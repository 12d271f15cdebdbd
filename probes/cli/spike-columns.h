/* SPDX-License-Identifier: ISC */
/*
 * Which column of a table is what: by its name, as exports of sensors,
 * firewalls, tshark, Zeek and Suricata have it, or as --columns says.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/err.h"

enum spike_column {
	SPIKE_TIME,
	SPIKE_SOURCE,
	SPIKE_SIGNATURE,
	SPIKE_PORT,
	SPIKE_COUNT,
	SPIKE_COLUMNS
};
#define SPIKE_NO_COLUMN ((size_t)-1)

/* Owned texts: a name, or a number from 1 on; NULL: not said. */
struct spike_choice {
	char *columns[SPIKE_COLUMNS];
};
/* "time=when,source=3"; ERR_USAGE. */
int spike_choice_parse(
    struct spike_choice *choice, const char *text, struct errmsg *msg);
void spike_choice_fini(struct spike_choice *choice);
bool spike_choice_is_made(const struct spike_choice *choice);

const char *spike_column_name(enum spike_column column);
/* The index of the best of the names, case and blanks aside; SPIKE_NO_COLUMN.
 */
size_t spike_column_find(
    enum spike_column column, const char *const *names, size_t count);
/* Is this what the column is called in this program's own tables? */
bool spike_column_is_own(enum spike_column column, const char *name);
