/* SPDX-License-Identifier: ISC */
/* The guardian as a process of the agent. */
#include <stdlib.h>

#include "probes/agent/supervisor/children.h"
#include "probes/guardian/guardian.h"
#include "probes/ipc/precedence.h"
#include "probes/ipc/process.h"
#include "probes/net/live/live-feed.h"
#include "probes/net/live/live-receive.h"
#include "probes/net/live/live-user.h"
#include "probes/policy/policy-file.h"

static size_t guardian_channels(
    const struct supervisor *s, const struct child *self, int *fds)
{
	(void)self;
	fds[0] = s->guardian_control[THEIRS];
	fds[1] = s->guardian_feed[THEIRS];
	return 2;
}

static int guardian_main(
    struct supervisor *s, struct child *self, struct errmsg *msg)
{
	static struct policy policy;
	const char *given;
	char *spec;
	void *ctx = NULL;
	process_signals_end();
	policy_init(&policy);
	int err =
	    s->config.policy ? policy_load(&policy, s->config.policy, msg) : 0;
	if (err < 0) {
		err_prefix(msg, "policy");
		return err;
	}
	const struct net_ops *net = net_find(s->config.net, &given, msg);
	if (!net)
		return ERR_CONFIG;
	if (!net->advance) /* real time */
		precedence_first();
	live_receive_by(&live_ring);
	live_feed_by(s->guardian_feed[THEIRS]);
	live_user_becomes(s->config.uid);
	err = net_spec_join(&spec, net, given, &s->config.wish, msg);
	if (err < 0)
		return err;
	err = net->open(&ctx, spec, msg);
	free(spec);
	if (err < 0)
		return err;
	struct guardian *guardian = guardian_new(net, ctx, &policy);
	guardian_set_counters(guardian, self->counters);
	err = child_enter(s, self, NULL, msg);
	if (err < 0)
		return err;
	guardian_serve(guardian, s->guardian_control[THEIRS]);
	return 0;
}

const struct process process_guardian = {
	.name = "guardian",
	.role = SANDBOX_GUARDIAN,
	.end_step = END_MAKERS,
	.channels = guardian_channels,
	.main = guardian_main,
};
