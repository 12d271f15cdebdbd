/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "lib/base/xalloc.h"
#include "lib/packet/packet.h"

static const uint8_t tcp_syn[] = {
    0x45, 0x10, 0x00, 0x2c, 0xd4, 0x31, 0x40, 0x00,
    0xff, 0x06, 0x00, 0x00,
    192, 0, 2, 1,
    198, 51, 100, 7,
    0x9c, 0x40, 0x00, 0x17, /* ports 40000, 23 */
    0x01, 0x02, 0x03, 0x04, /* sequence */
    0x0a, 0x0b, 0x0c, 0x0d, /* acknowledgement */
    0x60, 0x02, 0x04, 0x00, /* 24 octets, SYN, window 1024 */
    0xbe, 0xef, 0x00, 0x00,
    0x02, 0x04, 0x05, 0xb4, /* MSS */
};

static const uint8_t udp[] = {
    0x45, 0x00, 0x00, 0x20, 0x00, 0x01, 0x00, 0x00,
    0x40, 0x11, 0x00, 0x00,
    192, 0, 2, 1,
    198, 51, 100, 7,
    0x0f, 0xa0, 0x05, 0x9a, 0x00, 0x0c, 0x12, 0x34,
    0x04, 0x01, 0x01, 0x01,
};

/* Decodes an exact copy, so that a read past the end is seen by ASan.  The
 * copy outlives the call: p points into it.  Freed by the next call. */
static int decode(struct packet *p, const void *bytes, size_t cap, size_t wire)
{
	static void *copy;
	free(copy);
	copy = xmemdup(bytes, cap);
	int err = packet_decode_ip(p, copy, cap, wire);
	return err;
}

static void a_tcp_packet_gives_every_field(void **state)
{
	(void)state;
	struct packet p;
	assert_int_equal(decode(&p, tcp_syn, 44, 44), 0);
	assert_int_equal(addr_v4_value(&p.src), 0xc0000201);
	assert_int_equal(addr_v4_value(&p.dst), 0xc6336407);
	assert_int_equal(p.proto, PACKET_TCP);
	assert_int_equal(p.ttl, 255);
	assert_int_equal(p.tos, 0x10);
	assert_int_equal(p.ip_id, 54321);
	assert_int_equal(p.ip_len, 44);
	assert_int_equal(p.ip_header_len, 20);
	assert_false(p.fragment || p.first_fragment || p.ip_options);
	assert_int_equal(p.sport, 40000);
	assert_int_equal(p.dport, 23);
	assert_int_equal(p.tcp_seq, 0x01020304);
	assert_int_equal(p.tcp_ack, 0x0a0b0c0d);
	assert_int_equal(p.tcp_window, 1024);
	assert_int_equal(p.tcp_flags, PACKET_TCP_SYN);
	assert_int_equal(p.tcp_header_len, 24);
	assert_memory_equal(p.tcp_options, tcp_syn + 40, 4);
	assert_int_equal(p.l4_checksum, 0xbeef);
	assert_int_equal(p.payload_len, 0);
	assert_null(p.payload);
}

static void padding_after_the_packet_is_not_payload(void **state)
{
	(void)state;
	uint8_t padded[60] = {0};
	memcpy(padded, udp, sizeof(udp));
	struct packet p;
	assert_int_equal(decode(&p, padded, 60, 60), 0);
	assert_int_equal(p.udp_len, 12);
	assert_int_equal(p.payload_len, 4);
	assert_int_equal(p.payload_wire_len, 4);
	assert_int_equal(p.payload[0], 0x04);
}

static void octets_behind_the_udp_length_are_not_payload(void **state)
{
	(void)state;
	uint8_t bytes[sizeof(udp)];
	memcpy(bytes, udp, sizeof(udp));
	bytes[25] = 9;
	struct packet p;
	assert_int_equal(decode(&p, bytes, sizeof(bytes), sizeof(bytes)), 0);
	assert_int_equal(p.payload_len, 1);
	assert_int_equal(p.payload_wire_len, 1);
}

