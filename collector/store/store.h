/* SPDX-License-Identifier: ISC */
/*
 * The seam to telemetry: records and what is summed up from them.  Who may do
 * what and what was asked for is the registry's (collector/registry/).  A
 * provider is one const struct store_ops; store_sqlite is the only one so far.
 *
 * append belongs to one thread; step, expire and stats to one, which may be
 * another.  Views belong to the caller that began them, one thread each, any
 * number at a time; a view sees the records that were appended before it began,
 * and their sums unless so many wait to be written that they lag by some
 * seconds.  All calls return 0
 * or an error; ERR_UNAVAILABLE: nothing was changed (disk full, I/O), try
 * again.
 */
#pragma once

#include "collector/store/plan.h"

struct store;
struct store_view; /* one snapshot of it */

struct store_ops {
	const char *name;

	/* Opens, creates, migrates, goes on with what was interrupted.
	 * ERR_UNSUPPORTED: made by a newer one; -ENOENT: had_one, and it is
	 * gone; -ESTALE: another history's. */
	int (*open)(struct store **store, const struct store_config *config,
	    struct errmsg *msg);
	void (*close)(struct store *store);

	/* All of them in one transaction or none; an outcome each.  After it
	 * returned 0, what is stored is on the disk.  Waits, or refuses, while
	 * too much waits to be summed up.
	 *
	 * Where config->replayed is set, an append of none says that what came
	 * of the appended is recorded: up to there a crash repeats nothing. */
	int (*append)(struct store *store,
	    struct prepared_batch *const *batches, size_t count,
	    struct store_outcome *outcomes, struct errmsg *msg);

	int (*begin)(
	    struct store *store, struct store_view **view, struct errmsg *msg);
	void (*end)(struct store_view *view);
	int (*read)(struct store_view *view, const struct store_plan *plan,
	    store_row_fn *fn, void *ctx, struct errmsg *msg);

	/* A bounded piece of what is due: sums to the disk, a merge, the log
	 * into the database.  1: there is more. */
	int (*step)(
	    struct store *store, struct monotime now, struct errmsg *msg);
	/* A bounded piece of letting go. */
	int (*expire)(struct store *store, const struct store_keep *keep,
	    struct store_expired *expired, struct errmsg *msg);
	int (*stats)(
	    struct store *store, struct store_stats *stats, struct errmsg *msg);
	/* 0, or what no retry repairs: -ESTALE (the files that are open are no
	 * longer those with their names), ERR_CORRUPT (damage was met).  Any
	 * thread. */
	int (*fault)(struct store *store, struct errmsg *msg);
};

extern const struct store_ops store_sqlite;
