/* SPDX-License-Identifier: ISC */
/* Which sources are remembered, and how each packet is counted once. */
#include "tests/probes/sensor/engine-fixture.h"

/* Who was seen again stays, who was not is evicted and reported. */
static void who_was_seen_again_outlives_who_was_not(void **state)
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
	f.src = "10.0.0.0"; /* seen again */
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
	assert_in_range(stats.sources_ever, 10, 12);
}

/* Sources that send once displace each other, not the scanner between them;
 * and they are counted once each, as well as an estimate can. */
static void a_flood_of_sources_displaces_itself(void **state)
{
	(void)state;
	char src[32], dst[32];
	struct frame f = syn, scan = syn;
	f.src = src;
	scan.dst = dst;
	start(50, NULL);
	for (int n = 0; n < 3000; n++) {
		snprintf(src, sizeof(src), "10.%d.%d.1", n / 200, n % 200);
		send(f, 1);
		snprintf(dst, sizeof(dst), "198.51.100.%d", n / 20);
		if (n % 20 == 0)
			send(scan, 1);
	}
	engine_settle(world.engine);
	for (size_t i = 0; i < world.count; i++)
		assert_int_equal(world.found[i].src.bytes[0], 10);
	struct table_stats stats = engine_table_stats(world.engine);
	assert_in_range(stats.sources_ever, 3001 * 95 / 100, 3001 * 105 / 100);
	world.count = 0;
	engine_flush(world.engine);
	size_t scans = 0;
	for (size_t i = 0; i < world.count; i++)
		scans += world.found[i].verdict == VERDICT_SCAN;
	assert_int_equal(scans, 1);
}

/* While none is evicted, a source has one finding of each class. */
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

static void count_every_packet(uint32_t first_sights)
{
	uint32_t random = 1;
	char src[32], dst[32];
	uint64_t sent = 50000, found = 0, first = 0;
	start_with(40, NULL, first_sights);
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
		if (i % 7 == 0) { /* Mirai's sequence number is its target */
			f.proto = PACKET_TCP;
			f.flags = PACKET_TCP_SYN;
			f.seq = 0xc6336400 | (random >> 12 & 255);
		}
		snprintf(src, sizeof(src), "10.0.0.%u", random >> 24 & 127);
		snprintf(dst, sizeof(dst), "198.51.100.%u", random >> 12 & 255);
		send(f, 1);
		for (size_t n = 0; n < world.count; n++) {
			found += world.found[n].packets;
			first += world.found[n].is_first;
		}
		world.count = 0;
		if (i % 10000 == 0)
			engine_flush(world.engine);
	}
	engine_flush(world.engine);
	for (size_t n = 0; n < world.count; n++)
		found += world.found[n].packets;
	assert_int_equal(found, sent);
	assert_int_equal(engine_counts(world.engine)->decoded, sent);
	assert_int_equal(first > 0, first_sights > 0);
}

static void every_packet_is_in_exactly_one_finding(void **state)
{
	(void)state;
	count_every_packet(0);
	count_every_packet(1000);
}

/* Packets between the parts of a flush: each is still in one finding. */
static void a_flush_in_parts_loses_and_doubles_nothing(void **state)
{
	(void)state;
	uint32_t random = 1;
	char src[32];
	uint64_t sent = 0, found = 0;
	struct frame f = syn;
	f.src = src;
	start(40, NULL);
	for (int i = 0; i < 20; i++) {
		int parts = 1;
		for (bool more = true; more; parts++) {
			for (int n = 0; n < 30; n++, sent++) {
				random = random * 1664525 + 1013904223;
				snprintf(src, sizeof(src), "10.0.0.%u",
				    random >> 24 & 63);
				send(f, 1);
			}
			more = engine_flush_some(world.engine, 7);
			for (size_t n = 0; n < world.count; n++)
				found += world.found[n].packets;
			world.count = 0;
		}
		assert_in_range(parts, 6, 8);
	}
	engine_flush(world.engine);
	for (size_t n = 0; n < world.count; n++)
		found += world.found[n].packets;
	assert_int_equal(found, sent);
}

