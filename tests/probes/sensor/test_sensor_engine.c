/* SPDX-License-Identifier: ISC */
/* Frames in, findings out: what a source's packets together are taken for. */
#include "tests/probes/sensor/engine-fixture.h"

static void several_targets_or_ports_are_a_scan(void **state)
{
	(void)state;
	const struct frame kinds[] = { syn, ping };
	for (size_t i = 0; i < 2; i++) {
		start(100, NULL);
		sweep(kinds[i], 5, 1, 3);
		expect(VERDICT_SCAN, SIGNATURE_NONE);
		assert_int_equal(world.found[0].packets, 15);
		assert_int_equal(world.found[0].targets, 5);
	}
	start(100, NULL);
	sweep(syn, 1, 40, 1);
	expect(VERDICT_SCAN, SIGNATURE_NONE);
	assert_int_equal(world.found[0].targets, 1);
	start(100, NULL);
	sweep(syn, 1, 2000, 1);
	expect(VERDICT_SCAN, SIGNATURE_NONE);
	assert_int_equal(world.found[0].packets, 2000);
}

static void one_contact_is_a_probe_however_often_it_is_tried(void **state)
{
	(void)state;
	start(100, NULL);
	send(syn, 0);
	expect(VERDICT_PROBE, SIGNATURE_NONE);
	assert_int_equal(world.found[0].attempts, 1);
	start(100, NULL);
	send(syn, 0);
	send(syn, 3000);
	send(syn, 6000); /* the same again */
	expect(VERDICT_PROBE, SIGNATURE_NONE);
	assert_int_equal(world.found[0].attempts, 1);
	start(100, NULL);
	sweep(syn, 1, 1, 3);
	expect(VERDICT_PROBE, SIGNATURE_NONE);
	assert_int_equal(world.found[0].attempts, 3);
	start(100, NULL);
	sweep(udp, 1, 1, 50);
	expect(VERDICT_PROBE, SIGNATURE_NONE);
	start(100, NULL);
	sweep(udp, 1, 1, 50);
	sweep(udp, 4, 1, 2); /* four contacts: 250 to one, a thousand needed */
	expect(VERDICT_PROBE, SIGNATURE_NONE);
	assert_int_equal(world.found[0].odds, 250);
}

static void an_answer_takes_the_attempt_back(void **state)
{
	(void)state;
	char dst[32];
	for (int late = 0; late < 2; late++) {
		struct frame out = { .src = "203.0.113.9",
			.dst = dst,
			.proto = PACKET_TCP,
			.dport = 443,
			.sport = 40000 };
		struct frame in = { .src = dst,
			.dst = "203.0.113.9",
			.proto = PACKET_TCP,
			.sport = 443,
			.dport = 40000,
			.flags = PACKET_TCP_SYN | PACKET_TCP_ACK };
		start(1000, NULL);
		for (int i = 0; i < 30; i++) {
			snprintf(dst, sizeof(dst), "198.51.100.%d", i);
			send(late ? in : out, 10);
			send(late ? out : in, 10);
		}
		engine_flush(world.engine);
		assert_int_equal(world.count, 31);
		for (size_t i = 0; i < world.count; i++)
			assert_int_equal(world.found[i].verdict, VERDICT_OTHER);
	}
}

/* All at once, and all answered later: nobody is accused in between. */
static void young_attempts_wait_for_their_answer(void **state)
{
	(void)state;
	char dst[32];
	struct frame out = { .src = "203.0.113.9",
		.dst = dst,
		.proto = PACKET_TCP,
		.dport = 443,
		.sport = 40000 };
	struct frame in = { .src = dst,
		.dst = "203.0.113.9",
		.proto = PACKET_TCP,
		.sport = 443,
		.dport = 40000,
		.flags = PACKET_TCP_SYN | PACKET_TCP_ACK };
	start(1000, NULL);
	snprintf(dst, sizeof(dst), "198.51.100.250");
	send(out, 0);
	send(in, 1);
	for (int i = 0; i < 100; i++) {
		snprintf(dst, sizeof(dst), "198.51.100.%d", i);
		send(out, 1);
	}
	engine_flush(world.engine);
	for (size_t i = 0; i < world.count; i++)
		assert_int_not_equal(world.found[i].verdict, VERDICT_SCAN);
	world.count = 0;
	for (int i = 0; i < 100; i++) {
		snprintf(dst, sizeof(dst), "198.51.100.%d", i);
		send(in, i == 0 ? 1500 : 1);
	}
	send(out, 10000);
	engine_flush(world.engine);
	for (size_t i = 0; i < world.count; i++)
		assert_int_equal(world.found[i].verdict, VERDICT_OTHER);
}

