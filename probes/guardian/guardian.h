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

/* A worker's end of a run: the guardian reads probes from fd and answers on
 * it, and forgets the run when the other end closes. */
int guardian_add_run(struct guardian *guardian, int fd, enum policy_who who);

/* Serves until every run has ended (control_fd -1), or until control_fd
 * closes.  On control_fd, runs arrive as descriptors (SCM_RIGHTS) with one
 * struct guardian_control each. */
struct guardian_control {
	uint32_t who; /* enum policy_who */
};
void guardian_serve(struct guardian *guardian, int control_fd);
/* Once round the loop.  False: the control end has closed or, without one, the
 * last run has ended. */
bool guardian_step(struct guardian *guardian, int control_fd);

/* "guardian.sent", "guardian.denied.<reason>", ... into the shared page. */
struct counters;
void guardian_set_counters(
    struct guardian *guardian, struct counters *counters);
