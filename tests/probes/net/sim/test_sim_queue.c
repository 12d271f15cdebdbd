/* SPDX-License-Identifier: ISC */
/* The queue of a simulated internet, against a list that is searched. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "lib/base/hash.h"
#include "probes/net/sim/sim-queue.h"

enum { MOST = 400 };

/* What is in the queue, in the order in which it was added. */
struct list {
	int64_t ns[MOST];
	uintptr_t id[MOST];
	size_t count;
};

static uintptr_t list_take(struct list *l, int64_t until_ns)
{
	size_t best = MOST;
	for (size_t i = 0; i < l->count; i++)
		if (l->ns[i] <= until_ns &&
		    (best == MOST || l->ns[i] < l->ns[best]))
			best = i;
	if (best == MOST)
		return 0;
	uintptr_t id = l->id[best];
	l->count--;
	for (size_t i = best; i < l->count; i++) {
		l->ns[i] = l->ns[i + 1];
		l->id[i] = l->id[i + 1];
	}
	return id;
}

static size_t fetched;

/* What may be fetched is in the queue. */
static void note_fetch(const void *arg, const struct sim_flight *flight)
{
	const struct list *l = arg;
	size_t at = 0;
	while (at < l->count && l->id[at] != (uintptr_t)flight)
		at++;
	assert_true(at < l->count);
	fetched++;
}

static void takes_in_order_of_time_and_of_adding(void **state)
{
	(void)state;
	for (uint64_t round = 0; round < 64; round++) {
		struct sim_queue q = { 0 };
		struct list l = { .count = 0 };
		int64_t now = INT64_C(1) << 60,
			span = INT64_C(1) << (round % 32);
		uintptr_t ids = 0;
		if (round % 2) {
			q.fetch = note_fetch;
			q.fetch_arg = &l;
		}
		for (uint64_t step = 0; step < 3000; step++) {
			uint64_t draw = hash_mix(round, step);
			if (draw % 3 > 0 && l.count < MOST) {
				int64_t ns = now + (int64_t)(draw >> 8) % span;
				l.ns[l.count] = ns;
				l.id[l.count++] = ++ids;
				sim_queue_add(&q, ns, (void *)ids);
				continue;
			}
			int64_t until = now + (int64_t)(draw >> 8) % span;
			uintptr_t id;
			do {
				struct sim_flight *f =
				    sim_queue_take(&q, until);
				id = list_take(&l, until);
				assert_int_equal(f, id);
			} while (id && draw % 2);
			now = until;
			assert_int_equal(q.count, l.count);
		}
		while (l.count > 0) {
			struct sim_flight *f = sim_queue_drain(&q);
			assert_int_equal(f, list_take(&l, INT64_MAX));
		}
		assert_null(sim_queue_drain(&q));
		sim_queue_fini(&q);
	}
	assert_true(fetched > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_in_order_of_time_and_of_adding),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