static void a_refusal_is_a_failure_at_once(void **state)
{
	(void)state;
	char dst[32];
	struct frame out = { .src = "203.0.113.9",
		.dst = dst,
		.proto = PACKET_TCP,
		.dport = 22,
		.sport = 40000,
		.flags = PACKET_TCP_ACK };
	struct frame in = { .src = dst,
		.dst = "203.0.113.9",
		.proto = PACKET_TCP,
		.sport = 22,
		.dport = 40000,
		.flags = PACKET_TCP_RST };
	start(1000, NULL);
	for (int i = 0; i < 20; i++) {
		snprintf(dst, sizeof(dst), "198.51.100.%d", i);
		send(out, 1);
		send(in, 1);
	}
	engine_flush(world.engine);
	assert_int_equal(world.count, 21);
	for (size_t i = 0; i < world.count; i++)
		assert_int_equal(world.found[i].verdict,
		    world.found[i].src.bytes[0] == 203 ? VERDICT_SCAN
						       : VERDICT_OTHER);
}

/* A capture of one direction, begun in the middle. */
static void half_a_conversation_is_no_scan(void **state)
{
	(void)state;
	char dst[32];
	struct frame f = { .dst = dst, .proto = PACKET_TCP, .dport = 443 };
	start(1000, NULL);
	for (uint32_t round = 0; round < 3; round++)
		for (int i = 0; i < 60; i++) {
			snprintf(dst, sizeof(dst), "198.51.100.%d", i);
			f.flags = PACKET_TCP_ACK;
			f.ack = 5000 + round * 1448;
			send(f, 10);
		}
	expect(VERDICT_OTHER, SIGNATURE_NONE);
	start(1000, NULL); /* with its beginnings */
	for (int i = 0; i < 60; i++) {
		snprintf(dst, sizeof(dst), "198.51.100.%d", i);
		f.flags = PACKET_TCP_SYN;
		f.seq = 900, f.ack = 0;
		send(f, 10);
		f.flags = PACKET_TCP_ACK;
		f.seq = 901, f.ack = 5000;
		send(f, 10);
	}
	expect(VERDICT_OTHER, SIGNATURE_NONE);
}

static void contacts_that_are_scattered_are_no_scan(void **state)
{
	(void)state;
	char dst[32];
	struct frame f = { .src = "203.0.113.9",
		.dst = dst,
		.proto = PACKET_TCP,
		.sport = 40000 };
	start(1000, NULL);
	for (int i = 0; i < 100; i++) {
		snprintf(dst, sizeof(dst), "198.51.100.%d", i);
		f.dport = (uint16_t)(1024 + i * 613);
		send(f, 1000);
	}
	struct frame back = { .src = dst,
		.dst = f.src,
		.proto = PACKET_TCP,
		.sport = f.dport,
		.dport = 40000,
		.flags = PACKET_TCP_SYN | PACKET_TCP_ACK };
	send(back, 1);
	engine_flush(world.engine);
	assert_int_equal(world.count, 2);
	for (size_t i = 0; i < 2; i++)
		assert_int_not_equal(world.found[i].verdict, VERDICT_SCAN);
}

static void many_at_once_for_one_target_are_a_flood(void **state)
{
	(void)state;
	const struct frame kinds[] = { syn, ping };
	for (size_t i = 0; i < 2; i++) {
		start(100, NULL);
		for (int n = 0; n < 200; n++)
			send(kinds[i], 50);
		expect(VERDICT_FLOOD, SIGNATURE_NONE);
		start(100, NULL);
		for (int n = 0; n < 99; n++)
			send(kinds[i], 50);
		expect(VERDICT_PROBE, SIGNATURE_NONE);
	}
	/* A call of which one direction was captured is none. */
	start(100, NULL);
	for (int n = 0; n < 500; n++)
		send(udp, 20);
	expect(VERDICT_PROBE, SIGNATURE_NONE);
	start(100, NULL);
	for (int n = 0; n < 1900; n++)
		send(udp, 1);
	expect(VERDICT_FLOOD, SIGNATURE_NONE);
	/* Many ports, each once or a few times, is a scan however fast. */
	struct frame f = syn;
	start(100, NULL);
	for (int n = 0; n < 120; n++) {
		f.dport = (uint16_t)(100 + n % 40);
		send(f, 10);
	}
	expect(VERDICT_SCAN, SIGNATURE_NONE);
	start(100, NULL);
	for (int n = 0; n < 2000; n++, f.dport++)
		send(f, 1);
	expect(VERDICT_SCAN, SIGNATURE_NONE);
}

