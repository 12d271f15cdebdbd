/* SPDX-License-Identifier: ISC */
/*
 * Measuring by hand: a script by name or by path, its options and the common
 * ones, hosts resolved, records written.
 */
#pragma once

#include "lib/option/option.h"
#include "probes/net/net.h"
#include "probes/script/worker.h"

/* `sonde NAME ARGUMENTS`: argv[0] names the script.  The exit code. */
int measure_main(const char *name_or_path, int argc, char **argv);

/* A script's rows and the common ones that do not collide with them, for
 * help, completion and parsing.  Free with measure_table_free. */
struct option_table *measure_table(const struct script *script);
void measure_table_free(struct option_table *table);
extern const struct option_row measure_rows[];

/* "sonde OPTIONS WORD REST" becomes "WORD OPTIONS REST" in place, where the
 * options are common ones; the index of WORD, or argc when there is none. */
int measure_reorder(int argc, char **argv);

/* Is the option the common one, which the script has none of that name? */
bool measure_row_is_common(const struct script *script, const char *name);

/* Is this word, such as "--net" or "-4", one of the common options? */
bool measure_option_is_common(const char *word);
