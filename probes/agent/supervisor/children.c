/* SPDX-License-Identifier: ISC */
/*
 * What the supervisor forks into.  Only the shipper is another program, for
 * the sake of its TLS library; the others are executed by nobody, so pages
 * that all need are shared.  A child is sandboxed before it reads a byte from
 * outside.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/base/log.h"
#include "probes/ipc/keeper-message.h"
#include "probes/agent/keeper/keeper.h"
#include "probes/ipc/process.h"
#include "probes/agent/shipper/shipper-start.h"
#include "probes/agent/supervisor/children.h"
#include "probes/guardian/guardian.h"
#include "probes/policy/policy-file.h"
#include "probes/sensor/sensor.h"

static const char *const names[CHILDREN] = {
	[CHILD_KEEPER] = "keeper",
	[CHILD_GUARDIAN] = "guardian",
	[CHILD_SENSOR] = "sensor",
	[CHILD_SHIPPER] = "shipper",
};

const char *child_name(enum child_kind kind)
{
	return names[kind];
}

void child_begin(
    const struct supervisor *s, const char *name, int *fds, size_t count)
{
	char title[16] = "sonde-";
	strncat(title, name, sizeof(title) - strlen(title) - 1);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	prctl(PR_SET_NAME, title);
	if (getppid() != s->pid)
		_exit(0); /* it died before it could take us along */
	log_init(name, s->config.log_level);
	process_keep_fds(fds, count);
}

static struct sandbox_paths no_files(const struct supervisor *s)
{
	return (
	    struct sandbox_paths){ .uid = s->config.uid, .gid = s->config.gid };
}

/* --- guardian ---------------------------------------------------------- */

static int guardian_serve_runs(struct supervisor *s, struct errmsg *msg)
{
	static struct policy policy;
	struct sandbox_paths paths = no_files(s);
	const char *spec;
	void *ctx = NULL;
	policy_init(&policy);
	int err =
	    s->config.policy ? policy_load(&policy, s->config.policy, msg) : 0;
	const struct net_ops *net = net_find(s->config.net, &spec, msg);
	if (!err && !net)
		err = ERR_CONFIG;
	if (!err)
		err = net->open(&ctx, spec, msg);
	if (err)
		return err;
	struct guardian *guardian = guardian_new(net, ctx, &policy);
	guardian_set_counters(guardian, s->pages[CHILD_GUARDIAN]);
	err = process_enter(
	    SANDBOX_GUARDIAN, &paths, s->config.allow_weak_sandbox, msg);
	if (!err)
		guardian_serve(guardian, s->guardian_control[THEIRS]);
	return err;
}

static int guardian_main(struct supervisor *s)
{
	struct errmsg msg;
	process_signals_end();
	int err = guardian_serve_runs(s, &msg);
	if (err)
		log_error("%s", msg.text);
	return err_exit_code(err);
}

/* --- sensor ------------------------------------------------------------ */

static int sensor_main(struct supervisor *s)
{
	const struct agent_config *c = &s->config;
	struct sensor_opening opening = { .interfaces = c->interfaces,
		.interface_count = c->interface_count,
		.promiscuous = c->promiscuous };
	struct sensor_config config = { .record_fd = s->sensor_records[THEIRS],
		.counters = s->pages[CHILD_SENSOR],
		.interval_s = (uint32_t)(c->sensor_interval_ns / NS_PER_S),
		.homes = c->homes,
		.home_count = c->home_count,
		.stop = process_signals_flag() };
	struct sandbox_paths paths = no_files(s);
	struct sensor_capture *capture;
	struct errmsg msg;
	int err = sensor_open(&capture, &opening, &msg);
	if (!err)
		err = process_enter(
		    SANDBOX_SENSOR, &paths, c->allow_weak_sandbox, &msg);
	if (!err)
		err = sensor_run(capture, &config, &msg);
	if (err)
		log_error("%s", msg.text);
	return err_exit_code(err);
}

/* --- keeper ------------------------------------------------------------ */

static void add_producer(struct keeper_producer *to, size_t *count, int fd,
    const char *name, uint32_t roles, uint32_t flags)
{
	struct keeper_producer *p = &to[(*count)++];
	memset(p, 0, sizeof(*p));
	p->fd = fd;
	p->grant.roles = roles;
	p->grant.flags = flags;
	strncpy(p->grant.name, name, sizeof(p->grant.name) - 1);
}

static size_t producers_now(
    const struct supervisor *s, struct keeper_producer *to)
{
	size_t count = 0;
	add_producer(to, &count, s->talk[OURS], "supervisor", RECORD_BY_LOGGER,
	    PRODUCER_FREE);
	add_producer(
	    to, &count, s->sensor_records[OURS], "sensor", RECORD_BY_SENSOR, 0);
	if (s->feed_fd >= 0)
		add_producer(to, &count, s->feed_fd, "feed",
		    RECORD_BY_SCRIPT | RECORD_BY_SENSOR,
		    PRODUCER_LISTENS | PRODUCER_ACKS | PRODUCER_FREE);
	for (size_t i = 0; i < SUPERVISOR_MAX_RUNS; i++)
		for (int j = 0; s->runs[i].used && j < 2; j++)
			to[count++] = s->runs[i].producers[j];
	return count;
}