static void a_flood_from_forged_sources_is_one_too(void **state)
{
	(void)state;
	char src[32];
	struct frame f = syn;
	start(4000, NULL);
	for (int n = 0; n < 3000; n++) {
		snprintf(src, sizeof(src), "10.%d.%d.1", n / 250, n % 250);
		f.src = src;
		send(f, 1);
	}
	const struct finding *flood = only();
	assert_int_equal(flood->verdict, VERDICT_FLOOD);
	assert_int_equal(flood->src.family, 0);
	assert_int_equal(flood->victim.bytes[0], 198);
	assert_int_equal(flood->packets, 3000);
	assert_in_range(flood->sources, 2700, 3300);
	assert_int_equal(flood->flood_forged, FLOOD_FORGED);
	assert_int_equal(flood->dport, 23);
	/* The same number, spread over the addresses, is none. */
	start(4000, NULL);
	char dst[32];
	for (int n = 0; n < 3000; n++) {
		snprintf(src, sizeof(src), "10.%d.%d.1", n / 250, n % 250);
		snprintf(dst, sizeof(dst), "198.51.100.%d", 1 + n % 200);
		f.src = src;
		f.dst = dst;
		send(f, 1);
	}
	engine_flush(world.engine);
	for (size_t i = 0; i < world.count; i++)
		assert_int_equal(world.found[i].verdict, VERDICT_PROBE);
}

/* It answers each SYN, real clients among them go on; the forged cannot. */
static void a_flooded_server_that_answers_is_a_victim(void **state)
{
	(void)state;
	for (int homes = 0; homes < 2; homes++) {
		char src[32];
		start(8000, homes ? "198.51.100.0/24" : NULL);
		for (uint32_t n = 0; n < 4400; n++) {
			bool real = n % 11 == 0;
			snprintf(src, sizeof(src), "203.%u.%u.%u",
			    real ? 0 : 1 + n / 250, n % 250, real ? 1 : 2);
			struct frame out = syn, back = syn;
			out.src = src;
			out.seq = n * 2654435761u;
			send(out, 1);
			back.src = "198.51.100.7";
			back.dst = src;
			back.sport = 23;
			back.dport = 40000;
			back.seq = n;
			back.flags = PACKET_TCP_SYN | PACKET_TCP_ACK;
			send(back, 0);
			out.flags = PACKET_TCP_ACK;
			out.seq++;
			out.ack = n + 1;
			if (real)
				send(out, 0);
		}
		engine_flush(world.engine);
		size_t floods = 0;
		for (size_t i = 0; i < world.count; i++) {
			const struct finding *f = &world.found[i];
			if (f->verdict != VERDICT_FLOOD) {
				/* A true client, or the server. */
				assert_int_equal(f->verdict, VERDICT_OTHER);
				continue;
			}
			floods++;
			assert_int_equal(f->victim.bytes[3], 7);
			assert_int_equal(f->packets, 4000);
			assert_int_equal(f->flood_forged, FLOOD_FORGED);
		}
		assert_int_equal(floods, 1);
	}
}

static void answers_make_victims_never_attackers(void **state)
{
	(void)state;
	static const uint8_t flags[] = { PACKET_TCP_SYN | PACKET_TCP_ACK,
		PACKET_TCP_RST, PACKET_TCP_RST | PACKET_TCP_ACK };
	static const uint8_t types[] = { 0, 3, 4, 5, 11, 12, 14, 16, 18 };
	struct frame f = { .proto = PACKET_TCP, .sport = 80, .dport = 4444 };
	for (size_t i = 0; i < sizeof(flags); i++) {
		start(100, NULL);
		f.flags = flags[i];
		sweep(f, 50, 1, 1);
		expect(VERDICT_BACKSCATTER, SIGNATURE_NONE);
		/* A minute and more of it, one a second, is a flood's. */
		start(100, NULL);
		sweep(f, 50, 1, 10);
		expect(VERDICT_FLOOD, SIGNATURE_NONE);
		assert_int_equal(world.found[0].src.family, 0);
		assert_int_equal(world.found[0].victim.bytes[0], 203);
		assert_int_equal(world.found[0].packets, 500);
		assert_true(world.found[0].flood_scale == 0);
	}
	for (size_t i = 0; i < sizeof(types); i++) {
		start(100, NULL);
		sweep((struct frame){ .proto = PACKET_ICMP,
			  .icmp_type = types[i] },
		    50, 1, 1);
		expect(VERDICT_BACKSCATTER, SIGNATURE_NONE);
	}
	/* Whatever it looks like: a RST with a worm's sequence number. */
	start(100, NULL);
	f.flags = PACKET_TCP_RST;
	f.seq = 0xc6336407;
	send(f, 0);
	expect(VERDICT_BACKSCATTER, SIGNATURE_NONE);
}

