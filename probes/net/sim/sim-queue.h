/* SPDX-License-Identifier: ISC */
/* Packets on their way by the time of their next arrival. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sim_flight;

struct sim_queue_item {
	int64_t ns;
	struct sim_flight *flight;
};

#define SIM_QUEUE_BUCKETS 65
struct sim_queue {
	struct sim_queue_bucket {
		struct sim_queue_item *items; /* owned */
		size_t count, room, taken;    /* taken: from its front */
		int64_t first_ns;             /* the earliest in it */
	} buckets[SIM_QUEUE_BUCKETS];
	uint64_t used;   /* bit n: bucket n + 1 holds something */
	int64_t last_ns; /* of what was taken last; none is earlier */
	size_t count;
	/* Of one that will soon be taken: what it needs then may go to the
	 * cache.  NULL: of no use. */
	void (*fetch)(const void *arg, const struct sim_flight *flight);
	const void *fetch_arg;
};

void sim_queue_add(
    struct sim_queue *queue, int64_t ns, struct sim_flight *flight);
/* The earliest that is due by then, of equal times the one that was added
 * first; or NULL. */
struct sim_flight *sim_queue_take(struct sim_queue *queue, int64_t until_ns);
/* Any one, whenever it is due; NULL: there is none. */
struct sim_flight *sim_queue_drain(struct sim_queue *queue);
void sim_queue_fini(struct sim_queue *queue); /* of an empty one */
