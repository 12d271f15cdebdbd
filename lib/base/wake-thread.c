/* SPDX-License-Identifier: ISC */
#include "lib/base/wake-thread.h"

#include <errno.h>
#include <stdio.h>
#include <time.h>

void wake_thread_init(struct wake_thread *thread)
{
	pthread_condattr_t attr;
	*thread = (struct wake_thread){ .stop = false };
	pthread_mutex_init(&thread->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&thread->wake, &attr);
	pthread_condattr_destroy(&attr);
}

int wake_thread_start(struct wake_thread *thread, void *(*main)(void *),
    void *arg, const char *name, struct errmsg *msg)
{
	char short_name[16]; /* all that the kernel takes */
	int err = pthread_create(&thread->thread, NULL, main, arg);
	if (err != 0)
		return err_set(msg, -err, "%s: cannot start its thread: %s",
		    name, err_str(-err));
	thread->running = true;
	snprintf(short_name, sizeof(short_name), "%s", name);
	pthread_setname_np(thread->thread, short_name);
	return ERR_OK;
}

bool wake_thread_wait(struct wake_thread *thread, struct monotime until)
{
	const struct timespec ts = { .tv_sec = until.ns / NS_PER_S,
		.tv_nsec = until.ns % NS_PER_S };
	return pthread_cond_timedwait(&thread->wake, &thread->lock, &ts) !=
	    ETIMEDOUT;
}

void wake_thread_wake(struct wake_thread *thread)
{
	pthread_cond_signal(&thread->wake);
}

void wake_thread_stop(struct wake_thread *thread)
{
	pthread_mutex_lock(&thread->lock);
	thread->stop = true;
	wake_thread_wake(thread);
	pthread_mutex_unlock(&thread->lock);
	if (thread->running)
		pthread_join(thread->thread, NULL);
	thread->running = false;
}

void wake_thread_fini(struct wake_thread *thread)
{
	pthread_cond_destroy(&thread->wake);
	pthread_mutex_destroy(&thread->lock);
}
