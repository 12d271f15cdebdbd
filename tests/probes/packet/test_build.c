/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "lib/packet/packet.h"
#include "probes/packet/probe.h"

static struct probe_builder *builder;

static int setup(void **state)
{
	(void)state;
	builder = probe_builder_new(NULL);
	return builder ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	probe_builder_free(builder);
	return 0;
}

static struct addr addr(const char *text)
{
	struct addr a;
	assert_int_equal(addr_parse(&a, text), 0);
	return a;
}

static struct probe udp_probe(void)
{
	return (struct probe){
		.dst = addr("198.51.100.7"),
		.proto = PACKET_UDP,
		.ttl = 5,
		.ip_id = 0x1234,
		.sport = 0x8001,
		.dport = 33434,
		.payload_len = 4,
	};
}

static int build(const struct probe *probe, uint8_t *to, size_t size)
{
	struct addr src =
	    addr(probe->dst.family == 6 ? "2001:db8::1" : "192.0.2.1");
	return probe_build(builder, probe, &src, to, size, NULL);
}

static void udp_probe_is_these_octets(void **state)
{
	(void)state;
	struct probe p = udp_probe();
	uint8_t got[64];
	static const uint8_t want[] = {
		/* as scapy builds it */
		0x45,
		0x00,
		0x00,
		0x20,
		0x12,
		0x34,
		0x40,
		0x00, /* DF */
		0x05,
		0x11,
		0x77,
		0x5d, /* TTL 5, UDP */
		192,
		0,
		2,
		1,
		198,
		51,
		100,
		7,
		0x80,
		0x01,
		0x82,
		0x9a,
		0x00,
		0x0c,
		0x10,
		0xfe,
		0,
		0,
		0,
		0,
	};
	assert_int_equal(build(&p, got, sizeof(got)), sizeof(want));
	assert_memory_equal(got, want, sizeof(want));
}

static void every_chosen_checksum_is_shown_and_right(void **state)
{
	(void)state;
	struct probe p = udp_probe();
	p.fix_checksum = true;
	uint8_t got[64];
	for (uint32_t sum = 1; sum <= 0xffff; sum++) {
		p.checksum = (uint16_t)sum;
		assert_int_equal(build(&p, got, sizeof(got)), 32);
		assert_int_equal(got[26] << 8 | got[27], sum);
		/* Pseudo header and datagram together: all ones. */
		uint32_t all = packet_sum(0, got + 12, 20) + 17 + 12;
		assert_int_equal(packet_fold(all), 0);
	}
}

static void chosen_checksum_works_for_echo_over_ipv6(void **state)
{
	(void)state;
	struct probe p = { .dst = addr("2001:db8::2"),
		.proto = PACKET_ICMP,
		.ttl = 1,
		.icmp_id = 7,
		.payload_len = 2,
		.fix_checksum = true,
		.checksum = 0xbeef };
	uint8_t got[64];
	for (unsigned seq = 0; seq < 300; seq++) {
		p.icmp_seq = (uint16_t)seq;
		assert_int_equal(build(&p, got, sizeof(got)), 50);
		assert_int_equal(got[42] << 8 | got[43], 0xbeef);
		uint32_t all = packet_sum(0, got + 8, 42) + 58 + 10;
		assert_int_equal(packet_fold(all), 0);
	}
}

static void udp_checksum_is_never_zero(void **state)
{
	(void)state;
	struct probe p = udp_probe();
	uint8_t got[64], payload[4] = { 0 };
	assert_int_equal(build(&p, got, sizeof(got)), 32);
	/* These octets add what the sum lacks: it becomes zero. */
	payload[0] = got[26];
	payload[1] = got[27];
	p.payload = payload;
	assert_int_equal(build(&p, got, sizeof(got)), 32);
	assert_int_equal(got[26] << 8 | got[27], 0xffff);
}

static void probes_that_cannot_exist_are_refused(void **state)
{
	(void)state;
	uint8_t got[1500];
	struct probe p = udp_probe();
	p.dst.family = 0;
	assert_int_equal(probe_check(&p, NULL), ERR_USAGE);
	p = udp_probe();
	strcpy(p.zone, "eth0"); /* of no link-local address */
	assert_int_equal(probe_check(&p, NULL), ERR_USAGE);
	p = udp_probe();
	p.proto = 2;
	assert_int_equal(probe_check(&p, NULL), ERR_USAGE);
	p = udp_probe();
	p.payload_len = PROBE_PAYLOAD_MAX + 1;
	assert_int_equal(build(&p, got, sizeof(got)), ERR_USAGE);
	p = udp_probe();
	p.fix_checksum = true; /* to 0: "there is none" */
	assert_int_equal(build(&p, got, sizeof(got)), ERR_USAGE);
	p.checksum = 1;
	p.payload_len = 1;
	assert_int_equal(build(&p, got, sizeof(got)), ERR_USAGE);
	p.payload_len = 2;
	p.proto = PACKET_TCP;
	assert_int_equal(build(&p, got, sizeof(got)), ERR_USAGE);
	p.proto = PACKET_ICMP;
	p.checksum = 0xffff;
	assert_int_equal(build(&p, got, sizeof(got)), ERR_USAGE);
}

static void small_room_and_mixed_families_are_refused(void **state)
{
	(void)state;
	uint8_t got[64];
	struct probe p = udp_probe();
	assert_int_equal(build(&p, got, 31), ERR_LIMIT);
	struct addr src = addr("2001:db8::1");
	assert_int_equal(
	    probe_build(builder, &p, &src, got, sizeof(got), NULL), ERR_USAGE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(udp_probe_is_these_octets),
		cmocka_unit_test(every_chosen_checksum_is_shown_and_right),
		cmocka_unit_test(chosen_checksum_works_for_echo_over_ipv6),
		cmocka_unit_test(udp_checksum_is_never_zero),
		cmocka_unit_test(probes_that_cannot_exist_are_refused),
		cmocka_unit_test(small_room_and_mixed_families_are_refused),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
