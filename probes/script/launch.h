/* SPDX-License-Identifier: ISC */
/*
 * A run by hand: one guardian and one worker, started for one script.  The
 * caller opens the network, because that takes privilege and files; the
 * guardian's process keeps it and the caller's copy is closed.
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
};

/* worker: its descriptors are filled in here; one for operands when it has
 * streams_operands.  Takes over net_ctx, also on
 * failure. */
int launch_start(struct launch *launch, const struct net_ops *net,
    void *net_ctx, const struct policy *policy,
    const struct worker_config *worker, struct errmsg *msg);

/* Asks the worker to end and record what it has; kills it. */
void launch_interrupt(const struct launch *launch);
void launch_kill(const struct launch *launch);

/* Waits for the worker to end, and where it failed for the guardian, which
 * ends by itself with its worker; the worker's exit code, 70 when it crashed or
 * was killed, or the guardian's when that failed. */
int launch_finish(struct launch *launch, struct errmsg *msg);