static void the_first_of_a_signature_does_not_wait(void **state)
{
	(void)state;
	struct frame f = { .proto = PACKET_TCP, .dport = 23 };
	start_with(10, NULL, 10);
	send(syn, 1); /* no signature: it waits */
	for (int n = 1; n <= 3; n++) {
		char dst[32];
		snprintf(dst, sizeof(dst), "198.51.100.%d", n);
		f.dst = dst;
		f.seq = 0xc6336400 | (uint32_t)n;
		send(f, 1000);
		engine_settle(world.engine);
		assert_int_equal(world.count, 1);
	}
	assert_true(world.found[0].is_first);
	assert_int_equal(world.found[0].signature, SIGNATURE_MIRAI);
	assert_int_equal(world.found[0].packets, 1);
	assert_int_equal(world.found[0].targets, 1);
	engine_flush(world.engine);
	assert_int_equal(world.count, 3);
	for (size_t i = 1; i < world.count; i++) {
		const struct finding *g = &world.found[i];
		bool mirai = g->signature == SIGNATURE_MIRAI;
		assert_false(g->is_first);
		assert_int_equal(g->packets, mirai ? 2 : 1);
		assert_int_equal(g->targets, mirai ? 3 : 1);
	}
	f.dport = 2323; /* of this source it is nothing new */
	send(f, 1000);
	engine_settle(world.engine);
	assert_int_equal(world.count, 3);
}

static void a_tool_is_first_when_several_targets_prove_it(void **state)
{
	(void)state;
	start_with(10, NULL, 10);
	send(masscan(1), 0);
	send(masscan(2), 1000);
	engine_settle(world.engine);
	assert_int_equal(world.count, 0);
	struct frame f = masscan(3);
	f.dst = "198.51.100.8";
	f.ip_id = (uint16_t)(0xc6336408 ^ f.dport ^ f.seq);
	send(f, 1000);
	engine_settle(world.engine);
	assert_int_equal(world.count, 1);
	assert_true(world.found[0].is_first);
	assert_int_equal(world.found[0].signature, SIGNATURE_MASSCAN);
	assert_int_equal(world.found[0].verdict, VERDICT_SCAN);
	assert_int_equal(world.found[0].packets, 3);
	engine_flush(world.engine); /* nothing is left to report */
	assert_int_equal(world.count, 1);
}

static struct frame mirai_from(char src[static 32], int n)
{
	snprintf(src, 32, "10.0.%d.%d", n / 200, n % 200);
	return (struct frame){
		.src = src, .proto = PACKET_TCP, .dport = 23, .seq = 0xc6336407
	};
}

static void what_the_budget_leaves_out_waits_and_is_counted(void **state)
{
	(void)state;
	char src[32];
	start_with(100, NULL, 4);
	world.now_ns -= world.now_ns % NS_PER_S;
	for (int n = 0; n < 10; n++)
		send(mirai_from(src, n), 1);
	engine_settle(world.engine);
	assert_int_equal(world.count, 4);
	assert_int_equal(
	    engine_table_stats(world.engine).first_sights_deferred, 6);
	send(mirai_from(src, 9), 1000); /* deferred is deferred */
	send(mirai_from(src, 10), 0);   /* another second's */
	engine_settle(world.engine);
	assert_int_equal(world.count, 5);
	engine_flush(world.engine);
	assert_int_equal(world.count, 11);
	uint64_t packets = 0;
	for (size_t i = 0; i < world.count; i++)
		packets += world.found[i].packets;
	assert_int_equal(packets, 12);
}

static void a_source_that_was_evicted_is_no_news(void **state)
{
	(void)state;
	char src[32];
	start_with(4, NULL, 1000);
	for (int round = 0; round < 3; round++)
		for (int n = 0; n < 50; n++)
			send(mirai_from(src, n), 1);
	engine_flush(world.engine);
	size_t first = 0;
	for (size_t i = 0; i < world.count; i++)
		first += world.found[i].is_first;
	assert_int_equal(first, 50);
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
		snprintf(
		    dst, sizeof(dst), "198.51.%u.%u", i % 300 / 200, i % 200);
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
	engine_expire(
	    world.engine, (struct walltime){ world.now_ns + NS_PER_S });
	assert_int_equal(engine_table_stats(world.engine).sources, 0);
}

