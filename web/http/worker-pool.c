/* SPDX-License-Identifier: ISC */
/* A first-in-first-out queue in front of a fixed number of threads.  Jobs are
 * linked through their owner's memory, so submitting never allocates. */

#include "web/http/worker-pool.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

#include "lib/base/xalloc.h"

struct worker_pool {
	pthread_mutex_t lock;
	pthread_cond_t more;
	struct worker_job *first, **last;
	size_t waiting;
	bool ending;
	size_t thread_count;
	pthread_t threads[];
};

static struct worker_job *take_job(struct worker_pool *pool)
{
	pthread_mutex_lock(&pool->lock);
	while (!pool->first && !pool->ending)
		pthread_cond_wait(&pool->more, &pool->lock);
	struct worker_job *job = pool->first;
	if (job) {
		pool->first = job->next;
		if (!pool->first)
			pool->last = &pool->first;
		pool->waiting--;
	}
	pthread_mutex_unlock(&pool->lock);
	return job;
}

static void *run_jobs(void *arg)
{
	struct worker_job *job;
	while ((job = take_job(arg)) != NULL)
		job->run(job->ctx);
	return NULL;
}

void worker_pool_free(struct worker_pool *pool)
{
	if (!pool)
		return;
	pthread_mutex_lock(&pool->lock);
	pool->ending = true;
	pthread_cond_broadcast(&pool->more);
	pthread_mutex_unlock(&pool->lock);
	for (size_t i = 0; i < pool->thread_count; i++)
		pthread_join(pool->threads[i], NULL);
	pthread_cond_destroy(&pool->more);
	pthread_mutex_destroy(&pool->lock);
	free(pool);
}

int worker_pool_open(struct worker_pool **result, size_t threads,
    const char *name, struct errmsg *msg)
{
	struct worker_pool *pool =
	    xcalloc(1, sizeof(*pool) + threads * sizeof(pool->threads[0]));
	pthread_mutex_init(&pool->lock, NULL);
	pthread_cond_init(&pool->more, NULL);
	pool->last = &pool->first;
	for (; pool->thread_count < threads; pool->thread_count++) {
		pthread_t *thread = &pool->threads[pool->thread_count];
		int err = pthread_create(thread, NULL, run_jobs, pool);
		if (err != 0) {
			worker_pool_free(pool);
			return err_set(
			    msg, -err, "thread '%s': %s", name, err_str(-err));
		}
		pthread_setname_np(*thread, name);
	}
	*result = pool;
	return 0;
}

void worker_pool_submit(struct worker_pool *pool, struct worker_job *job)
{
	pthread_mutex_lock(&pool->lock);
	job->next = NULL;
	*pool->last = job;
	pool->last = &job->next;
	pool->waiting++;
	pthread_cond_signal(&pool->more);
	pthread_mutex_unlock(&pool->lock);
}

size_t worker_pool_waiting(struct worker_pool *pool)
{
	pthread_mutex_lock(&pool->lock);
	size_t waiting = pool->waiting;
	pthread_mutex_unlock(&pool->lock);
	return waiting;
}
