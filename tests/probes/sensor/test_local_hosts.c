/* SPDX-License-Identifier: ISC */
/* Frames of and to the networks that are at home. */
#include "tests/probes/sensor/engine-fixture.h"

static void home_is_left_out_and_so_are_its_answers(void **state)
{
	(void)state;
	start(100, "198.51.100.0/24");
	struct frame out = { .src = "198.51.100.7",
		.dst = "192.0.2.80",
		.proto = PACKET_TCP,
		.sport = 5555,
		.dport = 80 };
	struct frame in = { .src = "192.0.2.80",
		.dst = "198.51.100.7",
		.proto = PACKET_TCP,
		.sport = 80,
		.dport = 5555,
		.flags = PACKET_TCP_SYN | PACKET_TCP_ACK };
	send(out, 0);
	send(in, 10);
	engine_flush(world.engine);
	assert_int_equal(world.count, 0);
	assert_int_equal(engine_counts(world.engine)->home, 1);
	assert_int_equal(engine_counts(world.engine)->replies, 1);
	/* The same from another port, or too late, is backscatter. */
	in.sport = 81;
	send(in, 10);
	engine_flush(world.engine);
	assert_int_equal(world.count, 1);
	in.sport = 80;
	send(in, 3700000);
	engine_flush(world.engine);
	assert_int_equal(world.count, 2);
	assert_int_equal(world.found[1].verdict, VERDICT_BACKSCATTER);
}

static void errors_about_what_home_sent_are_its_own(void **state)
{
	(void)state;
	struct buf quote = { 0 };
	struct frame out = { .src = "198.51.100.7",
		.dst = "192.0.2.80",
		.proto = PACKET_UDP,
		.sport = 5555,
		.dport = 33434 };
	start(100, "198.51.100.7/32");
	send(out, 0);
	frame_put(&quote, &out);
	struct frame in = { .src = "203.0.113.1",
		.proto = PACKET_ICMP,
		.icmp_type = 11,
		.payload = quote.data,
		.payload_len = quote.len };
	send(in, 10);
	engine_flush(world.engine);
	assert_int_equal(world.count, 0);
	quote.data[22] ^= 1; /* another port */
	send(in, 10);
	engine_flush(world.engine);
	assert_int_equal(world.count, 1);
	buf_fini(&quote);
}

static void a_refusal_of_home_opens_no_door(void **state)
{
	(void)state;
	start(100, "198.51.100.0/24");
	sweep(syn, 3, 1, 1);
	struct frame rst = { .src = "198.51.100.1",
		.dst = "203.0.113.9",
		.proto = PACKET_TCP,
		.sport = 23,
		.dport = 40000,
		.flags = PACKET_TCP_RST | PACKET_TCP_ACK };
	send(rst, 1);
	sweep(syn, 3, 1, 1);
	expect(VERDICT_PROBE, SIGNATURE_NONE);
	assert_int_equal(world.found[0].packets, 6);
	sweep(syn, 6, 1, 1);
	engine_flush(world.engine);
	assert_int_equal(world.found[1].verdict, VERDICT_SCAN);
}

static void a_client_of_a_home_server_is_no_scanner(void **state)
{
	(void)state;
	start(100, "198.51.100.0/24");
	struct frame in = syn;
	in.dport = 443;
	send(in, 0);
	send((struct frame){ .src = "198.51.100.7",
		 .dst = "203.0.113.9",
		 .proto = PACKET_TCP,
		 .sport = 443,
		 .dport = 40000,
		 .flags = PACKET_TCP_SYN | PACKET_TCP_ACK },
	    1);
	in.flags = PACKET_TCP_ACK;
	send(in, 1);
	expect(VERDICT_OTHER, SIGNATURE_NONE);
	assert_int_equal(world.found[0].packets, 1);
}

static void a_worm_is_one_even_in_a_flow_of_home(void **state)
{
	(void)state;
	uint8_t payload[376];
	frame_slammer(payload, sizeof(payload));
	start(100, "198.51.100.0/24");
	send((struct frame){ .src = "198.51.100.7",
		 .dst = "203.0.113.9",
		 .proto = PACKET_UDP,
		 .sport = 1434,
		 .dport = 40000 },
	    0);
	send((struct frame){ .proto = PACKET_UDP,
		 .dport = 1434,
		 .payload = payload,
		 .payload_len = sizeof(payload) },
	    1);
	expect(VERDICT_WORM, SIGNATURE_SLAMMER);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(home_is_left_out_and_so_are_its_answers),
		cmocka_unit_test(errors_about_what_home_sent_are_its_own),
		cmocka_unit_test(a_refusal_of_home_opens_no_door),
		cmocka_unit_test(a_client_of_a_home_server_is_no_scanner),
		cmocka_unit_test(a_worm_is_one_even_in_a_flow_of_home),
	};
	return cmocka_run_group_tests(tests, NULL, finish);
}
