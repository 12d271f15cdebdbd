/* SPDX-License-Identifier: ISC */
#include "collector/core/upkeep.h"

#include <stdlib.h>

#include "collector/core/chores.h"
#include "collector/core/private.h"
#include "lib/base/wake-thread.h"
#include "lib/base/xalloc.h"

struct upkeep {
	struct wake_thread thread;
	pthread_cond_t ended; /* a tick is over */
	uint64_t ticks_asked, ticks_given;
	struct chores chores; /* the thread's only */
};

/* Until then, or what is to be done comes; false: stop. */
static bool wait_until(struct upkeep *u, struct monotime until)
{
	while (!u->thread.stop && u->ticks_asked == u->ticks_given)
		if (!wake_thread_wait(&u->thread, until))
			break;
	return !u->thread.stop;
}

static void *upkeep_main(void *arg)
{
	struct collector *c = arg;
	struct upkeep *u = c->upkeep;
	struct monotime next = monotime_now();
	pthread_mutex_lock(&u->thread.lock);
	while (wait_until(u, next)) {
		uint64_t asked = u->ticks_asked, given = u->ticks_given;
		pthread_mutex_unlock(&u->thread.lock);
		next = chores_run(&u->chores, c, asked != given);
		pthread_mutex_lock(&u->thread.lock);
		u->ticks_given = asked;
		pthread_cond_broadcast(&u->ended);
	}
	pthread_mutex_unlock(&u->thread.lock);
	return NULL;
}

void upkeep_tick(struct collector *c)
{
	struct upkeep *u = c->upkeep;
	pthread_mutex_lock(&u->thread.lock);
	uint64_t mine = ++u->ticks_asked;
	wake_thread_wake(&u->thread);
	while (u->ticks_given < mine)
		pthread_cond_wait(&u->ended, &u->thread.lock);
	pthread_mutex_unlock(&u->thread.lock);
}

static int upkeep_start(struct collector *c, struct errmsg *msg)
{
	struct upkeep *u = xcalloc(1, sizeof(*u));
	wake_thread_init(&u->thread);
	pthread_cond_init(&u->ended, NULL);
	chores_init(&u->chores, c, true);
	c->upkeep = u;
	return wake_thread_start(&u->thread, upkeep_main, c, "upkeep", msg);
}

static void upkeep_stop(struct collector *c)
{
	struct upkeep *u = c->upkeep;
	if (!u)
		return;
	wake_thread_stop(&u->thread);
	wake_thread_fini(&u->thread);
	pthread_cond_destroy(&u->ended);
	chores_fini(&u->chores);
	free(u);
	c->upkeep = NULL;
}

const struct part upkeep_part = {
	.name = "upkeep",
	.open = upkeep_start,
	.close = upkeep_stop,
};
