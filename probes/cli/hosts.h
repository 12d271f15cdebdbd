/* SPDX-License-Identifier: ISC */
/* Hosts to measure: from a file, and by name. */
#pragma once

#include "probes/net/net.h"

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
