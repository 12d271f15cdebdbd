/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "analysis/topology.h"

#define MS NS_PER_MS

static struct addr at(uint8_t last)
{
	return addr_v4(0xc0000200u + last);
}

/* hops[i]: last octet of who answers (0: nobody) and the round trip. */
struct step {
	uint8_t from;
	int64_t rtt_ms;
	uint32_t replies;
};

static void add(
    struct topology *t, const struct step *steps, size_t count, bool reached)
{
	struct topology_hop hops[32];
	for (size_t i = 0; i < count; i++)
		hops[i] = (struct topology_hop){
			.from = steps[i].from ? at(steps[i].from)
					      : (struct addr){ 0 },
			.ttl = (uint8_t)(i + 1),
			.probes = 10,
			.replies = steps[i].replies,
			.rtt_ns = steps[i].from ? steps[i].rtt_ms * MS : -1,
			.destination = reached && i + 1 == count,
		};
	struct topology_trace trace = { .src = at(1),
		.dst = at(200),
		.when = { 5 },
		.hops = hops,
		.hop_count = count,
		.reached = reached };
	topology_add(t, &trace);
}

static const struct topology_link *link_of(
    struct topology *t, uint8_t from, uint8_t to)
{
	const struct topology_node *nodes;
	const struct topology_link *links;
	topology_nodes(t, &nodes);
	size_t count = topology_links(t, &links);
	struct addr a = at(from), b = at(to);
	for (size_t i = 0; i < count; i++)
		if (addr_equal(&nodes[links[i].from].addr, &a) &&
		    addr_equal(&nodes[links[i].to].addr, &b))
			return &links[i];
	return NULL;
}

static void a_diamond_keeps_both_sides(void **state)
{
	(void)state;
	struct topology *t = topology_new();
	const struct topology_node *nodes;
	const struct topology_link *links;
	add(t, (struct step[]){ { 2, 1, 10 }, { 3, 2, 10 }, { 5, 3, 10 } }, 3,
	    false);
	add(t, (struct step[]){ { 2, 1, 10 }, { 4, 2, 10 }, { 5, 3, 10 } }, 3,
	    false);
	assert_int_equal(topology_nodes(t, &nodes), 5);
	assert_int_equal(topology_links(t, &links), 5);
	assert_non_null(link_of(t, 3, 5));
	assert_non_null(link_of(t, 4, 5));
	assert_int_equal(link_of(t, 1, 2)->traces, 2);
	topology_free(t);
}

static void a_slow_link_is_found_and_a_slow_answerer_is_not_blamed(void **state)
{
	(void)state;
	struct topology *t = topology_new();
	/* 3 answers slowly; the link 4 > 5 is slow. */
	for (int i = 0; i < 5; i++)
		add(t,
		    (struct step[]){ { 2, 1, 10 }, { 3, 90, 10 }, { 4, 2, 10 },
			{ 5, 42, 10 }, { 6, 43, 10 } },
		    5, true);
	assert_int_equal(link_of(t, 2, 3)->delay_ns, 1 * MS);
	assert_int_equal(link_of(t, 3, 4)->delay_ns, 0);
	assert_int_equal(link_of(t, 4, 5)->delay_ns, 40 * MS);
	assert_int_equal(link_of(t, 5, 6)->delay_ns, 1 * MS);
	topology_free(t);
}

static void loss_counts_only_when_it_lasts(void **state)
{
	(void)state;
	struct topology *t = topology_new();
	/* 3 limits its answers; 4 > 5 loses, and so does all behind it. */
	add(t,
	    (struct step[]){ { 2, 1, 10 }, { 3, 2, 3 }, { 4, 3, 10 },
		{ 5, 4, 8 }, { 6, 5, 8 } },
	    5, true);
	assert_true(link_of(t, 2, 3)->loss < 0.001);
	assert_true(link_of(t, 3, 4)->loss < 0.001);
	assert_true(link_of(t, 4, 5)->loss > 0.199);
	assert_true(link_of(t, 4, 5)->loss < 0.201);
	assert_true(link_of(t, 5, 6)->loss < 0.001);
	topology_free(t);
}

static void loss_is_sure_only_with_many_probes(void **state)
{
	(void)state;
	struct topology *t = topology_new();
	add(t, (struct step[]){ { 2, 1, 10 }, { 3, 2, 9 } }, 2, true);
	assert_true(link_of(t, 2, 3)->loss > 0.09);
	assert_true(link_of(t, 2, 3)->loss_low < 0.001);
	for (int i = 0; i < 100; i++)
		add(t, (struct step[]){ { 2, 1, 10 }, { 3, 2, 9 } }, 2, true);
	assert_true(link_of(t, 2, 3)->loss_low > 0.07);
	assert_true(link_of(t, 2, 3)->loss_low < 0.1);
	topology_free(t);
}

static void the_same_silence_is_one_node_and_another_is_another(void **state)
{
	(void)state;
	struct topology *t = topology_new();
	const struct topology_node *nodes;
	add(t, (struct step[]){ { 2, 1, 10 }, { 0, 0, 0 }, { 4, 9, 10 } }, 3,
	    true);
	add(t, (struct step[]){ { 2, 1, 10 }, { 0, 0, 0 }, { 4, 9, 10 } }, 3,
	    true);
	assert_int_equal(topology_nodes(t, &nodes), 4);
	add(t, (struct step[]){ { 2, 1, 10 }, { 0, 0, 0 }, { 5, 9, 10 } }, 3,
	    true);
	add(t,
	    (struct step[]){
		{ 2, 1, 10 }, { 0, 0, 0 }, { 0, 0, 0 }, { 4, 9, 10 } },
	    4, true);
	assert_int_equal(topology_nodes(t, &nodes), 4 + 2 + 2);
	topology_free(t);
}

