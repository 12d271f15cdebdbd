/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "lib/packet/packet.h"
#include "probes/packet/sweep.h"

static const struct monotime start = { 1000 };
static const struct walltime wall = { 5000 };

static struct probe echo_to(const char *dst)
{
	struct probe p = { .proto = PACKET_ICMP, .ttl = 64, .icmp_id = 7 };
	assert_int_equal(addr_parse(&p.dst, dst), 0);
	return p;
}

static struct sweep *sweep_of(const struct probe *template, uint32_t count)
{
	const struct sweep_range range = { .count = count };
	return sweep_new(template, &range, start, 42);
}

static uint32_t octet3(const struct addr *a)
{
	return (uint32_t)a->bytes[2] << 8 | a->bytes[3];
}

/* Whatever the count: each address once, and not one after its neighbour. */
static void every_address_comes_once(void **state)
{
	(void)state;
	static const uint32_t counts[] = { 1, 2, 3, 4, 6, 255, 256, 1000,
		65535 };
	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		struct probe template = echo_to("10.0.0.0"), p = template;
		struct sweep *sweep = sweep_of(&template, counts[i]);
		bool *seen = calloc(counts[i], sizeof(*seen));
		uint32_t turns = 0, neighbours = 0, last = 0;
		while (sweep_peek(sweep, &p)) {
			uint32_t at = octet3(&p.dst);
			assert_true(at < counts[i]);
			assert_false(seen[at]);
			seen[at] = true;
			neighbours += turns > 0 && at == last + 1;
			last = at;
			turns++;
			sweep_step(sweep, 0, 0, start, wall);
		}
		assert_int_equal(turns, counts[i]);
		if (counts[i] > 4)
			assert_int_equal(neighbours, 0);
		assert_int_equal(sweep_counts(sweep).sent, counts[i]);
		free(seen);
		sweep_free(sweep);
	}
}

/* Beyond what one block holds. */
static void long_ranges_are_gone_through_in_blocks(void **state)
{
	(void)state;
	enum { COUNT = 65536 + 1000 };
	struct probe template = echo_to("10.0.0.0"), p = template;
	struct sweep *sweep = sweep_of(&template, COUNT);
	bool *seen = calloc(COUNT, sizeof(*seen));
	uint32_t turns = 0;
	for (; sweep_peek(sweep, &p); turns++) {
		uint32_t at = addr_v4_value(&p.dst) - 0x0a000000;
		assert_true(at < COUNT);
		assert_int_equal(at < 65536, turns < 65536);
		assert_false(seen[at]);
		seen[at] = true;
		sweep_step(sweep, 0, 0, start, wall);
	}
	assert_int_equal(turns, COUNT);
	free(seen);
	sweep_free(sweep);
}

static void a_range_that_runs_over_is_refused(void **state)
{
	(void)state;
	struct probe p = echo_to("255.255.255.254");
	assert_null(sweep_of(&p, 0));
	assert_null(sweep_of(&p, 3));
	struct sweep *sweep = sweep_of(&p, 2);
	assert_non_null(sweep);
	sweep_free(sweep);
	p = echo_to("2001:db8::ffff:fffe");
	assert_null(sweep_of(&p, 3));
	p = echo_to("10.0.0.0");
	assert_null(sweep_of(&p, SWEEP_MOST + 1));
}

static void what_became_of_probes_is_counted(void **state)
{
	(void)state;
	struct probe template = echo_to("10.0.0.0"), p = template;
	struct sweep *sweep = sweep_of(&template, 10);
	sweep_step(sweep, 0, 0, start, wall);
	sweep_step(sweep, 3, 0, start, wall);
	sweep_step(sweep, 0, -5, start, wall);
	sweep_step(sweep, 0, -7, start, wall);
	struct sweep_counts counts = sweep_counts(sweep);
	assert_int_equal(counts.sent, 1);
	assert_int_equal(counts.denied, 1);
	assert_int_equal(counts.verdict, 3);
	assert_int_equal(counts.failed, 2);
	assert_int_equal(counts.err, -7);
	assert_true(sweep_peek(sweep, &p));
	sweep_free(sweep);
}

static void probes_leave_at_their_rate_and_are_waited_for(void **state)
{
	(void)state;
	struct probe template = echo_to("10.0.0.0");
	const struct sweep_range range = { .count = 3, .rate_pps = 100 };
	struct sweep *sweep = sweep_new(&template, &range, start, 42);
	assert_int_equal(sweep_due(sweep, 77).ns, start.ns);
	sweep_step(sweep, 0, 0, start, wall);
	assert_int_equal(sweep_due(sweep, 77).ns, start.ns + 10 * NS_PER_MS);
	sweep_step(sweep, 0, 0, start, wall);
	sweep_step(sweep, 0, 0, (struct monotime){ 5000 }, wall);
	assert_int_equal(sweep_due(sweep, 77).ns, 5077);
	sweep_free(sweep);
}