static void the_victim_of_an_icmp_error_is_in_its_quote(void **state)
{
	(void)state;
	uint8_t slammer[376];
	struct buf quote = { 0 };
	frame_slammer(slammer, sizeof(slammer));
	struct frame inner = { .src = "198.51.100.7",
		.dst = "192.0.2.80",
		.proto = PACKET_UDP,
		.dport = 1434,
		.payload = slammer,
		.payload_len = sizeof(slammer) };
	frame_put(&quote, &inner);
	start(100, NULL);
	send((struct frame){ .proto = PACKET_ICMP,
		 .icmp_type = 3,
		 .icmp_code = 1,
		 .payload = quote.data,
		 .payload_len = quote.len },
	    0);
	/* The octets of the frame are gone before it is counted. */
	memset(world.bytes.data, 0, world.bytes.len);
	expect(VERDICT_BACKSCATTER, SIGNATURE_NONE);
	char text[ADDR_TEXT_LEN];
	assert_string_equal(
	    addr_text(&world.found[0].victim, text), "192.0.2.80");
	assert_int_equal(world.found[0].icmp, 3 << 8 | 1);
	buf_fini(&quote);
}

static void a_worm_packet_is_enough(void **state)
{
	(void)state;
	uint8_t payload[376];
	frame_slammer(payload, sizeof(payload));
	struct frame f = { .proto = PACKET_UDP,
		.dport = 1434,
		.payload = payload,
		.payload_len = sizeof(payload) };
	start(100, NULL);
	send(f, 0);
	expect(VERDICT_WORM, SIGNATURE_SLAMMER);
	assert_true(world.found[0].has_hash);
	assert_int_equal(world.found[0].dport, 1434);
	f = syn;
	f.seq = 0xc6336407;
	start(100, NULL);
	send(f, 0);
	expect(VERDICT_WORM, SIGNATURE_MIRAI);
	assert_false(world.found[0].has_hash);
	f.fragment = 0x2000;
	start(100, NULL);
	send(f, 0);
	expect(VERDICT_PROBE, SIGNATURE_NONE);
	assert_int_equal(engine_counts(world.engine)->fragments, 1);
}

static void a_tool_is_known_if_all_packets_bear_it(void **state)
{
	(void)state;
	start(100, NULL);
	send(masscan(1), 0); /* id, window and no options: 32 bits */
	expect(VERDICT_SCAN, SIGNATURE_MASSCAN);
	assert_string_equal(world.found[0].rule, "masscan");
	start(100, NULL);
	send(masscan(1), 0);
	send(masscan(2), 0);
	struct frame f = masscan(3);
	f.ip_id++;
	send(f, 0);
	expect(VERDICT_PROBE, SIGNATURE_NONE);

	f = syn;
	f.ip_id = 54321;
	f.window = 512; /* 16 bits, the same packet thrice: chance */
	start(100, NULL);
	send(f, 0);
	send(f, 0);
	send(f, 0);
	expect(VERDICT_PROBE, SIGNATURE_NONE);
	start(100, NULL);
	send(f, 0);
	f.dst = "198.51.100.8";
	send(f, 0);
	expect(VERDICT_SCAN, SIGNATURE_ZMAP);
}

/* nmap -sI: what is seen is the third host that it names. */
static void an_idle_scan_does_not_accuse_the_zombie(void **state)
{
	(void)state;
	static const uint8_t mss[] = { 2, 4, 5, 0xb4 };
	struct frame f = { .proto = PACKET_TCP,
		.window = 1024,
		.sport = 80,
		.options = mss,
		.options_len = sizeof(mss) };
	start(100, NULL);
	sweep(f, 1, 30, 1);
	expect(VERDICT_PROBE, SIGNATURE_NMAP);
	assert_true(world.found[0].spoofable);
	assert_string_equal(world.found[0].rule, "nmap-idle");
	f.sport = 53; /* where filters let answers in: nmap -g */
	start(100, NULL);
	sweep(f, 1, 30, 1);
	expect(VERDICT_SCAN, SIGNATURE_NMAP);
}

