/* SPDX-License-Identifier: ISC */
/* What the supervisor's files share; nobody else includes this. */
#pragma once

#include "probes/agent/config/agent-config.h"
#include "probes/agent/keeper/heartbeat.h"
#include "probes/agent/keeper/keeper.h"
#include "probes/agent/supervisor/oneshot-log.h"
#include "probes/ipc/record-frame.h"
#include "lib/base/backoff.h"
#include "probes/agent/scheduler/run-request.h"

#define SUPERVISOR_MAX_RUNS 64

/* In the order in which they start. */
enum child_kind {
	CHILD_KEEPER,
	CHILD_GUARDIAN,
	CHILD_SENSOR,
	CHILD_SHIPPER,
	CHILDREN
};

struct child {
	bool wanted;
	pid_t pid; /* 0: not running */
	int pidfd;
	struct monotime since; /* start */
	struct monotime at;    /* start again then, when pid is 0 */
	struct restart restart;
	bool asked; /* we told it to end */
};

struct run {
	bool used;
	pid_t pid; /* 0: ended, its records are still read */
	int pidfd;
	uint8_t campaign[16];
	uint64_t number;
	char script[WORKLIST_SCRIPT_LEN];
	struct monotime deadline;
	struct keeper_producer *producers; /* records and talk: 2, owned */
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
	struct child children[CHILDREN];
	struct run runs[SUPERVISOR_MAX_RUNS];
	struct once *once;
	int guardian_control[2], keeper_control[2];
	int ship[2];           /* keeper's, shipper's */
	int runs_asked[2];     /* ours, shipper's */
	int sensor_records[2]; /* keeper's, sensor's */
	int talk[2];           /* keeper's, ours */
	int feed_fd, signal_fd;
	char *shipper;      /* the program; owned, NULL: not enrolled */
	int ship_counts_fd; /* its page of counters */
	struct counters *pages[CHILDREN], *own_page, *spool_page;
	struct heartbeat_host *host;
	struct monotime host_at; /* look at the addresses again then */
};

/* A line to standard error and a log record. */
void supervisor_say(struct supervisor *s, enum log_level level,
    const char *format, ...) __attribute__((format(printf, 3, 4)));
void supervisor_count(struct supervisor *s, const char *name, uint64_t n);

/* children.c: forks one; and what it forks into. */
const char *child_name(enum child_kind kind);
int child_start(struct supervisor *s, enum child_kind kind);
/* First thing in any child: dies with us, keeps only these descriptors. */
void child_begin(
    const struct supervisor *s, const char *name, int *fds, size_t count);

/* runs.c */
void run_start(struct supervisor *s, const struct run_request *request);
/* A worker ended, or its deadline came; and what is left of ended ones. */
void runs_tend(struct supervisor *s);
/* Asks workers to record what they have and end; kills them soon after. */
void runs_end(struct supervisor *s);
bool runs_active(const struct supervisor *s);
struct monotime runs_next(const struct supervisor *s);
