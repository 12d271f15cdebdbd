/* SPDX-License-Identifier: ISC */
/*
 * Names to addresses, many at once: threads ask the system's resolver while
 * the caller goes on.  A name that nobody answers for keeps one thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/addr.h"
#include "lib/base/err.h"
#include "probes/net/net.h"

#define RESOLVER_THREADS 64
#define RESOLVER_WAITING 65536 /* names, asked for and not taken yet */
#define RESOLVER_ADDRESSES 64  /* of one name */

/* Which addresses of a name are wanted. */
struct resolver_choice {
	int family; /* 4 or 6; 0: either */
	bool both;  /* the first of each family */
	bool all;   /* every one */
};

/* One name and what was found. */
struct resolver_answer {
	char name[256];
	uint64_t line; /* as given with the question */
	struct addr addresses[RESOLVER_ADDRESSES];
	size_t count;
	int err; /* negative, when count is 0 */
	struct errmsg msg;
};

/* Could this be the name of a host?  msg says why not. */
int resolver_check_name(const char *name, struct errmsg *msg);

/* An address as it is written, of a family or any (0). */
int resolver_check_family(const struct addr *a, int family, struct errmsg *msg);

/* By the network's own names, at once. */
void resolver_ask_network(const struct net_ops *net, void *net_ctx,
    const struct resolver_choice *choice, struct resolver_answer *answer);

struct resolver;

struct resolver *resolver_new(const struct resolver_choice *choice);
/* false: too many wait; take answers first. */
bool resolver_ask(struct resolver *r, const char *name, uint64_t line);
/* How many questions have not been taken. */
size_t resolver_waiting(const struct resolver *r);
/* Readable when there may be an answer. */
int resolver_fd(const struct resolver *r);
/* The next answer, the caller frees; NULL: none is there. */
struct resolver_answer *resolver_take(struct resolver *r);
/* Threads that still ask end with the process; all the rest is freed by the
 * last of them. */
void resolver_free(struct resolver *r);
