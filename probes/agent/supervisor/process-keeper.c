/* SPDX-License-Identifier: ISC */
/* The keeper as a process of the agent. */
#include <string.h>

#include "probes/agent/keeper/keeper.h"
#include "probes/agent/supervisor/children.h"
#include "probes/ipc/keeper-message.h"
#include "probes/ipc/process.h"

#define PRODUCERS_MAX (2 * SUPERVISOR_MAX_RUNS + 3)

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
	add_producer(to, &count, s->log_lines[OURS], "supervisor",
	    RECORD_BY_LOGGER, PRODUCER_FREE);
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

static size_t keeper_channels(
    const struct supervisor *s, const struct child *self, int *fds)
{
	struct keeper_producer producers[PRODUCERS_MAX];
	size_t count = producers_now(s, producers);
	(void)self;
	for (size_t i = 0; i < count; i++)
		fds[i] = producers[i].fd;
	fds[count++] = s->keeper_control[THEIRS];
	fds[count++] = s->ship[OURS];
	return count;
}

static int keeper_process_main(
    struct supervisor *s, struct child *self, struct errmsg *msg)
{
	static const char *const write[] = { AGENT_SPOOL, NULL };
	struct keeper_producer producers[PRODUCERS_MAX];
	struct heartbeat_source sources[SUPERVISOR_MAX_PROCESSES + 2];
	size_t count = 0;
	for (; count < s->child_count; count++)
		sources[count] =
		    (struct heartbeat_source){ s->children[count].process->name,
			    s->children[count].counters };
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
		.own = self->counters,
		.spool_page = s->spool_page,
		.sources = sources,
		.source_count = count,
		.host = s->host,
	};
	memcpy(config.spool.agent, s->identity.id, 16);
	const sigset_t *open_mask = process_signals();
	int err = child_enter(s, self, write, msg);
	return err < 0 ? err : keeper_main(&config, open_mask, msg);
}

const struct process process_keeper = {
	.name = "keeper",
	.role = SANDBOX_KEEPER,
	.end_step = END_KEEPER,
	.channels = keeper_channels,
	.main = keeper_process_main,
};
