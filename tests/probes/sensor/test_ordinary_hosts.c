/* SPDX-License-Identifier: ISC */
/* What looks like a scan or a flood and is somebody's daily work, most of it
 * where only one direction was captured; and what is next to it and is not. */
#include "tests/probes/sensor/engine-fixture.h"

static void expect_none(enum verdict verdict)
{
	engine_flush(world.engine);
	assert_true(world.count > 0);
	for (size_t i = 0; i < world.count; i++)
		assert_int_not_equal(world.found[i].verdict, verdict);
}

static const char *host(int number)
{
	static char dst[32];
	snprintf(dst, sizeof(dst), "198.51.100.%d", number);
	return dst;
}

/* Each probe another port or number, a TTL higher each, to three hosts. */
static void send_ways(uint8_t first_ttl, uint8_t step)
{
	struct frame f = syn;
	for (int i = 0; i < 90; i++) {
		f.dst = host(1 + i / 30);
		f.ttl = (uint8_t)(first_ttl + step * (i % 30));
		f.dport = (uint16_t)(1000 + i);
		f.seq += 77;
		send(f, 100);
	}
}

static void a_traceroute_is_no_scan(void **state)
{
	(void)state;
	start(100, NULL);
	send_ways(1, 1);
	expect_none(VERDICT_SCAN);
	start(100, NULL);
	send_ways(20, 0);
	expect(VERDICT_SCAN, SIGNATURE_NONE);
}

/* To 60 hosts, at most hops probes each; the first packet has a TTL of 1. */
static void send_sweep(int hops, uint8_t ttl)
{
	for (int i = 0; i < 60 * hops; i++) {
		struct frame f = syn;
		f.dst = host(1 + i / hops);
		f.ttl = (uint8_t)(i == 0 ? 1 : ttl + i % hops);
		f.sport = (uint16_t)(40000 + i);
		f.seq = (uint32_t)i * 77;
		send(f, 100);
	}
}

static void one_low_ttl_makes_no_traceroute(void **state)
{
	(void)state;
	start(100, NULL); /* one host after the other, all ports */
	struct frame f = syn;
	for (int i = 0; i < 200; i++) {
		f.ttl = i == 0 ? 1 : 30;
		f.dport = (uint16_t)(1000 + i);
		send(f, 100);
	}
	expect(VERDICT_SCAN, SIGNATURE_NONE);
	start(100, NULL);
	send_sweep(1, 30);
	expect(VERDICT_SCAN, SIGNATURE_NONE);
	start(100, NULL);
	send_sweep(1, 2);
	expect(VERDICT_SCAN, SIGNATURE_NONE);
	start(100, NULL);
	send_sweep(5, 1);
	expect_none(VERDICT_SCAN);
}

/* GetBulk, its request number in the two octets before the last PDU fields. */
static void send_walk(int addresses, bool moves_on)
{
	uint8_t bulk[] = { 0x30, 0x26, 2, 1, 1, 4, 6, 'p', 'u', 'b', 'l', 'i',
		'c', 0xa5, 0x19, 2, 2, 0, 0, 2, 1, 0, 2, 1, 10, 0x30, 0x0d,
		0x30, 0x0b, 6, 7, 0x2b, 6, 1, 2, 1, 1, 0, 5, 0 };
	struct frame f = { .proto = PACKET_UDP,
		.dport = 161,
		.payload = bulk,
		.payload_len = sizeof(bulk) };
	for (int i = 0; i < 200; i++) {
		if (moves_on)
			bulk[17] = (uint8_t)(i >> 8), bulk[18] = (uint8_t)i;
		f.dst = host(1 + i % addresses);
		send(f, 500);
	}
}

static void a_walk_is_asked_by_the_one_who_asks(void **state)
{
	(void)state;
	start(100, NULL);
	send_walk(3, true);
	expect_none(VERDICT_FLOOD);
	start(100, NULL);
	send_walk(3, false);
	expect(VERDICT_FLOOD, SIGNATURE_NONE);
	assert_string_equal(world.found[0].rule, "amplification");
	assert_memory_equal(
	    &world.found[0].victim, &world.found[0].src, sizeof(struct addr));
}