static void a_cut_payload_still_decodes(void **state)
{
	(void)state;
	struct packet p;
	assert_int_equal(decode(&p, udp, 29, 32), 0);
	assert_int_equal(p.payload_len, 1);
	assert_int_equal(p.payload_wire_len, 4);
	assert_int_equal(decode(&p, udp, 28, 32), 0);
	assert_int_equal(p.payload_len, 0);
	assert_int_equal(p.payload_wire_len, 4);
}

static void a_cut_header_is_truncated_and_keeps_what_came_before(void **state)
{
	(void)state;
	struct packet p;
	for (size_t cap = 0; cap < 44; cap++)
		assert_int_equal(
		    decode(&p, tcp_syn, cap, 44), ERR_TRUNCATED);
	decode(&p, tcp_syn, 28, 44);
	assert_int_equal(p.dport, 23);
	assert_int_equal(p.tcp_seq, 0x01020304);
	assert_int_equal(p.tcp_window, 0);
	for (size_t cap = 0; cap < 28; cap++)
		assert_int_equal(decode(&p, udp, cap, 32), ERR_TRUNCATED);
}

static void lengths_that_contradict_are_malformed(void **state)
{
	(void)state;
	struct {
		size_t at;
		uint8_t value;
	} tcp_cases[] = {
	    {0, 0x44},  /* IP header of 16 octets */
	    {3, 0x13},  /* IP packet of 19 octets */
	    {3, 0x27},  /* 19 octets of TCP */
	    {32, 0x40}, /* TCP header of 16 octets */
	    {32, 0x70}, /* TCP header of 28 octets in 24 */
	};
	struct packet p;
	uint8_t bytes[44];
	for (size_t i = 0; i < sizeof(tcp_cases) / sizeof(tcp_cases[0]); i++) {
		memcpy(bytes, tcp_syn, 44);
		bytes[tcp_cases[i].at] = tcp_cases[i].value;
		assert_int_equal(decode(&p, bytes, 44, 44), ERR_MALFORMED);
	}
	memcpy(bytes, udp, 32);
	bytes[25] = 7;
	assert_int_equal(decode(&p, bytes, 32, 32), ERR_MALFORMED);
	bytes[25] = 13;
	assert_int_equal(decode(&p, bytes, 32, 32), ERR_MALFORMED);
	assert_int_equal(p.dport, 1434);
	bytes[0] = 0x55;
	assert_int_equal(decode(&p, bytes, 32, 32), ERR_UNSUPPORTED);
}

static void fragments_have_upper_fields_only_in_the_first(void **state)
{
	(void)state;
	struct packet p;
	uint8_t bytes[32];
	memcpy(bytes, udp, 32);
	bytes[6] = 0x20; /* more fragments */
	bytes[25] = 200; /* the datagram is longer than this part of it */
	assert_int_equal(decode(&p, bytes, 32, 32), 0);
	assert_true(p.fragment && p.first_fragment);
	assert_int_equal(p.dport, 1434);
	assert_int_equal(p.payload_wire_len, 4);
	bytes[6] = 0x00;
	bytes[7] = 0x01; /* offset 8, the last one */
	assert_int_equal(decode(&p, bytes, 32, 32), 0);
	assert_true(p.fragment && !p.first_fragment);
	assert_int_equal(p.dport, 0);
	assert_null(p.payload);
}

static void options_move_the_upper_header(void **state)
{
	(void)state;
	uint8_t bytes[36];
	memcpy(bytes, udp, 20);
	memset(bytes + 20, 1, 4);
	memcpy(bytes + 24, udp + 20, 12);
	bytes[0] = 0x46;
	bytes[3] = 36;
	struct packet p;
	assert_int_equal(decode(&p, bytes, 36, 36), 0);
	assert_true(p.ip_options);
	assert_int_equal(p.ip_header_len, 24);
	assert_int_equal(p.dport, 1434);
	assert_int_equal(decode(&p, bytes, 22, 36), ERR_TRUNCATED);
}

