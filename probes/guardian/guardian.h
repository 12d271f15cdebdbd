/* SPDX-License-Identifier: ISC */
/*
 * The one place where a packet may leave.  Holds the network, the policy and
 * the clock of every train; has no capability, file or name once it runs.
 */
#pragma once

#include "lib/base/clock.h"
#include "lib/base/err.h"
#include "probes/policy/policy.h"
#include "probes/net/net.h"

struct guardian;

/* Takes over the network's context.  policy is borrowed for life. */
struct guardian *guardian_new(
    const struct net_ops *net, void *net_ctx, const struct policy *policy);
void guardian_free(struct guardian *guardian);

/* Whose it is, and the way of its packets. */
struct guardian_run {
	uint32_t who; /* enum policy_who */
	struct net_choice choice;
};
/* A worker's end of a run: the guardian reads probes from fd and answers on
 * it, and forgets the run when the other end closes. */
int guardian_add_run(struct guardian *g, int fd, const struct guardian_run *r);

/* Serves until every run has ended (control_fd -1), or until control_fd
 * closes.  On control_fd, runs arrive as descriptors (SCM_RIGHTS) with one
 * struct guardian_run each. */
void guardian_serve(struct guardian *guardian, int control_fd);
/* Once round the loop.  False: the control end has closed or, without one, the
 * last run has ended. */
bool guardian_step(struct guardian *guardian, int control_fd);

/* "guardian.sent", "guardian.denied.<reason>", ... into the shared page. */
struct counters;
void guardian_set_counters(
    struct guardian *guardian, struct counters *counters);
