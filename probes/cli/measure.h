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

/* Is this word, such as "--net" or "-4", one of the common options? */
bool measure_option_is_common(const char *word);

/* The words of a file ('-': standard input), the first of each line, '#'
 * starts a comment.  Each is appended to the list. */
struct word_list {
	char **words; /* owned */
	size_t count;
};
int word_list_read(
    struct word_list *list, const char *path, struct errmsg *msg);
void word_list_add(struct word_list *list, char *word); /* consumes */
void word_list_fini(struct word_list *list);

/* "192.0.2.1" or "192.0.2.1=NAME" for a host, by the network's own names or
 * the system's; family 4, 6 or 0.  The caller frees; NULL: msg says why. */
char *host_resolve(const struct net_ops *net, void *net_ctx, const char *host,
    int family, struct errmsg *msg);