static void the_way_across_silence_is_on_its_last_link(void **state)
{
	(void)state;
	struct topology *t = topology_new();
	const struct topology_node *nodes;
	const struct topology_link *links;
	add(t, (struct step[]){ { 2, 1, 10 }, { 0, 0, 0 }, { 4, 9, 5 } }, 3,
	    true);
	topology_nodes(t, &nodes);
	size_t count = topology_links(t, &links);
	struct addr near = at(2), far = at(4);
	for (size_t i = 0; i < count; i++) {
		if (addr_equal(&nodes[links[i].to].addr, &far)) {
			assert_int_equal(links[i].delay_ns, 8 * MS);
			assert_true(links[i].loss > 0.49);
		}
		if (addr_equal(&nodes[links[i].from].addr, &near)) {
			assert_int_equal(links[i].delay_ns, -1);
			assert_true(links[i].loss < 0);
		}
	}
	topology_free(t);
}

static void silence_at_the_end_is_not_drawn(void **state)
{
	(void)state;
	struct topology *t = topology_new();
	const struct topology_node *nodes;
	add(t, (struct step[]){ { 2, 1, 10 }, { 0, 0, 0 }, { 0, 0, 0 } }, 3,
	    false);
	assert_int_equal(topology_nodes(t, &nodes), 2);
	topology_free(t);
}

static void a_router_that_answers_twice_makes_no_link_to_itself(void **state)
{
	(void)state;
	struct topology *t = topology_new();
	const struct topology_link *links;
	add(t, (struct step[]){ { 2, 1, 10 }, { 2, 1, 10 }, { 3, 2, 10 } }, 3,
	    true);
	assert_int_equal(topology_links(t, &links), 2);
	topology_free(t);
}

static void a_trace_that_stands_for_many_weighs_as_many(void **state)
{
	(void)state;
	struct topology *t = topology_new();
	struct topology_hop slow = { at(2), 1, 90, 90, 30 * MS, false, true, false,
		0, 0 };
	struct topology_trace nine = { .src = at(1),
		.dst = at(2),
		.when = { 5 },
		.last = { 50 },
		.hops = &slow,
		.hop_count = 1,
		.reached = true,
		.count = 9 };
	add(t, (struct step[]){ { 2, 1, 10 } }, 1, true);
	topology_add(t, &nine);
	assert_int_equal(link_of(t, 1, 2)->delay_ns, 30 * MS);
	assert_int_equal(link_of(t, 1, 2)->traces, 10);
	assert_int_equal(link_of(t, 1, 2)->last.ns, 50);
	topology_free(t);
}

/* Since when, how often and with what it last said no. */
static void a_node_counts_the_traces_that_it_rejects(void **state)
{
	(void)state;
	struct topology *t = topology_new();
	struct topology_hop hop = { .from = at(2), .ttl = 1, .probes = 1,
		.replies = 1, .rtt_ns = MS };
	struct topology_trace trace = { .src = at(1), .dst = at(9),
		.hops = &hop, .hop_count = 1 };
	const struct topology_node *nodes;
	for (int64_t when = 1; when <= 4; when++) {
		trace.when.ns = when * 10;
		hop.rejects = when >= 2 && when <= 3;
		hop.reject_type = 3;
		hop.reject_code = when == 3 ? 13 : 10;
		topology_add(t, &trace);
	}
	size_t count = topology_nodes(t, &nodes), rejecting = 0;
	for (size_t i = 0; i < count; i++) {
		if (nodes[i].rejected == 0)
			continue;
		rejecting++;
		assert_true(addr_equal(&nodes[i].addr, &hop.from));
		assert_int_equal(nodes[i].rejected, 2);
		assert_int_equal(nodes[i].rejected_first.ns, 20);
		assert_int_equal(nodes[i].rejected_last.ns, 30);
		assert_int_equal(nodes[i].reject_code, 13);
		assert_int_equal(nodes[i].traces, 4);
	}
	assert_int_equal(rejecting, 1);
	topology_free(t);
}

static void many_traces_keep_every_node_findable(void **state)
{
	(void)state;
	struct topology *t = topology_new();
	const struct topology_node *nodes;
	for (uint32_t i = 0; i < 20000; i++) {
		struct topology_hop hops[2] = { { addr_v4(0x0b000000 + i), 1, 1,
						    1, MS, false, false, false, 0, 0 },
			{ addr_v4(0x0c000000 + i % 7), 2, 1, 1, MS, false,
			    true, false, 0, 0 } };
		struct topology_trace trace = { .src = at(1),
			.when = { 1 },
			.hops = hops,
			.hop_count = 2,
			.reached = true };
		topology_add(t, &trace);
		topology_add(t, &trace);
	}
	assert_int_equal(topology_nodes(t, &nodes), 1 + 20000 + 7);
	topology_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_diamond_keeps_both_sides),
		cmocka_unit_test(
		    a_slow_link_is_found_and_a_slow_answerer_is_not_blamed),
		cmocka_unit_test(loss_counts_only_when_it_lasts),
		cmocka_unit_test(loss_is_sure_only_with_many_probes),
		cmocka_unit_test(
		    the_same_silence_is_one_node_and_another_is_another),
		cmocka_unit_test(the_way_across_silence_is_on_its_last_link),
		cmocka_unit_test(silence_at_the_end_is_not_drawn),
		cmocka_unit_test(
		    a_router_that_answers_twice_makes_no_link_to_itself),
		cmocka_unit_test(a_trace_that_stands_for_many_weighs_as_many),
		cmocka_unit_test(a_node_counts_the_traces_that_it_rejects),
		cmocka_unit_test(many_traces_keep_every_node_findable),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