/* uTP's first datagrams, and SYNs to the same peers: most are gone. */
static void a_peer_asks_for_peers_that_are_gone(void **state)
{
	(void)state;
	static const uint8_t utp[20] = { 0x41, 0, 0, 9, 0, 0, 0, 1, 0, 0, 0, 0,
		0, 3, 0x80, 0, 0, 1 };
	struct frame f = { .proto = PACKET_UDP,
		.sport = 51413,
		.dport = 51413,
		.payload = utp,
		.payload_len = sizeof(utp) };
	for (int is_peer = 0; is_peer < 2; is_peer++) {
		start(100, NULL);
		for (int i = 0; i < 20; i++) {
			f.dst = host(i);
			struct frame tcp = { .dst = f.dst,
				.proto = PACKET_TCP,
				.dport = 51413 };
			if (is_peer || i < 3)
				send(f, 10);
			send(tcp, 1000);
		}
		if (is_peer) {
			expect_none(VERDICT_SCAN);
			continue;
		}
		engine_flush(world.engine);
		bool found = false;
		for (size_t i = 0; i < world.count; i++)
			found |= world.found[i].verdict == VERDICT_SCAN;
		assert_true(found);
	}
}

/* 30 hosts are pinged, then 27 of them are spoken to; answers are elsewhere. */
static void a_monitor_seen_in_one_direction_is_no_scanner(void **state)
{
	(void)state;
	struct frame echo = ping;
	struct frame f = syn;
	start(100, NULL);
	for (int i = 0; i < 30; i++) {
		echo.dst = host(i);
		send(echo, 10);
	}
	for (int i = 0; i < 30; i++) {
		f = syn;
		f.dst = host(i);
		f.seq = 1000;
		send(f, 10);
		f.flags = PACKET_TCP_ACK;
		f.seq = 1001;
		f.ack = 777;
		if (i < 27)
			send(f, 10);
	}
	expect_none(VERDICT_SCAN);
}

/* All within three seconds and a ping was answered: the retries tell. */
static void a_scan_that_asks_again_has_waited(void **state)
{
	(void)state;
	for (int tries = 1; tries <= 2; tries++) {
		struct frame f = syn, echo = ping, reply = ping;
		start(100, NULL);
		echo.dst = "198.51.100.7";
		send(echo, 0);
		reply.src = "198.51.100.7";
		reply.dst = "203.0.113.9";
		reply.icmp_type = 0;
		send(reply, 0);
		for (int i = 0; i < 40 * tries; i++) {
			f.dport = (uint16_t)(20 + i % 40);
			send(f, i == 40 ? 1000 : 1);
		}
		engine_flush(world.engine);
		bool found = false;
		for (size_t i = 0; i < world.count; i++)
			found |= world.found[i].verdict == VERDICT_SCAN;
		assert_int_equal(found, tries > 1);
	}
}

/* Three questions of each of eight things, and dozens of each of seven. */
static void who_asks_on_is_no_scanner(void **state)
{
	(void)state;
	for (int each = 1; each <= 27; each *= 3) {
		start(100, NULL);
		uint8_t number[22] = { 0, 0, 1 };
		struct frame f = { .proto = PACKET_UDP,
			.dport = 53,
			.payload = number,
			.payload_len = sizeof(number) };
		number[5] = 1; /* one question */
		number[12] = 3;
		memcpy(number + 13, "lab", 4);
		number[18] = number[20] = 1;
		for (int i = 0; i < 8 * each; i++) {
			number[1]++;
			f.dst = host(i % 8);
			send(f, 1000);
		}
		if (each == 1)
			expect(VERDICT_SCAN, SIGNATURE_NONE);
		else
			expect_none(VERDICT_SCAN);
	}
}

/* A download's acknowledgements, and the films of one who has connected. */
static void half_a_transfer_is_no_flood(void **state)
{
	(void)state;
	struct frame f = {
		.proto = PACKET_TCP, .dport = 5201, .flags = PACKET_TCP_ACK
	};
	start(100, NULL);
	for (uint32_t n = 1; n < 2000; n++) {
		f.ack = 1000 + n * 1448;
		send(f, 1);
	}
	expect_none(VERDICT_FLOOD);
	start(100, NULL);
	send(syn, 0);
	f = syn;
	f.flags = PACKET_TCP_ACK;
	f.seq = 1;
	f.ack = 5;
	send(f, 1);
	struct frame film = { .proto = PACKET_UDP, .dport = 5201 };
	for (int n = 0; n < 3000; n++)
		send(film, 0);
	expect_none(VERDICT_FLOOD);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_traceroute_is_no_scan),
		cmocka_unit_test(one_low_ttl_makes_no_traceroute),
		cmocka_unit_test(a_walk_is_asked_by_the_one_who_asks),
		cmocka_unit_test(a_peer_asks_for_peers_that_are_gone),
		cmocka_unit_test(a_monitor_seen_in_one_direction_is_no_scanner),
		cmocka_unit_test(a_scan_that_asks_again_has_waited),
		cmocka_unit_test(who_asks_on_is_no_scanner),
		cmocka_unit_test(half_a_transfer_is_no_flood),
	};
	return cmocka_run_group_tests(tests, NULL, finish);
}
