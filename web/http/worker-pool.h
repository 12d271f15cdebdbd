/* SPDX-License-Identifier: ISC */
/* A few threads that do what may block, so that the server's loop never
 * does. */
#pragma once

#include <stddef.h>

#include "lib/base/err.h"

struct worker_job {
	void (*run)(void *ctx);
	void *ctx;
	struct worker_job *next; /* the pool's */
};

struct worker_pool;
/* -EAGAIN: the machine gives no thread. */
int worker_pool_open(struct worker_pool **pool, size_t threads,
    const char *name, struct errmsg *msg);
/* Runs what is queued, then ends.  NULL is fine. */
void worker_pool_free(struct worker_pool *pool);

/* The job must live until it has run; run may free it. */
void worker_pool_submit(struct worker_pool *pool, struct worker_job *job);
size_t worker_pool_waiting(struct worker_pool *pool);
