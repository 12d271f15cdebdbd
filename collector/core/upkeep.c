/* SPDX-License-Identifier: ISC */
#include "collector/core/upkeep.h"

#include <errno.h>
#include <stdlib.h>

#include "collector/core/chores.h"
#include "collector/core/private.h"
#include "lib/base/xalloc.h"

struct upkeep {
	pthread_mutex_t lock;
	pthread_cond_t wake, ended;
	bool stop;
	uint64_t ticks_asked, ticks_given;
	struct chores chores; /* the thread's only */
	pthread_t thread;
	bool running;
};

/* Until then, or what is to be done comes; false: stop. */
static bool wait_until(struct upkeep *u, struct monotime until)
{
	struct timespec ts = { .tv_sec = until.ns / NS_PER_S,
		.tv_nsec = until.ns % NS_PER_S };
	while (!u->stop && u->ticks_asked == u->ticks_given)
		if (pthread_cond_timedwait(&u->wake, &u->lock, &ts) ==
		    ETIMEDOUT)
			break;
	return !u->stop;
}

static void *upkeep_main(void *arg)
{
	struct collector *c = arg;
	struct upkeep *u = c->upkeep;
	struct monotime next = monotime_now();
	pthread_mutex_lock(&u->lock);
	while (wait_until(u, next)) {
		uint64_t asked = u->ticks_asked, given = u->ticks_given;
		pthread_mutex_unlock(&u->lock);
		next = chores_run(&u->chores, c, asked != given);
		pthread_mutex_lock(&u->lock);
		u->ticks_given = asked;
		pthread_cond_broadcast(&u->ended);
	}
	pthread_mutex_unlock(&u->lock);
	return NULL;
}

void upkeep_tick(struct collector *c)
{
	struct upkeep *u = c->upkeep;
	pthread_mutex_lock(&u->lock);
	uint64_t mine = ++u->ticks_asked;
	pthread_cond_signal(&u->wake);
	while (u->ticks_given < mine)
		pthread_cond_wait(&u->ended, &u->lock);
	pthread_mutex_unlock(&u->lock);
}

static int upkeep_start(struct collector *c, struct errmsg *msg)
{
	struct upkeep *u = xcalloc(1, sizeof(*u));
	pthread_mutex_init(&u->lock, NULL);
	pthread_condattr_t attr;
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&u->wake, &attr);
	pthread_condattr_destroy(&attr);
	pthread_cond_init(&u->ended, NULL);
	chores_init(&u->chores, c, true);
	c->upkeep = u;
	int err = pthread_create(&u->thread, NULL, upkeep_main, c);
	if (err != 0)
		return err_set(msg, -err, "upkeep: cannot start its thread");
	u->running = true;
	return ERR_OK;
}

static void upkeep_stop(struct collector *c)
{
	struct upkeep *u = c->upkeep;
	if (!u)
		return;
	pthread_mutex_lock(&u->lock);
	u->stop = true;
	pthread_cond_signal(&u->wake);
	pthread_mutex_unlock(&u->lock);
	if (u->running)
		pthread_join(u->thread, NULL);
	chores_fini(&u->chores);
	pthread_cond_destroy(&u->wake);
	pthread_cond_destroy(&u->ended);
	pthread_mutex_destroy(&u->lock);
	free(u);
	c->upkeep = NULL;
}

const struct part upkeep_part = {
	.name = "upkeep",
	.open = upkeep_start,
	.close = upkeep_stop,
};
