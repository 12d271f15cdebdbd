/* SPDX-License-Identifier: ISC */
/*
 * A radix heap (Ahuja, Mehlhorn, Orlin and Tarjan, Faster algorithms for the
 * shortest path problem, J. ACM 37, 1990): virtual time never goes back, so
 * what is taken is never earlier than what was taken before.  An item is in
 * the bucket of the highest bit in which its time differs from the last one
 * taken, those with the same time in bucket 0.  When bucket 0 is empty, the
 * lowest other one is spread over those below it by its earliest time; an item
 * moves down at most once for each bit.  Moves keep the order of a bucket, and
 * equal times are always in one bucket, so they leave in the order in which
 * they came.
 */
#include "probes/net/sim/sim-queue.h"

#include <stdlib.h>

#include "lib/base/xalloc.h"

/* So few are taken before a cache forgets them. */
#define SOON 64
#define NEXT 16 /* and these when the others are there already */

static void bucket_add(
    struct sim_queue *q, unsigned at, int64_t ns, struct sim_flight *flight)
{
	struct sim_queue_bucket *b = &q->buckets[at];
	if (b->count == b->room) {
		b->room = b->room ? b->room * 2 : 64;
		b->items = xreallocarray(b->items, b->room, sizeof(*b->items));
	}
	if (b->count == 0 || ns < b->first_ns)
		b->first_ns = ns;
	b->items[b->count++] = (struct sim_queue_item){ ns, flight };
	if (at > 0)
		q->used |= UINT64_C(1) << (at - 1);
}

static unsigned bucket_of(const struct sim_queue *q, int64_t ns)
{
	uint64_t differs = (uint64_t)ns ^ (uint64_t)q->last_ns;
	return ns <= q->last_ns ? 0 : 64 - (unsigned)__builtin_clzll(differs);
}

void sim_queue_add(struct sim_queue *q, int64_t ns, struct sim_flight *flight)
{
	bucket_add(q, bucket_of(q, ns), ns, flight);
	q->count++;
}

/* Fills bucket 0, if something is due by then. */
static bool spread(struct sim_queue *q, int64_t until_ns)
{
	unsigned at = (unsigned)__builtin_ffsll((long long)q->used);
	if (at == 0 || q->buckets[at].first_ns > until_ns)
		return false;
	struct sim_queue_bucket *b = &q->buckets[at];
	q->last_ns = b->first_ns;
	q->used &= ~(UINT64_C(1) << (at - 1));
	bool next = b->count <= NEXT && q->fetch;
	for (size_t i = 0; i < b->count; i++) {
		if (next)
			q->fetch(q->fetch_arg, b->items[i].flight);
		else if (b->count <= SOON)
			__builtin_prefetch(b->items[i].flight);
		bucket_add(q, bucket_of(q, b->items[i].ns), b->items[i].ns,
		    b->items[i].flight);
	}
	b->count = 0;
	return true;
}

struct sim_flight *sim_queue_take(struct sim_queue *q, int64_t until_ns)
{
	struct sim_queue_bucket *now = &q->buckets[0];
	if (now->count == 0 ? !spread(q, until_ns) : now->first_ns > until_ns)
		return NULL;
	struct sim_flight *flight = now->items[now->taken++].flight;
	if (now->taken == now->count)
		now->taken = now->count = 0;
	q->count--;
	return flight;
}

struct sim_flight *sim_queue_drain(struct sim_queue *q)
{
	return sim_queue_take(q, INT64_MAX);
}

void sim_queue_fini(struct sim_queue *q)
{
	for (unsigned i = 0; i < SIM_QUEUE_BUCKETS; i++)
		free(q->buckets[i].items);
	*q = (struct sim_queue){ 0 };
}
