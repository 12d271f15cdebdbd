/* SPDX-License-Identifier: ISC */
/* A bounded set keeps the busiest paths, and knows what it left out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "analysis/path-set.h"
#include "lib/base/xalloc.h"

/* One source, one router, and a destination of its own. */
static void add(struct path_set *set, uint32_t number, uint64_t traces)
{
	struct path path = {
		.src = addr_v4(0x0a000001),
		.dst = addr_v4(0x0b000000 + number),
		.hops = xcalloc(2, sizeof(struct path_hop)),
		.hop_count = 2,
		.traces = traces,
		.first_ns = 1,
		.last_ns = 2,
	};
	for (uint8_t i = 0; i < 2; i++) {
		struct path_hop *hop = &path.hops[i];
		hop->from = i ? path.dst : addr_v4(0x0a000002);
		hop->ttl = i + 1;
		hop->destination = i;
		hop->probes = hop->replies = traces;
		hop->rtt_min_ns = 1000000 * (i + 1);
		histogram_add(&hop->rtt, hop->rtt_min_ns, (uint32_t)traces);
	}
	path_set_add(set, number, 1, &path);
}

static size_t shown(struct path_set *set)
{
	const struct topology_node *nodes;
	return topology_nodes(set->topology, &nodes);
}

static bool holds(const struct path_set *set, int64_t row)
{
	for (size_t i = 0; i < set->count; i++)
		if (set->items[i].row == row)
			return true;
	return false;
}

static void without_bounds_all_is_kept(void **state)
{
	(void)state;
	struct path_set set = { 0 };
	for (uint32_t i = 0; i < 5000; i++)
		add(&set, i, 1);
	path_set_finish(&set);
	assert_int_equal(set.count, 5000);
	assert_int_equal(shown(&set), 5002);
	assert_int_equal(set.paths_left_out, 0);
	assert_int_equal(set.addresses_left_out, 0);
	path_set_fini(&set);
}

static void the_busiest_nodes_are_shown(void **state)
{
	(void)state;
	struct path_set set = { .bounds = {
				    .most_nodes = 102, .most_links = 1000 } };
	/* From the quietest to the busiest, so that order does not decide. */
	for (uint32_t i = 0; i < 5000; i++)
		add(&set, i, 1 + i / 100);
	path_set_finish(&set);
	assert_int_equal(shown(&set), 102);
	assert_int_equal(set.count, 100);
	for (uint32_t i = 4900; i < 5000; i++)
		assert_true(holds(&set, i));
	assert_int_equal(set.paths_left_out, 4900);
	assert_in_range(set.addresses_left_out, 4850, 4950);
	path_set_fini(&set);
}

static void equals_are_shown_by_row(void **state)
{
	(void)state;
	struct path_set set = { .bounds = {
				    .most_nodes = 1000, .most_links = 101 } };
	for (uint32_t i = 200; i > 0; i--)
		add(&set, i, 3);
	path_set_finish(&set);
	assert_int_equal(set.count, 100);
	for (uint32_t i = 1; i <= 100; i++)
		assert_true(holds(&set, i));
	assert_int_equal(set.paths_left_out, 100);
	path_set_fini(&set);
}

static void memory_is_bounded_while_reading(void **state)
{
	(void)state;
	struct path_set set = { .bounds = { .most_bytes = 64 << 10 } };
	for (int bin = 0; bin < 3; bin++)
		for (uint32_t i = 0; i < 20000; i++) {
			/* Ten are in every bin, the others in one of them. */
			bool busy = i % 2000 == 7;
			if (busy || (int)(i % 3) == bin)
				add(&set, i, busy ? 50 : 1);
			assert_true(set.bytes <= 64 << 10);
		}
	path_set_finish(&set);
	for (uint32_t i = 7; i < 20000; i += 2000)
		assert_true(holds(&set, i));
	assert_true(set.count > 50 && set.count < 400);
	assert_int_equal(set.paths_left_out, 20000 - set.count);
	assert_in_range(set.addresses_left_out, 20000 - set.count - 100,
	    20000 - set.count + 100);
	path_set_fini(&set);
	assert_int_equal(set.bounds.most_bytes, 64 << 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_bounds_all_is_kept),
		cmocka_unit_test(the_busiest_nodes_are_shown),
		cmocka_unit_test(equals_are_shown_by_row),
		cmocka_unit_test(memory_is_bounded_while_reading),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
