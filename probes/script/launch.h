/* SPDX-License-Identifier: ISC */
/*
 * A run by hand: one guardian and one worker, started for one script.  The
 * worker first: it builds its sandbox while the caller opens the network, and
 * has none of that.  The caller opens it, because that takes privilege and
 * files; the guardian's process keeps it.
 *
 * Of several vantage points of a simulated network each has a launch, with a
 * worker and a guardian of its own; the guardians share the first one's
 * process.
 */
#pragma once

#include <sys/types.h>

#include "lib/base/err.h"
#include "probes/policy/policy.h"
#include "probes/net/net.h"
#include "probes/script/worker.h"

struct launch {
	pid_t guardian, worker; /* 0: has been waited for */
	int record_fd, log_fd;  /* the caller reads datagrams of them */
	int operand_fd;         /* and writes operands to this one, which
				   never blocks; it closes it */
	int ended;              /* the exit code that the worker said; -1 */
	int guardian_ends[2];   /* of its run and of the log */
};

/* worker: its descriptors are filled in here; one for operands when it has
 * streams_operands. */
int launch_worker(struct launch *launch, const struct worker_config *worker,
    struct errmsg *msg);
/* What guardians are given. */
struct launch_network {
	const struct net_ops *net;
	void **ctxs; /* one for each launch */
	size_t count;
	const struct policy *policy;
	bool allow_weak_sandbox;
	int feed_fd; /* the caller's own, which guardians must not have; -1 */
};
/* Takes over the contexts, also on failure, and then the workers are gone
 * too. */
int launch_guardian(struct launch *launches,
    const struct launch_network *network, struct errmsg *msg);
/* Instead of launch_guardian: there is no network. */
void launch_abandon(struct launch *launches, size_t count);

/* Is this datagram of log_fd the worker's end (then `ended` is set, and all its
 * records are there to be read), and no line? */
bool launch_is_end(struct launch *launch, const uint8_t *bytes, size_t len);

/* The worker runs after all else from now on: by hand only when it runs for
 * long, because each of a short run's few steps would wait. */
void launch_yield(const struct launch *launch);

/* Asks the worker to end and record what it has; kills it. */
void launch_interrupt(const struct launch *launch);
void launch_kill(const struct launch *launch);

/* Ends it all; of several launches the first one last.  A worker that said its
 * end is killed, and not waited for; any other is, and where it failed so is
 * the guardian, which ends by itself with its worker.  The worker's exit code,
 * 70 when it crashed or was killed, or the guardian's when that failed. */
int launch_finish(struct launch *launch, struct errmsg *msg);