/* What a host answers to an echo request. */
static struct match_answer answer_of(struct probe_builder *builder,
    const struct probe *p, const struct addr *src)
{
	uint8_t bytes[64];
	probe_build(builder, p, src, bytes, sizeof(bytes), NULL);
	uint32_t sum = match_sent_of(p, src, bytes).checksum + 0x0800u;
	struct match_answer answer = { .flow = { .dst = p->dst,
					   .proto = PACKET_ICMP,
					   .sport = p->icmp_id },
		.src = *src,
		.to = *src,
		.to_own = true,
		.has_tag = true,
		.has_ports = true,
		.has_sum = true,
		.checksum = (uint16_t)(sum % 0xffff),
		.tag = p->icmp_seq };
	return answer;
}

static void an_answer_finds_its_probe_if_it_proves_it(void **state)
{
	(void)state;
	struct errmsg msg;
	struct probe_builder *builder = probe_builder_new(&msg);
	struct probe template = echo_to("10.0.0.0"), p = template;
	struct sweep *sweep = sweep_of(&template, 256);
	struct addr src;
	struct sweep_hit hit;
	assert_int_equal(addr_parse(&src, "192.0.2.1"), 0);
	for (int i = 0; i < 100; i++) {
		assert_true(sweep_peek(sweep, &p));
		sweep_step(sweep, 0, 0, (struct monotime){ 1000 + i }, wall);
	}
	struct match_answer answer = answer_of(builder, &p, &src);
	assert_true(sweep_find(sweep, builder, &answer, &hit));
	assert_int_equal(hit.index, octet3(&p.dst));
	assert_int_equal(hit.sent_at.ns, 1099);
	assert_int_equal(hit.sent_wall.ns, wall.ns);
	assert_int_equal(hit.sent.tag, p.icmp_seq);
	answer.tag ^= 1; /* somebody guesses */
	assert_false(sweep_find(sweep, builder, &answer, &hit));
	answer.tag ^= 1;
	answer.flow.sport++;
	assert_false(sweep_find(sweep, builder, &answer, &hit));
	answer.flow.sport--;
	answer.to_own = false;
	assert_false(sweep_find(sweep, builder, &answer, &hit));
	assert_true(sweep_peek(sweep, &p)); /* one that has not left */
	answer = answer_of(builder, &p, &src);
	assert_false(sweep_find(sweep, builder, &answer, &hit));
	p.dst = sweep_address(&template.dst, 256); /* beyond */
	answer = answer_of(builder, &p, &src);
	assert_false(sweep_find(sweep, builder, &answer, &hit));
	sweep_free(sweep);
	probe_builder_free(builder);
}

/* In whole blocks and in the last one. */
static void every_answer_has_the_time_of_its_probe(void **state)
{
	(void)state;
	static const uint32_t counts[] = { 1, 2, 7, 1000, 65536, 65537, 66536 };
	struct errmsg msg;
	struct probe_builder *builder = probe_builder_new(&msg);
	struct addr src;
	assert_int_equal(addr_parse(&src, "192.0.2.1"), 0);
	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		struct probe template = echo_to("10.0.0.0"), p = template;
		struct sweep *sweep = sweep_of(&template, counts[i]);
		struct match_answer *answers =
		    calloc(counts[i], sizeof(*answers));
		for (uint32_t turn = 0; sweep_peek(sweep, &p); turn++) {
			answers[turn] = answer_of(builder, &p, &src);
			sweep_step(sweep, 0, 0, (struct monotime){ 1 + turn },
			    (struct walltime){ 7 + turn });
		}
		for (uint32_t turn = 0; turn < counts[i]; turn++) {
			struct sweep_hit hit;
			assert_true(
			    sweep_find(sweep, builder, &answers[turn], &hit));
			assert_int_equal(hit.sent_at.ns, 1 + turn);
			assert_int_equal(hit.sent_wall.ns, 7 + turn);
		}
		free(answers);
		sweep_free(sweep);
	}
	probe_builder_free(builder);
}

static void only_better_answers_are_news(void **state)
{
	(void)state;
	struct probe template = echo_to("10.0.0.0");
	struct sweep *sweep = sweep_of(&template, 4);
	assert_true(sweep_is_better(sweep, 2, OUTCOME_RANK_ERROR));
	assert_false(sweep_is_better(sweep, 2, OUTCOME_RANK_ERROR));
	assert_true(sweep_is_better(sweep, 2, OUTCOME_RANK_ANSWER));
	assert_false(sweep_is_better(sweep, 2, OUTCOME_RANK_ERROR));
	assert_true(sweep_is_better(sweep, 3, OUTCOME_RANK_ADVICE));
	sweep_free(sweep);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_address_comes_once),
		cmocka_unit_test(long_ranges_are_gone_through_in_blocks),
		cmocka_unit_test(a_range_that_runs_over_is_refused),
		cmocka_unit_test(what_became_of_probes_is_counted),
		cmocka_unit_test(probes_leave_at_their_rate_and_are_waited_for),
		cmocka_unit_test(an_answer_finds_its_probe_if_it_proves_it),
		cmocka_unit_test(every_answer_has_the_time_of_its_probe),
		cmocka_unit_test(only_better_answers_are_news),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