static int keeper_run(struct supervisor *s)
{
	struct keeper_producer producers[2 * SUPERVISOR_MAX_RUNS + 3];
	struct heartbeat_source sources[CHILDREN + 2];
	size_t count = 0;
	for (; count < CHILDREN; count++)
		sources[count] =
		    (struct heartbeat_source){ names[count], s->pages[count] };
	sources[count++] =
	    (struct heartbeat_source){ "supervisor", s->own_page };
	sources[count++] = (struct heartbeat_source){ "spool", s->spool_page };
	struct keeper_config config = {
		.spool = { .dir = AGENT_SPOOL,
		    .max_bytes = s->config.spool_bytes,
		    .segment_bytes = (uint32_t)s->config.segment_bytes },
		.heartbeat_ns = s->config.heartbeat_ns,
		.started = s->started,
		.control_fd = s->keeper_control[THEIRS],
		.shipper_fd = s->ship[OURS],
		.producers = producers,
		.producer_count = producers_now(s, producers),
		.own = s->pages[CHILD_KEEPER],
		.spool_page = s->spool_page,
		.sources = sources,
		.source_count = count,
		.host = s->host,
		.uid = s->config.uid,
		.gid = s->config.gid,
		.allow_weak_sandbox = s->config.allow_weak_sandbox
	};
	memcpy(config.spool.agent, s->identity.id, 16);
	return keeper_main(&config);
}

/* --- shipper ----------------------------------------------------------- */

/* A program of its own: no other process maps a TLS library. */
static int shipper_run(struct supervisor *s)
{
	static struct shipper_start start;
	const struct agent_config *c = &s->config;
	struct errmsg msg;
	int err = shipper_start_init(&start,
	    c->collector ? c->collector : s->identity.collector, c->ca_file,
	    &msg);
	start.job = SHIPPER_SHIP;
	start.parent = s->pid;
	start.log_level = (uint32_t)c->log_level;
	start.uid = c->uid;
	start.gid = c->gid;
	start.allow_weak_sandbox = c->allow_weak_sandbox;
	start.keeper_fd = s->ship[THEIRS];
	start.supervisor_fd = s->runs_asked[THEIRS];
	start.counters_fd = s->ship_counts_fd;
	start.retry_least_ns = c->retry_least_ns;
	start.retry_most_ns = c->retry_most_ns;
	memcpy(start.agent, s->identity.id, sizeof(start.agent));
	memcpy(
	    start.secret_key, s->identity.secret_key, sizeof(start.secret_key));
	if (!err)
		err = shipper_exec(s->shipper, &start, &msg);
	log_error("%s", msg.text);
	return err_exit_code(err);
}

/* --- forking ----------------------------------------------------------- */

/* The descriptors that a child keeps. */
static size_t fds_of(const struct supervisor *s, enum child_kind kind, int *fds)
{
	struct keeper_producer producers[2 * SUPERVISOR_MAX_RUNS + 3];
	size_t count = 0;
	switch (kind) {
	case CHILD_GUARDIAN: fds[count++] = s->guardian_control[THEIRS]; break;
	case CHILD_SENSOR: fds[count++] = s->sensor_records[THEIRS]; break;
	case CHILD_SHIPPER:
		fds[count++] = s->ship[THEIRS];
		fds[count++] = s->runs_asked[THEIRS];
		fds[count++] = s->ship_counts_fd;
		break;
	case CHILD_KEEPER:
		count = producers_now(s, producers);
		for (size_t i = 0; i < count; i++)
			fds[i] = producers[i].fd;
		fds[count++] = s->keeper_control[THEIRS];
		fds[count++] = s->ship[OURS];
		break;
	case CHILDREN: break;
	}
	return count;
}

/* The secret key is the shipper's alone. */
static void forget_key(struct supervisor *s, enum child_kind kind)
{
	if (kind != CHILD_SHIPPER)
		explicit_bzero(
		    s->identity.secret_key, sizeof(s->identity.secret_key));
}

int child_start(struct supervisor *s, enum child_kind kind)
{
	static int (*const mains[CHILDREN])(struct supervisor *) = {
		[CHILD_KEEPER] = keeper_run,
		[CHILD_GUARDIAN] = guardian_main,
		[CHILD_SENSOR] = sensor_main,
		[CHILD_SHIPPER] = shipper_run,
	};
	struct child *c = &s->children[kind];
	if (kind >= CHILDREN)
		BUG("child %d", (int)kind);
	pid_t pid = fork();
	if (pid == 0) {
		int fds[2 * SUPERVISOR_MAX_RUNS + 8] = { 0 };
		size_t count = fds_of(s, kind, fds);
		child_begin(s, names[kind], fds, count);
		forget_key(s, kind);
		if (chdir(s->config.state_dir) != 0) {
			log_error(
			    "%s: %s", s->config.state_dir, strerror(errno));
			_exit(err_exit_code(-errno));
		}
		_exit(mains[kind](s));
	}
	if (pid < 0)
		return -1;
	c->pid = pid;
	c->pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	c->since = monotime_now();
	c->asked = false;
	return 0;
}
