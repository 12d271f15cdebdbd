/* SPDX-License-Identifier: ISC */
/*
 * From the words and the file of targets to the worker: names are asked for
 * side by side, addresses do not wait for them, and no more is read than the
 * worker takes.
 */
#pragma once

#include <poll.h>

#include "lib/base/buf.h"
#include "probes/cli/measure-verbose.h"
#include "probes/cli/name-resolver.h"
#include "probes/cli/target-list.h"

#define TARGET_FEED_FDS 3

struct target_feed {
	const char *program; /* for messages: "ping" */
	const struct verbose *verbose;
	struct target_list list;
	struct resolver_choice choice;
	struct resolver *resolver; /* of the system; NULL: not asked yet */
	const struct net_ops *net;
	const char *spec;
	void *net_ctx; /* for a network's own names; NULL: not opened yet */
	int fd;        /* the worker's; -1: it takes no more */
	struct buf words;
	size_t at;
	bool read_all;
	char held[TARGET_WORD_MAX]; /* a name that the resolver had no
				       room for; "": none */
	uint64_t held_line;
	uint64_t given, failed; /* targets */
};

/* Begins: `feed` has program, verbose, list, choice, net and spec; fd is taken
 * over. */
void target_feed_start(struct target_feed *feed, int fd);
/* What to wait for, TARGET_FEED_FDS of them. */
void target_feed_wants(
    const struct target_feed *feed, struct pollfd p[static TARGET_FEED_FDS]);
/* Moves what can be moved, without waiting. */
void target_feed_step(struct target_feed *feed);
void target_feed_fini(struct target_feed *feed);
