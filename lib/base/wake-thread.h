/* SPDX-License-Identifier: ISC */
/*
 * A thread that waits for a time on the monotonic clock, for work or for its
 * end, whichever comes first.  Whatever it waits for is under the lock.
 */
#pragma once

#include <pthread.h>
#include <stdbool.h>

#include "lib/base/clock.h"
#include "lib/base/err.h"

struct wake_thread {
	pthread_mutex_t lock;
	pthread_cond_t wake;
	pthread_t thread;
	bool running; /* the owner's */
	bool stop;    /* under the lock */
};

/* The lock, before there is a thread, and without one. */
void wake_thread_init(struct wake_thread *thread);
/* name: in messages and, cut to 15 characters, in ps.  Where no thread can be
 * made: -errno, as a shortage that the caller reports. */
int wake_thread_start(struct wake_thread *thread, void *(*main)(void *),
    void *arg, const char *name, struct errmsg *msg);
/* The lock is held, and is again on return.  True: woken, or for no reason:
 * look again.  False: it is time. */
bool wake_thread_wait(struct wake_thread *thread, struct monotime until);
/* The lock is held. */
void wake_thread_wake(struct wake_thread *thread);
/* Sets stop, wakes the thread and waits for its end. */
void wake_thread_stop(struct wake_thread *thread);
void wake_thread_fini(struct wake_thread *thread);