static void echo_has_id_and_sequence_and_a_timestamp_too(void **state)
{
	(void)state;
	uint8_t bytes[] = {
	    0x45, 0x00, 0x00, 0x1e, 0x00, 0x00, 0x00, 0x00,
	    0x40, 0x01, 0x00, 0x00,
	    192, 0, 2, 1,
	    198, 51, 100, 7,
	    8, 0, 0x12, 0x34, 0xab, 0xcd, 0x00, 0x05,
	    0xaa, 0xaa,
	};
	struct packet p;
	assert_int_equal(decode(&p, bytes, 30, 30), 0);
	assert_int_equal(p.icmp_type, 8);
	assert_int_equal(p.icmp_id, 0xabcd);
	assert_int_equal(p.icmp_seq, 5);
	assert_int_equal(p.icmp_rest, 0xabcd0005);
	assert_int_equal(p.l4_checksum, 0x1234);
	assert_int_equal(p.payload_len, 2);
	assert_false(packet_is_icmp_error(&p));
	bytes[20] = 13;
	assert_int_equal(decode(&p, bytes, 30, 30), 0);
	assert_int_equal(p.icmp_id, 0xabcd);
	bytes[20] = 3;
	assert_int_equal(decode(&p, bytes, 30, 30), 0);
	assert_int_equal(p.icmp_id, 0);
	assert_true(packet_is_icmp_error(&p));
}

static size_t ip6(uint8_t *to, unsigned next, const void *rest, size_t len)
{
	static const uint8_t header[40] = {
	    0x61, 0x2a, 0xbc, 0xde, 0, 0, 0, 64,
	    0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1,
	    0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2,
	};
	memcpy(to, header, 40);
	to[4] = (uint8_t)(len >> 8);
	to[5] = (uint8_t)len;
	to[6] = (uint8_t)next;
	memcpy(to + 40, rest, len);
	return 40 + len;
}

static void ip6_extension_headers_are_stepped_over(void **state)
{
	(void)state;
	static const uint8_t rest[] = {
	    60, 0, 1, 4, 0, 0, 0, 0,             /* hop-by-hop */
	    51, 1, 1, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
	    44, 2, 0, 0, 0, 0, 0, 1,             /* AH, 16 octets */
	    0, 0, 0, 0, 0, 0, 0, 0,
	    17, 0, 0, 0, 0xde, 0xad, 0xbe, 0xef, /* atomic fragment */
	    0x12, 0x34, 0x05, 0x9a, 0, 8, 0xff, 0xff,
	};
	uint8_t bytes[40 + sizeof(rest)];
	struct packet p;
	size_t len = ip6(bytes, 0, rest, sizeof(rest));
	assert_int_equal(decode(&p, bytes, len, len), 0);
	assert_int_equal(p.src.family, 6);
	assert_int_equal(p.src.bytes[15], 1);
	assert_int_equal(p.dst.bytes[15], 2);
	assert_int_equal(p.tos, 0x12);
	assert_int_equal(p.flow_label, 0xabcde);
	assert_int_equal(p.ttl, 64);
	assert_int_equal(p.ip_len, len);
	assert_int_equal(p.proto, PACKET_UDP);
	assert_int_equal(p.ip_header_len, len - 8);
	assert_int_equal(p.dport, 1434);
	assert_int_equal(p.ip_id, 0xbeef);
	assert_false(p.fragment);
	for (size_t cap = 0; cap < len; cap++)
		assert_int_equal(decode(&p, bytes, cap, len), ERR_TRUNCATED);
	bytes[41] = 200; /* a hop-by-hop header longer than the packet */
	assert_int_equal(decode(&p, bytes, len, len), ERR_MALFORMED);
}

