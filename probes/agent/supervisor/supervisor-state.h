/* SPDX-License-Identifier: ISC */
/* What the supervisor's files share; not for others. */
#pragma once

#include "probes/agent/config/agent-config.h"
#include "probes/agent/keeper/heartbeat.h"
#include "probes/agent/keeper/keeper.h"
#include "probes/agent/supervisor/oneshot-log.h"
#include "probes/ipc/record-frame.h"
#include "lib/base/backoff.h"
#include "probes/agent/scheduler/run-request.h"

#define SUPERVISOR_MAX_RUNS 64
#define SUPERVISOR_MAX_PROCESSES 8

struct process;

struct child {
	const struct process *process; /* what it is */
	struct counters *counters;     /* its page, shared */
	int counters_fd;               /* for a program; else -1 */
	bool wanted;
	pid_t pid; /* 0: not running */
	int pidfd;
	struct monotime since; /* start */
	struct monotime at;    /* start again then, when pid is 0 */
	struct restart restart;
	bool asked; /* we asked it to end */
};

struct run {
	bool used;
	pid_t pid; /* 0: ended, its records are still read */
	int pidfd;
	uint8_t campaign[16];
	uint64_t number;
	char script[WORKLIST_SCRIPT_LEN];
	struct monotime deadline;
	struct keeper_producer *producers; /* records and log lines: 2, owned */
};

/* Which half of a channel is whose. */
enum { OURS, THEIRS };

struct supervisor {
	struct agent_config config;
	const char *path;
	struct agent_identity identity;
	bool enrolled;
	bool ending; /* no more runs */
	struct monotime started;
	pid_t pid; /* ours */
	struct child children[SUPERVISOR_MAX_PROCESSES];
	size_t child_count;
	struct run runs[SUPERVISOR_MAX_RUNS];
	struct once *once;
	int guardian_control[2], keeper_control[2];
	int guardian_feed[2];  /* further sockets for ports */
	int sensor_feed[2];    /* and for interfaces */
	int ship[2];           /* keeper's, shipper's */
	int runs_asked[2];     /* ours, shipper's */
	int sensor_records[2]; /* keeper's, sensor's */
	int log_lines[2];      /* keeper's, ours */
	int feed_fd, signal_fd;
	int places_fd; /* how far the sensor has read files; -1 */
	char *shipper; /* the program; owned, NULL: not enrolled */
	struct counters *own_page, *spool_page;
	struct heartbeat_host *host;
	struct monotime host_at; /* look at the addresses again then */
};

static inline void supervisor_count(
    struct supervisor *s, const char *name, uint64_t n)
{
	counters_add(counters_cell(s->own_page, name), n);
}
