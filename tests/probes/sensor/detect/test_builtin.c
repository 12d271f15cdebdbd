/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "probes/sensor/detect/builtin.h"
#include "tests/lib/packet/frames.h"

static struct buf bytes;

/* cut: octets that the capture left out. */
static struct signature_match match_cut(struct frame f, size_t cut)
{
	struct packet p;
	f.src = f.src ? f.src : "203.0.113.9";
	f.dst = f.dst ? f.dst : "198.51.100.7";
	buf_clear(&bytes);
	frame_put(&bytes, &f);
	assert_int_equal(
	    packet_decode_ip(&p, bytes.data, bytes.len - cut, bytes.len), 0);
	return signature_match(&p);
}

static struct signature_match match(struct frame f)
{
	return match_cut(f, 0);
}

static struct frame slammer(const uint8_t *payload, size_t len)
{
	return (struct frame){ .proto = PACKET_UDP,
		.dport = 1434,
		.payload = payload,
		.payload_len = len };
}

static void slammer_is_all_of_its_facts(void **state)
{
	(void)state;
	uint8_t payload[400];
	frame_slammer(payload, sizeof(payload));
	assert_int_equal(match(slammer(payload, 376)).worm, SIGNATURE_SLAMMER);
	/* Another length is something else, however alike. */
	assert_int_equal(match(slammer(payload, 375)).worm, SIGNATURE_NONE);
	assert_int_equal(match(slammer(payload, 377)).worm, SIGNATURE_NONE);
	assert_int_equal(match(slammer(payload, 1)).worm, SIGNATURE_NONE);
	struct frame f = slammer(payload, 376);
	f.dport = 1433;
	assert_int_equal(match(f).worm, SIGNATURE_NONE);
	static const size_t facts[] = { 0, 150, 158, 200, 223 };
	for (size_t i = 0; i < sizeof(facts) / sizeof(facts[0]); i++) {
		frame_slammer(payload, sizeof(payload));
		payload[facts[i]] ^= 0x20;
		assert_int_equal(
		    match(slammer(payload, 376)).worm, SIGNATURE_NONE);
	}
}

static void an_ssrp_ping_is_no_worm(void **state)
{
	(void)state;
	uint8_t payload[376] = { 0x02 };
	assert_int_equal(match(slammer(payload, 1)).worm, SIGNATURE_NONE);
	payload[0] = 0x03;
	assert_int_equal(match(slammer(payload, 1)).worm, SIGNATURE_NONE);
	assert_int_equal(match(slammer(payload, 376)).worm, SIGNATURE_NONE);
}

static void a_cut_slammer_is_known_by_what_is_left(void **state)
{
	(void)state;
	uint8_t payload[376];
	frame_slammer(payload, sizeof(payload));
	struct signature_match m;
	/* 16 octets of it, and 100, are enough. */
	m = match_cut(slammer(payload, 376), 376 - 16);
	assert_int_equal(m.worm, SIGNATURE_SLAMMER);
	m = match_cut(slammer(payload, 376), 276);
	assert_int_equal(m.worm, SIGNATURE_SLAMMER);
	/* Without a payload nobody can say. */
	m = match_cut(slammer(payload, 376), 376);
	assert_int_equal(m.worm, SIGNATURE_NONE);
	assert_true(m.undecided);
	m = match_cut(slammer(payload, 376), 376 - 15);
	assert_int_equal(m.worm, SIGNATURE_NONE);
	assert_true(m.undecided);
	/* What is there may also say no. */
	payload[0] = 0x02;
	m = match_cut(slammer(payload, 376), 376 - 16);
	assert_int_equal(m.worm, SIGNATURE_NONE);
	assert_false(m.undecided);
}

static void mirai_has_its_target_as_sequence_number(void **state)
{
	(void)state;
	struct frame f = {
		.proto = PACKET_TCP, .dport = 2323, .seq = 0xc6336407
	};
	assert_int_equal(match(f).worm, SIGNATURE_MIRAI);
	f.seq++;
	assert_int_equal(match(f).worm, SIGNATURE_NONE);
	f.seq--;
	f.flags = PACKET_TCP_SYN | PACKET_TCP_ACK;
	assert_int_equal(match(f).worm, SIGNATURE_NONE);
	f.flags = PACKET_TCP_RST;
	assert_int_equal(match(f).worm, SIGNATURE_NONE);
}

/* A client's sequence number is its peer's address once in 2^32 connections:
 * what else Mirai's packets have must be there, too. */
static void chance_is_no_mirai(void **state)
{
	(void)state;
	static const struct packet mirai = { .proto = PACKET_TCP,
		.src = { 4, { 203, 0, 113, 9 } },
		.dst = { 4, { 198, 51, 100, 7 } },
		.ip_len = 40,
		.sport = 4000,
		.dport = 443,
		.tcp_seq = 0xc6336407,
		.has_tcp_flags = true,
		.tcp_flags = PACKET_TCP_SYN,
		.tcp_header_len = 20 };
	struct packet p = mirai;
	assert_int_equal(signature_match(&p).worm, SIGNATURE_MIRAI);
	p.tcp_header_len = 40;
	assert_int_equal(signature_match(&p).worm, SIGNATURE_NONE);
	p = mirai;
	p.ip_options = true;
	assert_int_equal(signature_match(&p).worm, SIGNATURE_NONE);
	p = mirai;
	p.tcp_ack = 1;
	assert_int_equal(signature_match(&p).worm, SIGNATURE_NONE);
	p = mirai;
	p.payload_wire_len = 1;
	assert_int_equal(signature_match(&p).worm, SIGNATURE_NONE);
	p = mirai;
	p.sport = 80;
	assert_int_equal(signature_match(&p).worm, SIGNATURE_NONE);
	p = mirai;
	p.tcp_flags |= 0xc0; /* a stack that offers ECN */
	assert_int_equal(signature_match(&p).worm, SIGNATURE_NONE);
	p = mirai;
	p.ip_damaged = true;
	assert_int_equal(signature_match(&p).worm, SIGNATURE_NONE);
}