static void chance_matches_among_many_packets_are_no_tool(void **state)
{
	(void)state;
	struct frame f = syn;
	start(100, NULL);
	for (unsigned i = 0; i < 1000; i++) {
		f.dport = (uint16_t)(i % 10);
		f.seq = i * 2654435761u;
		f.ip_id = (uint16_t)(i * 40503);
		if (i == 500 || i == 700)
			f.ip_id = (uint16_t)(0xc6336407 ^ f.dport ^ f.seq);
		send(f, 1);
	}
	engine_flush(world.engine);
	for (size_t i = 0; i < world.count; i++)
		assert_int_equal(world.found[i].signature, SIGNATURE_NONE);
}

static void a_port_with_one_match_is_no_tool_either(void **state)
{
	(void)state;
	struct frame f = syn;
	for (int zmap = 0; zmap < 2; zmap++) {
		start(100, NULL);
		for (unsigned i = 0; i < 12; i++) {
			f.dport = (uint16_t)(i + 1);
			f.seq = i * 2654435761u;
			f.ip_id = (uint16_t)(i * 40503);
			if (i % 6 == 0)
				f.ip_id = zmap
				    ? 54321
				    : (uint16_t)(0xc6336407 ^ f.dport ^ f.seq);
			send(f, 1);
		}
		expect(VERDICT_SCAN, SIGNATURE_NONE);
	}
}

static void odd_flags_scan_when_they_go_round(void **state)
{
	(void)state;
	struct frame f = syn;
	f.flags = PACKET_TCP_FIN | PACKET_TCP_PSH | PACKET_TCP_URG;
	start(100, NULL);
	send(f, 0);
	expect(VERDICT_PROBE, SIGNATURE_NONE);
	start(100, NULL);
	sweep(f, 1, 10, 1);
	expect(VERDICT_SCAN, SIGNATURE_NONE);
	start(100, NULL);
	sweep(f, 2, 1, 1); /* no stack sends these: two are enough */
	expect(VERDICT_SCAN, SIGNATURE_NONE);
	/* Data without a handshake is neither. */
	f.flags = PACKET_TCP_ACK | PACKET_TCP_PSH;
	f.payload = "data";
	f.payload_len = 4;
	start(100, NULL);
	sweep(f, 10, 10, 1);
	expect(VERDICT_OTHER, SIGNATURE_NONE);
}

static void neighbours_are_no_scanners(void **state)
{
	(void)state;
	struct frame f = { .src = "fe80::1",
		.dst = "ff02::1",
		.proto = PACKET_ICMP6,
		.icmp_type = 135 };
	start(100, NULL);
	send(f, 0);
	expect(VERDICT_OTHER, SIGNATURE_NONE);
	start(100, NULL);
	f.src = "2001:db8::1";
	f.icmp_type = 128;
	f.dst = "2001:db8:1::1";
	send(f, 0);
	char dst[32];
	f.dst = dst;
	for (int i = 2; i < 9; i++) {
		snprintf(dst, sizeof(dst), "2001:db8:1::%d", i);
		send(f, 0);
	}
	expect(VERDICT_SCAN, SIGNATURE_NONE);
	start(100, NULL);
	f.dst = "2001:db8:1::2";
	f.icmp_type = 1;
	send(f, 0);
	expect(VERDICT_BACKSCATTER, SIGNATURE_NONE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(several_targets_or_ports_are_a_scan),
		cmocka_unit_test(
		    one_contact_is_a_probe_however_often_it_is_tried),
		cmocka_unit_test(an_answer_takes_the_attempt_back),
		cmocka_unit_test(young_attempts_wait_for_their_answer),
		cmocka_unit_test(a_refusal_is_a_failure_at_once),
		cmocka_unit_test(half_a_conversation_is_no_scan),
		cmocka_unit_test(contacts_that_are_scattered_are_no_scan),
		cmocka_unit_test(many_at_once_for_one_target_are_a_flood),
		cmocka_unit_test(a_flood_from_forged_sources_is_one_too),
		cmocka_unit_test(a_flooded_server_that_answers_is_a_victim),
		cmocka_unit_test(answers_make_victims_never_attackers),
		cmocka_unit_test(the_victim_of_an_icmp_error_is_in_its_quote),
		cmocka_unit_test(a_worm_packet_is_enough),
		cmocka_unit_test(a_tool_is_known_if_all_packets_bear_it),
		cmocka_unit_test(an_idle_scan_does_not_accuse_the_zombie),
		cmocka_unit_test(chance_matches_among_many_packets_are_no_tool),
		cmocka_unit_test(a_port_with_one_match_is_no_tool_either),
		cmocka_unit_test(odd_flags_scan_when_they_go_round),
		cmocka_unit_test(neighbours_are_no_scanners),
	};
	return cmocka_run_group_tests(tests, NULL, finish);
}
