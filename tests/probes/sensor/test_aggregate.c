/* SPDX-License-Identifier: ISC */
/* Findings of evicted sources, summed up. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "probes/sensor/aggregate.h"

#define FOUND_MOST 600

struct given {
	struct finding found[FOUND_MOST];
	size_t count;
	uint64_t packets;
};

static void take(void *arg, const struct finding *f)
{
	struct given *g = arg;
	assert_true(g->count < FOUND_MOST);
	assert_int_equal(f->src.family, 0);
	g->found[g->count++] = *f;
	g->packets += f->packets;
}

static struct finding slammer(uint32_t source)
{
	struct finding f = { .src.family = 4,
		.verdict = VERDICT_WORM,
		.signature = SIGNATURE_SLAMMER,
		.proto = PACKET_UDP,
		.dport = 1434,
		.icmp = FINDING_NONE,
		.ports = 1,
		.packets = 2,
		.size_bytes = 808,
		.targets = 1,
		.first.ns = 1000 + source,
		.last.ns = 2000 + source,
		.ttl_min = 60,
		.ttl_max = 60 };
	memcpy(f.src.bytes, &source, sizeof(source));
	return f;
}

static void sums_are_exact_and_sources_a_lower_bound(void **state)
{
	(void)state;
	static const uint32_t sizes[] = { 1, 100, 192, 5000, 100000 };
	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		struct aggregates *a = aggregates_new();
		struct given g = { .count = 0 };
		for (uint32_t round = 0; round < 2; round++)
			for (uint32_t n = 0; n < sizes[i]; n++) {
				struct finding f = slammer(n);
				f.ttl_max = n == 0 ? 99 : 60;
				f.targets = 1 + n % 7;
				aggregates_add(a, &f);
			}
		aggregates_flush(a, take, &g);
		assert_int_equal(g.count, 1);
		const struct finding *f = &g.found[0];
		assert_int_equal(f->packets, (uint64_t)sizes[i] * 4);
		assert_int_equal(f->size_bytes, (uint64_t)sizes[i] * 1616);
		assert_in_range(f->sources, sizes[i] * 3 / 4, sizes[i]);
		if (sizes[i] <= 192)
			assert_int_equal(f->sources, sizes[i]);
		assert_int_equal(f->targets, sizes[i] < 7 ? sizes[i] : 7);
		assert_int_equal(f->first.ns, 1000);
		assert_int_equal(f->last.ns, 1999 + sizes[i]);
		assert_int_equal(f->ttl_min, 60);
		assert_int_equal(f->ttl_max, 99);
		assert_int_equal(f->dport, 1434);
		aggregates_flush(a, take, &g); /* and nothing is left */
		assert_int_equal(g.count, 1);
		aggregates_free(a);
	}
}

static void classes_and_ports_stay_apart(void **state)
{
	(void)state;
	struct aggregates *a = aggregates_new();
	struct given g = { .count = 0 };
	struct finding f = slammer(1);
	aggregates_add(a, &f);
	f.dport = 1435;
	aggregates_add(a, &f);
	f.signature = SIGNATURE_WITTY;
	aggregates_add(a, &f);
	f.verdict = VERDICT_SCAN;
	aggregates_add(a, &f);
	aggregates_flush(a, take, &g);
	assert_int_equal(g.count, 4);
	aggregates_free(a);
}

static void a_sweep_of_ports_does_not_grow_it(void **state)
{
	(void)state;
	struct aggregates *a = aggregates_new();
	struct given g = { .count = 0 };
	struct finding f = slammer(1);
	size_t without_port = 0;
	for (int verdict = 0; verdict < VERDICTS; verdict++)
		for (int port = 0; port < 65536; port += 7) {
			f.verdict = (enum verdict)verdict;
			f.dport = port;
			aggregates_add(a, &f);
		}
	aggregates_flush(a, take, &g);
	assert_in_range(g.count, 100, 512);
	assert_int_equal(g.packets, 2 * VERDICTS * (65536 / 7 + 1));
	for (size_t i = 0; i < g.count; i++)
		without_port += g.found[i].dport == FINDING_NONE;
	assert_int_equal(without_port, VERDICTS);
	aggregates_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sums_are_exact_and_sources_a_lower_bound),
		cmocka_unit_test(classes_and_ports_stay_apart),
		cmocka_unit_test(a_sweep_of_ports_does_not_grow_it),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
