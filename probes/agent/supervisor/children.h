/* SPDX-License-Identifier: ISC */
/*
 * What the supervisor forks into: a seam.  Each process of the agent is a
 * const struct that ends its file, listed in supervisor.c.  Workers are no
 * rows: they come and go with runs (runs.h).
 */
#pragma once

#include "probes/agent/supervisor/supervisor-state.h"
#include "probes/sandbox/sandbox.h"

/* The end comes in these steps, so that nothing is lost: first what makes
 * records, then what ships them, then what keeps them. */
enum end_step { END_MAKERS, END_SHIPPER, END_KEEPER, END_STEPS };

struct process {
	const char *name; /* of its log, its counters and in ps */
	enum sandbox_role role;
	enum end_step end_step;
	bool is_program; /* executed: its page of counters comes by descriptor,
			    and it enters the sandbox itself */
	bool has_key;    /* the agent's secret key stays in its memory */
	bool may_finish; /* exit code 0 is no crash: it has done its work */
	const char *alive; /* a counter that is 0 while it is not running;
			      NULL: none */
	/* With this configuration; NULL: always.  How often it may crash in a
	 * row is the configuration's too. */
	bool (*wanted)(const struct supervisor *s);
	/* The descriptors that it keeps; how many. */
	size_t (*channels)(
	    const struct supervisor *s, const struct child *self, int *fds);
	/* In the child, in the state folder: opens what takes privilege, calls
	 * child_enter, serves until SIGTERM. */
	int (*main)(
	    struct supervisor *s, struct child *self, struct errmsg *msg);
};

extern const struct process process_keeper, process_guardian, process_sensor,
    process_shipper;

/* Forks it.  -1: errno says why not. */
int child_start(struct supervisor *s, struct child *child);
/* First thing in any child: dies with us, keeps only these descriptors. */
void child_begin(
    const struct supervisor *s, const char *name, int *fds, size_t count);
/* The sandbox of its role; write: paths that it may write to, or NULL. */
int child_enter(const struct supervisor *s, const struct child *self,
    const char *const *write, struct errmsg *msg);
