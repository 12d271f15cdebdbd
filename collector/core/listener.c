/* SPDX-License-Identifier: ISC */
/* The one listener, called under a lock of its own so that it can be ended. */
#include "collector/core/listener.h"

#include "collector/core/private.h"

void collector_listen(
    struct collector *c, const struct collector_listener *listener)
{
	pthread_mutex_lock(&c->listener_lock);
	c->listener = listener ? *listener : (struct collector_listener){ 0 };
	pthread_mutex_unlock(&c->listener_lock);
}

void listener_work_changed(struct collector *c, uint64_t revision)
{
	pthread_mutex_lock(&c->listener_lock);
	if (c->listener.work_changed)
		c->listener.work_changed(c->listener.ctx, revision);
	pthread_mutex_unlock(&c->listener_lock);
}

void listener_event_added(struct collector *c, uint64_t last_id)
{
	pthread_mutex_lock(&c->listener_lock);
	if (c->listener.event_added)
		c->listener.event_added(c->listener.ctx, last_id);
	pthread_mutex_unlock(&c->listener_lock);
}