static void ip6_fragments_stop_at_the_fragment_header(void **state)
{
	(void)state;
	uint8_t rest[16] = {17, 0, 0x00, 0x09, 0, 0, 0, 1};
	uint8_t bytes[56];
	struct packet p;
	size_t len = ip6(bytes, 44, rest, sizeof(rest));
	assert_int_equal(decode(&p, bytes, len, len), 0);
	assert_true(p.fragment && !p.first_fragment);
	assert_int_equal(p.proto, PACKET_UDP);
	rest[3] = 1;     /* offset 0, more to come */
	rest[13] = 0xff; /* UDP length */
	len = ip6(bytes, 44, rest, sizeof(rest));
	assert_int_equal(decode(&p, bytes, len, len), 0);
	assert_true(p.fragment && p.first_fragment);
}

static void a_whole_ip6_payload_does_not_overflow_the_length(void **state)
{
	(void)state;
	size_t payload_len = 65535;
	uint8_t *bytes = xcalloc(1, 40 + payload_len);
	uint8_t *rest = xcalloc(1, payload_len);
	struct packet p;
	size_t len = ip6(bytes, 59, rest, payload_len);
	assert_int_equal(decode(&p, bytes, len, len), 0);
	assert_int_equal(p.ip_len, 65535);
	assert_int_equal(p.payload_wire_len, payload_len);
	free(rest);
	free(bytes);
}

static void a_length_of_zero_is_what_was_sent(void **state)
{
	(void)state;
	uint8_t bytes[48];
	struct packet p;
	memcpy(bytes, tcp_syn, 44);
	bytes[3] = 0;
	assert_int_equal(decode(&p, bytes, 44, 44), 0);
	assert_int_equal(p.dport, 23);
	size_t len = ip6(bytes, 17, udp + 20, 8);
	bytes[5] = 0;
	bytes[45] = 8; /* UDP length */
	assert_int_equal(decode(&p, bytes, len, len), 0);
	assert_int_equal(p.dport, 1434);
}

static void more_captured_than_sent_is_read_as_captured(void **state)
{
	(void)state;
	struct packet p;
	assert_int_equal(decode(&p, udp, sizeof(udp), 4), 0);
	assert_int_equal(p.payload_len, 4);
}

static void the_checksum_is_that_of_rfc_1071(void **state)
{
	(void)state;
	/* The RFC's own example. */
	static const uint8_t bytes[] = {
	    0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7};
	assert_int_equal(packet_fold(packet_sum(0, bytes, 8)), 0x220d);
	uint32_t sum = packet_sum(0, bytes, 2);
	sum = packet_sum(sum, bytes + 2, 6);
	assert_int_equal(packet_fold(sum), 0x220d);
	static const uint8_t odd[] = {0x01, 0x02, 0x03};
	assert_int_equal(packet_fold(packet_sum(0, odd, 3)), 0xfbfd);
	assert_int_equal(packet_fold(packet_sum(0, odd, 0)), 0xffff);

	uint8_t *ones = xmalloc(65536);
	memset(ones, 0xff, 65536);
	assert_int_equal(packet_fold(packet_sum(0, ones, 65536)), 0);
	for (size_t len = 0; len < 300; len++) {
		uint32_t slow = 0;
		for (size_t i = 0; i < len; i++) {
			ones[i] = (uint8_t)(i * 37 + len);
			slow += (uint32_t)ones[i] << (i & 1 ? 0 : 8);
		}
		assert_int_equal(
		    packet_fold(packet_sum(0, ones, len)), packet_fold(slow));
	}
	free(ones);
}