/* 20 clients that are answered, in a flood of contacts that is many times what
 * the table holds: what is forgotten of them accuses nobody, and is said. */
static void an_overflow_accuses_nobody(void **state)
{
	(void)state;
	char src[32], dst[32];
	start(8000, NULL); /* 8 MiB: some 94,000 contacts */
	for (uint32_t n = 0; n < 400000; n++) {
		snprintf(src, sizeof(src), "10.%u.%u.1", n >> 8 & 15, n & 255);
		snprintf(dst, sizeof(dst), "198.51.%u.%u", n >> 14 & 255,
		    n >> 6 & 255);
		struct frame flood = syn;
		flood.src = src;
		flood.dst = dst;
		flood.dport = (uint16_t)(n * 31);
		send(flood, 0);
		if (n % 40 != 0)
			continue;
		char client[32], server[32];
		snprintf(client, sizeof(client), "203.0.113.%u", n / 40 % 20);
		snprintf(server, sizeof(server), "192.0.2.%u", n / 800 % 200);
		struct frame out = syn, in = syn;
		out.src = in.dst = client;
		out.dst = in.src = server;
		in.flags = PACKET_TCP_SYN | PACKET_TCP_ACK;
		in.sport = out.dport = 443;
		send(out, 1);
		send(in, 1);
	}
	engine_settle(world.engine);
	assert_true(engine_table_stats(world.engine).contacts_forgotten > 0);
	world.count = 0;
	uint64_t not_judged = 0;
	while (engine_flush_some(world.engine, 500) || world.count > 0) {
		for (size_t i = 0; i < world.count; i++) {
			const struct finding *f = &world.found[i];
			not_judged += f->not_judged;
			if (f->src.bytes[0] == 203)
				assert_int_not_equal(f->verdict, VERDICT_SCAN);
		}
		world.count = 0;
	}
	assert_true(not_judged > 0);
}

/* SYN, SYN+ACK, and an ACK that returns the server's number, or does not. */
static void shake_hands(uint32_t returned)
{
	struct frame f = syn;
	f.seq = 1000;
	send(f, 0);
	struct frame back = { .src = "198.51.100.7",
		.dst = "203.0.113.9",
		.proto = PACKET_TCP,
		.sport = f.dport,
		.dport = 40000,
		.seq = 77777,
		.ack = 1001,
		.flags = PACKET_TCP_SYN | PACKET_TCP_ACK };
	send(back, 1);
	f.flags = PACKET_TCP_ACK;
	f.seq = 1001;
	f.ack = returned;
	send(f, 1);
}

static const struct finding *of_source(const char *src)
{
	char text[ADDR_TEXT_LEN];
	for (size_t i = 0; i < world.count; i++)
		if (strcmp(addr_text(&world.found[i].src, text), src) == 0)
			return &world.found[i];
	return NULL;
}

static void only_a_cookie_that_came_back_proves_a_source(void **state)
{
	(void)state;
	static const char home[] = "198.51.100.0/24";
	for (int monitored = 0; monitored < 2; monitored++) {
		start(100, monitored ? home : NULL);
		shake_hands(77778);
		engine_flush(world.engine);
		assert_false(of_source("203.0.113.9")->spoofable);
		start(100, monitored ? home : NULL);
		shake_hands(77779);
		engine_flush(world.engine);
		assert_true(of_source("203.0.113.9")->spoofable);
	}
	/* One TTL and a running identification: one sender, no more. */
	struct frame f = syn;
	start(100, NULL);
	for (int i = 0; i < 5; i++) {
		f.ip_id = (uint16_t)(f.ip_id + 3);
		send(f, 20000);
	}
	assert_true(only()->spoofable);
	/* Its own number returned by itself is no cookie either. */
	start(100, NULL);
	f.seq = 5;
	send(f, 0);
	f.flags = PACKET_TCP_ACK;
	f.ack = 6;
	send(f, 1);
	assert_true(only()->spoofable);
}

