/* SPDX-License-Identifier: ISC */
/* The shipper as a process of the agent: a program of its own, so that no other
 * process maps a TLS library. */
#include <string.h>

#include "probes/agent/shipper/shipper-start.h"
#include "probes/agent/supervisor/children.h"

static bool shipper_wanted(const struct supervisor *s)
{
	return s->enrolled;
}

static size_t shipper_channels(
    const struct supervisor *s, const struct child *self, int *fds)
{
	fds[0] = s->ship[THEIRS];
	fds[1] = s->runs_asked[THEIRS];
	fds[2] = self->counters_fd;
	return 3;
}

static int shipper_become(
    struct supervisor *s, struct child *self, struct errmsg *msg)
{
	static struct shipper_start start;
	const struct agent_config *c = &s->config;
	int err = shipper_start_init(&start,
	    c->collector ? c->collector : s->identity.collector, c->ca_file,
	    msg);
	if (err < 0)
		return err;
	start.job = SHIPPER_SHIP;
	start.parent = s->pid;
	start.log_level = (uint32_t)c->log_level;
	start.uid = c->uid;
	start.gid = c->gid;
	start.allow_weak_sandbox = c->allow_weak_sandbox;
	start.keeper_fd = s->ship[THEIRS];
	start.supervisor_fd = s->runs_asked[THEIRS];
	start.counters_fd = self->counters_fd;
	start.retry_least_ns = c->retry_least_ns;
	start.retry_most_ns = c->retry_most_ns;
	memcpy(start.agent, s->identity.id, sizeof(start.agent));
	memcpy(
	    start.secret_key, s->identity.secret_key, sizeof(start.secret_key));
	return shipper_exec(s->shipper, &start, msg);
}

const struct process process_shipper = {
	.name = "shipper",
	.role = SANDBOX_SHIPPER,
	.end_step = END_SHIPPER,
	.is_program = true,
	.has_key = true,
	.wanted = shipper_wanted,
	.channels = shipper_channels,
	.main = shipper_become,
};