/* A packet whose upper layer has its checksum at `at`, right. */
static size_t sum_up(uint8_t *p, bool six, uint8_t proto, size_t at, size_t len)
{
	size_t head = six ? 40 : 20;
	memset(p, 0, head);
	p[0] = six ? 0x60 : 0x45;
	p[six ? 5 : 3] = (uint8_t)(six ? len : head + len);
	p[six ? 6 : 9] = proto;
	memset(p + (six ? 8 : 12), 7, six ? 32 : 8);
	memset(p + head, 3, len);
	p[head + 4] = 0; /* a datagram's length */
	p[head + 5] = (uint8_t)len;
	p[head + at] = p[head + at + 1] = 0;
	uint32_t sum = packet_sum(0, p + head, len);
	if (proto != PACKET_ICMP)
		sum = packet_sum(packet_sum(sum, p + (six ? 8 : 12),
				     six ? 32 : 8) +
			(uint32_t)len + proto,
		    NULL, 0);
	uint16_t right = packet_fold(sum);
	p[head + at] = (uint8_t)(right >> 8);
	p[head + at + 1] = (uint8_t)right;
	return head + len;
}

static void damage_is_seen_where_it_can_be(void **state)
{
	static const struct {
		uint8_t proto, at;
		bool six;
	} cases[] = { { PACKET_ICMP, 2, false }, { PACKET_TCP, 16, false },
		{ PACKET_UDP, 6, false }, { PACKET_ICMP6, 2, true },
		{ PACKET_TCP, 16, true }, { PACKET_UDP, 6, true } };
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		uint8_t p[80];
		bool six = cases[i].six;
		size_t head = six ? 40 : 20, at = head + cases[i].at;
		size_t len =
		    sum_up(p, six, cases[i].proto, cases[i].at, 25);
		assert_false(packet_is_damaged(p, len));
		for (size_t j = head; j < len; j++) {
			p[j] ^= 0x40;
			bool length = cases[i].proto == PACKET_UDP &&
			    (j == head + 4 || j == head + 5);
			assert_int_equal(packet_is_damaged(p, len), !length);
			assert_false(packet_is_damaged(p, len - 1));
			p[j] ^= 0x40;
		}
		if (cases[i].proto == PACKET_ICMP ||
		    cases[i].proto == PACKET_ICMP6)
			continue;
		/* A device was to do it: the pseudo header's sum alone. */
		uint32_t pseudo = packet_sum(25u + cases[i].proto,
		    p + (six ? 8 : 12), six ? 32 : 8);
		uint16_t open = (uint16_t)~packet_fold(pseudo);
		p[at] = (uint8_t)(open >> 8);
		p[at + 1] = (uint8_t)open;
		assert_false(packet_is_damaged(p, len));
		p[at + 1] ^= 1;
		assert_true(packet_is_damaged(p, len));
		p[at] = p[at + 1] = 0;
		assert_int_equal(packet_is_damaged(p, len),
		    cases[i].proto == PACKET_TCP);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_tcp_packet_gives_every_field),
	    cmocka_unit_test(padding_after_the_packet_is_not_payload),
	    cmocka_unit_test(octets_behind_the_udp_length_are_not_payload),
	    cmocka_unit_test(a_cut_payload_still_decodes),
	    cmocka_unit_test(
		a_cut_header_is_truncated_and_keeps_what_came_before),
	    cmocka_unit_test(lengths_that_contradict_are_malformed),
	    cmocka_unit_test(fragments_have_upper_fields_only_in_the_first),
	    cmocka_unit_test(options_move_the_upper_header),
	    cmocka_unit_test(echo_has_id_and_sequence_and_a_timestamp_too),
	    cmocka_unit_test(ip6_extension_headers_are_stepped_over),
	    cmocka_unit_test(ip6_fragments_stop_at_the_fragment_header),
	    cmocka_unit_test(a_whole_ip6_payload_does_not_overflow_the_length),
	    cmocka_unit_test(a_length_of_zero_is_what_was_sent),
	    cmocka_unit_test(more_captured_than_sent_is_read_as_captured),
		cmocka_unit_test(damage_is_seen_where_it_can_be),
	    cmocka_unit_test(the_checksum_is_that_of_rfc_1071),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
