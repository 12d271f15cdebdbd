/* SPDX-License-Identifier: ISC */
/* Which sources are remembered, and how each packet is counted once. */
#include "tests/probes/sensor/engine-fixture.h"

static void the_longest_silent_gives_way_and_speaks_first(void **state)
{
	(void)state;
	struct frame f = syn;
	char src[32];
	start(10, NULL);
	for (int n = 0; n < 10; n++) {
		snprintf(src, sizeof(src), "10.0.0.%d", n);
		f.src = src;
		send(f, 1);
	}
	f.src = "10.0.0.0"; /* seen again: no longer the oldest */
	send(f, 1);
	f.src = "10.0.1.1";
	send(f, 1);
	engine_settle(world.engine);
	assert_int_equal(world.count, 1);
	assert_true(world.found[0].evicted);
	assert_string_equal(
	    addr_text(&world.found[0].src, (char[ADDR_TEXT_LEN]){ 0 }),
	    "10.0.0.1");
	engine_flush(world.engine);
	assert_int_equal(world.count, 11);
	struct table_stats stats = engine_table_stats(world.engine);
	assert_int_equal(stats.evicted, 1);
	assert_int_equal(stats.sources, 10);
	assert_int_equal(stats.sources_ever, 11);
}

/* While nobody gives way, a source has one finding of each class. */
static void expect_no_twins(size_t from)
{
	for (size_t i = from; i < world.count; i++)
		for (size_t n = i + 1; n < world.count; n++) {
			const struct finding *f = &world.found[i];
			const struct finding *g = &world.found[n];
			assert_false(addr_equal(&f->src, &g->src) &&
			    f->verdict == g->verdict &&
			    f->signature == g->signature &&
			    f->proto == g->proto);
		}
}

static void a_source_is_found_again_whoever_left(void **state)
{
	(void)state;
	uint32_t random = 1;
	char src[32];
	struct frame f = syn;
	f.src = src;
	start(62, NULL); /* of 128 places in the hash */
	for (int i = 0; i < 20000; i++) {
		random = random * 1664525 + 1013904223;
		snprintf(src, sizeof(src), "10.0.0.%u", random >> 24 & 127);
		send(f, 1);
		if (i % 50 != 49)
			continue;
		engine_settle(world.engine);
		size_t from = world.count;
		engine_flush(world.engine);
		expect_no_twins(from);
		world.count = 0;
	}
}

static void every_packet_is_in_exactly_one_finding(void **state)
{
	(void)state;
	uint32_t random = 1;
	char src[32], dst[32];
	uint64_t sent = 50000, found = 0;
	start(40, NULL);
	for (uint64_t i = 0; i < sent; i++) {
		random = random * 1664525 + 1013904223;
		static const uint8_t protos[] = { 1, 6, 17, 47 };
		struct frame f = {
			.src = src,
			.dst = dst,
			.proto = protos[random >> 30],
			.dport = (uint16_t)(random >> 9 & 63),
			.flags = (uint8_t)(random >> 16 & 31),
			.icmp_type = (uint8_t)(random >> 20 & 15),
			.payload = "payload",
			.payload_len = random >> 8 & 7,
		};
		snprintf(src, sizeof(src), "10.0.0.%u", random >> 24 & 127);
		snprintf(dst, sizeof(dst), "198.51.100.%u", random >> 12 & 255);
		send(f, 1);
		for (size_t n = 0; n < world.count; n++)
			found += world.found[n].packets;
		world.count = 0;
		if (i % 10000 == 0)
			engine_flush(world.engine);
	}
	engine_flush(world.engine);
	for (size_t n = 0; n < world.count; n++)
		found += world.found[n].packets;
	assert_int_equal(found, sent);
	assert_int_equal(engine_counts(world.engine)->decoded, sent);
}

/* Above 192 the targets are estimated, and half of the estimates are high. */
static void no_more_targets_than_packets_are_found(void **state)
{
	(void)state;
	char src[32], dst[32];
	struct frame f = syn;
	f.src = src;
	f.dst = dst;
	start(40, NULL);
	for (unsigned i = 0; i < 40 * 300; i++) {
		snprintf(src, sizeof(src), "10.0.0.%u", i / 300);
		snprintf(dst, sizeof(dst), "198.51.%u.%u", i % 300 / 200,
		    i % 200);
		send(f, 1);
	}
	engine_flush(world.engine);
	assert_int_equal(world.count, 40);
	for (size_t n = 0; n < world.count; n++) {
		assert_int_equal(world.found[n].packets, 300);
		assert_int_not_equal(
		    world.found[n].targets_quality, DISTINCT_IS_EXACT);
		assert_true(world.found[n].targets <= 300);
	}
}

static void an_interval_starts_at_zero_and_remembers_the_source(void **state)
{
	(void)state;
	start(100, NULL);
	send(masscan(1), 0);
	send(masscan(2), 1000);
	engine_flush(world.engine);
	send(masscan(3), 60000);
	engine_flush(world.engine);
	engine_flush(world.engine);
	assert_int_equal(world.count, 2);
	assert_int_equal(world.found[1].packets, 1);
	assert_int_equal(world.found[1].targets, 1);
	assert_int_equal(world.found[1].signature, SIGNATURE_MASSCAN);
	assert_int_equal(world.found[1].first.ns, world.now_ns);
	engine_expire(world.engine, (struct walltime){ world.now_ns + 1 });
	assert_int_equal(engine_table_stats(world.engine).sources, 0);
}

static void a_source_is_proven_by_ttl_and_ids_over_a_minute(void **state)
{
	(void)state;
	struct frame f = syn;
	for (int forged = 0; forged < 2; forged++) {
		start(100, NULL);
		for (int i = 0; i < 5; i++) {
			f.ip_id = (uint16_t)(f.ip_id + (forged ? 9999 : 3));
			send(f, 20000);
		}
		assert_int_equal(only()->spoofable, forged);
	}
	start(100, NULL);
	for (int i = 0; i < 5; i++) {
		f.ttl = (uint8_t)(50 + i);
		send(f, 20000);
	}
	assert_true(only()->spoofable);
}

static void what_is_not_decoded_is_counted_by_reason(void **state)
{
	(void)state;
	static const uint8_t arp[] = { 0x08, 0x06 };
	uint8_t bytes[44] = { 0x45, 0, 0, 44, [9] = PACKET_TCP, [32] = 0x50 };
	struct walltime at = { 0 };
	start(100, NULL);
	engine_packet(world.engine, DLT_RAW, bytes, 30, 44, at);
	bytes[32] = 0x10;
	engine_packet(world.engine, DLT_RAW, bytes, 44, 44, at);
	engine_packet(world.engine, DLT_RAW, arp, 2, 2, at);
	const struct engine_counts *c = engine_counts(world.engine);
	assert_int_equal(c->packets, 3);
	assert_int_equal(c->truncated, 1);
	assert_int_equal(c->malformed, 1);
	assert_int_equal(c->unsupported, 1);
	assert_int_equal(c->decoded, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_longest_silent_gives_way_and_speaks_first),
		cmocka_unit_test(a_source_is_found_again_whoever_left),
		cmocka_unit_test(every_packet_is_in_exactly_one_finding),
		cmocka_unit_test(no_more_targets_than_packets_are_found),
		cmocka_unit_test(
		    an_interval_starts_at_zero_and_remembers_the_source),
		cmocka_unit_test(
		    a_source_is_proven_by_ttl_and_ids_over_a_minute),
		cmocka_unit_test(what_is_not_decoded_is_counted_by_reason),
	};
	return cmocka_run_group_tests(tests, NULL, finish);
}