static void the_unit_of_a_source_is_a_64(void **state)
{
	(void)state;
	char src[64], dst[64];
	struct frame f = {
		.src = src, .dst = dst, .proto = PACKET_TCP, .dport = 22
	};
	start(1000, NULL);
	for (unsigned i = 0; i < 100; i++) {
		snprintf(src, sizeof(src), "2001:db8:5:6:%x::%x", i * 77, i);
		snprintf(dst, sizeof(dst), "2001:db8:ff::%x", i);
		send(f, 100);
	}
	const struct finding *found = only();
	char text[ADDR_TEXT_LEN];
	assert_string_equal(addr_text(&found->src, text), "2001:db8:5:6::");
	assert_int_equal(found->addresses, 100);
	assert_int_equal(found->verdict, VERDICT_SCAN);
	start(1000, NULL);
	snprintf(src, sizeof(src), "2001:db8:5:6::7");
	send(f, 0);
	assert_string_equal(addr_text(&only()->src, text), src);
	assert_int_equal(world.found[0].addresses, 1);
}

static void ports_are_counted_exactly(void **state)
{
	(void)state;
	static const uint16_t numbers[] = { 1, 15, 16, 17, 300, 65535 };
	struct frame f = syn;
	for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++) {
		start(100, NULL);
		for (uint32_t n = 0; n < numbers[i]; n++) {
			f.dport = (uint16_t)(n + 1);
			send(f, 1);
			send(f, 0);
		}
		const struct finding *found = only();
		assert_int_equal(found->ports, numbers[i]);
		assert_int_equal(found->ports_quality, DISTINCT_IS_EXACT);
		/* Two contacts have one tag once in 2^24 pairs of a bucket. */
		assert_in_range(found->attempts,
		    numbers[i] - (numbers[i] > 1000 ? 3 : 0), numbers[i]);
		assert_int_equal(found->dport, i == 0 ? 1 : FINDING_NONE);
	}
}

static void what_is_not_decoded_is_counted_by_reason(void **state)
{
	(void)state;
	static const uint8_t arp[] = { 0x08, 0x06 };
	uint8_t bytes[44] = { 0x45, 0, 0, 44, [9] = PACKET_TCP, [32] = 0x50 };
	struct walltime at = { 0 };
	start(100, NULL);
	engine_packet(world.engine, DLT_RAW, bytes, 23, 44, at);
	bytes[32] = 0x10;
	engine_packet(world.engine, DLT_RAW, bytes, 44, 44, at);
	engine_packet(world.engine, DLT_RAW, arp, 2, 2, at);
	const struct engine_counts *c = engine_counts(world.engine);
	assert_int_equal(c->packets, 3);
	assert_int_equal(c->truncated, 1);
	assert_int_equal(c->malformed, 1);
	assert_int_equal(c->unsupported, 1);
	assert_int_equal(c->decoded, 0);
	assert_int_equal(c->reasons[PACKET_CUT_UPPER], 1);
	assert_int_equal(c->reasons[PACKET_BAD_UPPER], 1);
	assert_int_equal(c->reasons[PACKET_NOT_IP], 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_was_seen_again_outlives_who_was_not),
		cmocka_unit_test(a_flood_of_sources_displaces_itself),
		cmocka_unit_test(a_source_is_found_again_whoever_left),
		cmocka_unit_test(every_packet_is_in_exactly_one_finding),
		cmocka_unit_test(a_flush_in_parts_loses_and_doubles_nothing),
		cmocka_unit_test(the_first_of_a_signature_does_not_wait),
		cmocka_unit_test(a_tool_is_first_when_several_targets_prove_it),
		cmocka_unit_test(
		    what_the_budget_leaves_out_waits_and_is_counted),
		cmocka_unit_test(a_source_that_was_evicted_is_no_news),
		cmocka_unit_test(no_more_targets_than_packets_are_found),
		cmocka_unit_test(
		    an_interval_starts_at_zero_and_remembers_the_source),
		cmocka_unit_test(only_a_cookie_that_came_back_proves_a_source),
		cmocka_unit_test(an_overflow_accuses_nobody),
		cmocka_unit_test(the_unit_of_a_source_is_a_64),
		cmocka_unit_test(ports_are_counted_exactly),
		cmocka_unit_test(what_is_not_decoded_is_counted_by_reason),
	};
	return cmocka_run_group_tests(tests, NULL, finish);
}
