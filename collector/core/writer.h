/* SPDX-License-Identifier: ISC */
/* The one thread that changes the store. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "collector/core/part.h"
#include "collector/store/plan.h"

/* A unit of work for the writer. */
struct job {
	/* Inside the transaction, in the writer's thread.  0 keeps what it
	 * did to the store; an error undoes it.  May run again when the
	 * transaction was lost, so it starts afresh each time. */
	int (*run)(
	    struct collector *collector, struct job *job, struct errmsg *msg);
	/* After COMMIT, or when it came to nothing (job->err); owns the job
	 * from here on.  Called without locks. */
	void (*done)(struct collector *collector, struct job *job);
	/* A batch for telemetry, or NULL: then run changes the registry.  With
	 * one, run comes after its COMMIT, when outcome says that something
	 * is to be announced. */
	struct prepared_batch *batch;
	struct store_outcome outcome;
	size_t bytes; /* memory that waits with it */
	int err;
	struct errmsg msg;
	uint64_t revision; /* set by run: work has changed */
	struct job *next;
};

/* ERR_UNAVAILABLE: the queue is full; the job is still the caller's. */
int writer_submit(struct collector *collector, struct job *job);
/* Submits and waits; the job needs no done and is the caller's after. */
int writer_call(
    struct collector *collector, struct job *job, struct errmsg *msg);
void writer_queue(struct collector *collector, uint64_t *jobs, uint64_t *bytes);
bool writer_is_healthy(struct collector *collector, char *detail, size_t len);

/* Runs one job in a transaction of its own; only in the writer's thread, for
 * chores (core/part.h). */
int writer_run_now(struct collector *collector, struct job *job);

/* Every chore now rather than when it is due, after the jobs that wait; waits
 * for their end. */
void writer_tick(struct collector *collector);

/* Closing it refuses jobs from then on, ends the queue, stops the thread. */
extern const struct part writer_part;
