/* SPDX-License-Identifier: ISC */
/*
 * Who wants to know when something changed.  Called from the writer's thread
 * after COMMIT, so be short: mark, wake, return, and call nothing here.  Set
 * once, before the first agent can call; NULL ends it, and when that returns
 * no call is under way.
 */
#pragma once

#include <stdint.h>

struct collector;

struct collector_listener {
	void (*work_changed)(void *ctx, uint64_t revision);
	void (*event_added)(void *ctx, uint64_t last_id);
	void *ctx;
};
void collector_listen(
    struct collector *collector, const struct collector_listener *listener);

/* For the writer's thread: work of that revision, events up to that id are
 * committed. */
void listener_work_changed(struct collector *collector, uint64_t revision);
void listener_event_added(struct collector *collector, uint64_t last_id);