static void worms_have_their_odds(void **state)
{
	(void)state;
	for (int s = SIGNATURE_SLAMMER; s <= SIGNATURE_WITTY; s++)
		assert_true(signature_bits((enum signature)s) >= 16);
	assert_true(signature_bits(SIGNATURE_MIRAI) >= 32);
	assert_int_equal(signature_bits(SIGNATURE_NONE), 0);
}

static void welchia_is_an_echo_of_92_octets_all_aa(void **state)
{
	(void)state;
	uint8_t data[65];
	memset(data, 0xaa, sizeof(data));
	struct frame f = { .proto = PACKET_ICMP,
		.icmp_type = 8,
		.payload = data,
		.payload_len = 64 };
	assert_int_equal(match(f).worm, SIGNATURE_WELCHIA);
	assert_int_equal(match_cut(f, 60).worm, SIGNATURE_WELCHIA);
	assert_true(match_cut(f, 61).undecided);
	f.payload_len = 65;
	assert_int_equal(match(f).worm, SIGNATURE_NONE);
	f.payload_len = 64;
	f.icmp_type = 0;
	assert_int_equal(match(f).worm, SIGNATURE_NONE);
	f.icmp_type = 8;
	data[63] = 0xab;
	assert_int_equal(match(f).worm, SIGNATURE_NONE);
}

static void witty_is_its_port_header_and_message(void **state)
{
	(void)state;
	uint8_t data[800] = { 0x05, 0x00 };
	memcpy(data + 100, FRAME_WITTY, sizeof(FRAME_WITTY) - 1);
	struct frame f = { .proto = PACKET_UDP,
		.sport = 4000,
		.dport = 12345,
		.payload = data,
		.payload_len = sizeof(data) };
	assert_int_equal(match(f).worm, SIGNATURE_WITTY);
	assert_int_equal(match_cut(f, 600).worm, SIGNATURE_WITTY);
	assert_int_equal(match_cut(f, 700).worm, SIGNATURE_NONE);
	assert_true(match_cut(f, 700).undecided);
	f.sport = 4001;
	assert_int_equal(match(f).worm, SIGNATURE_NONE);
	f.sport = 4000;
	data[1] = 1;
	assert_int_equal(match(f).worm, SIGNATURE_NONE);
	data[1] = 0;
	data[100] = 'x';
	assert_int_equal(match(f).worm, SIGNATURE_NONE);
	assert_false(match(f).undecided);
}

static void tools_are_known_by_their_ip_id(void **state)
{
	(void)state;
	struct frame f = {
		.proto = PACKET_TCP, .dport = 443, .seq = 0x01020304
	};
	f.ip_id = (uint16_t)(0xc6336407 ^ 443 ^ 0x01020304);
	assert_true(match(f).masscan);
	assert_false(match(f).zmap);
	f.ip_id++;
	assert_false(match(f).masscan);
	f.ip_id = 54321;
	assert_true(match(f).zmap);
	f.flags = PACKET_TCP_RST;
	assert_false(match(f).zmap);
	f.proto = PACKET_ICMP;
	f.icmp_type = 8;
	assert_true(match(f).zmap);
	f.icmp_type = 0;
	assert_false(match(f).zmap);
	f.proto = PACKET_UDP;
	assert_true(match(f).zmap);
}

static void fragments_and_ip6_match_nothing(void **state)
{
	(void)state;
	uint8_t payload[376];
	frame_slammer(payload, sizeof(payload));
	struct frame f = slammer(payload, 376);
	f.fragment = 0x2000;
	assert_int_equal(match(f).worm, SIGNATURE_NONE);
	f.fragment = 0;
	f.src = "2001:db8::1";
	f.dst = "2001:db8::2";
	assert_int_equal(match(f).worm, SIGNATURE_NONE);
}

static void names_are_those_of_the_manual(void **state)
{
	(void)state;
	assert_null(signature_name(SIGNATURE_NONE));
	assert_string_equal(signature_name(SIGNATURE_SLAMMER), "slammer");
	assert_string_equal(signature_name(SIGNATURE_ZMAP), "zmap");
}

static int free_bytes(void **state)
{
	(void)state;
	buf_fini(&bytes);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(slammer_is_all_of_its_facts),
		cmocka_unit_test(an_ssrp_ping_is_no_worm),
		cmocka_unit_test(a_cut_slammer_is_known_by_what_is_left),
		cmocka_unit_test(mirai_has_its_target_as_sequence_number),
		cmocka_unit_test(chance_is_no_mirai),
		cmocka_unit_test(worms_have_their_odds),
		cmocka_unit_test(welchia_is_an_echo_of_92_octets_all_aa),
		cmocka_unit_test(witty_is_its_port_header_and_message),
		cmocka_unit_test(tools_are_known_by_their_ip_id),
		cmocka_unit_test(fragments_and_ip6_match_nothing),
		cmocka_unit_test(names_are_those_of_the_manual),
	};
	return cmocka_run_group_tests(tests, NULL, free_bytes);
}
