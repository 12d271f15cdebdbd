/* SPDX-License-Identifier: ISC */
/* A few threads that do what may block, so that the server's loop never
 * does. */
#pragma once

#include <stddef.h>

#include "lib/base/err.h"

struct pool_job {
	void (*run)(void *ctx);
	void *ctx;
	struct pool_job *next; /* the pool's */
};

struct pool;
/* -EAGAIN: the machine gives no thread. */
int pool_open(
    struct pool **pool, size_t threads, const char *name, struct errmsg *msg);
/* Runs what is queued, then ends.  NULL is fine. */
void pool_free(struct pool *pool);

/* The job must live until it has run; run may free it. */
void pool_submit(struct pool *pool, struct pool_job *job);
size_t pool_waiting(struct pool *pool);
