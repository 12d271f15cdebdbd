/* SPDX-License-Identifier: ISC */
#include <pcap/dlt.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "lib/base/buf.h"
#include "lib/base/xalloc.h"
#include "lib/packet/packet.h"

static const uint8_t ip4[] = {
    0x45, 0x00, 0x00, 0x1c, 0x00, 0x01, 0x00, 0x00,
    0x40, 0x11, 0x00, 0x00,
    192, 0, 2, 1,
    198, 51, 100, 7,
    0x0f, 0xa0, 0x05, 0x9a, 0x00, 0x08, 0x12, 0x34,
};
static const uint8_t ip6[] = {
    0x60, 0, 0, 0, 0, 8, 17, 64,
    0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1,
    0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2,
    0x0f, 0xa0, 0x05, 0x9a, 0x00, 0x08, 0x12, 0x34,
};

struct link_case {
	int dlt;
	const char *header; /* hex */
	int version;
	int err;
};

#define MACS "ffffffffffff020000000001"

static const struct link_case cases[] = {
    {DLT_EN10MB, MACS "0800", 4, 0},
    {DLT_EN10MB, MACS "86dd", 6, 0},
    {DLT_EN10MB, MACS "81000064" "0800", 4, 0},
    {DLT_EN10MB, MACS "81000064" "86dd", 6, 0},
    {DLT_EN10MB, MACS "88a80064" "81000065" "0800", 4, 0},
    {DLT_EN10MB, MACS "91000064" "92000065" "81000066" "0800", 4, 0},
    {DLT_EN10MB, MACS "0806", 4, ERR_UNSUPPORTED},
    {DLT_EN10MB, MACS "0024", 4, ERR_UNSUPPORTED},
    {DLT_EN10MB, MACS "0800", 6, ERR_MALFORMED},
    {DLT_EN10MB, MACS "86dd", 4, ERR_MALFORMED},
    {DLT_LINUX_SLL, "000000010006" "0200000000010000" "0800", 4, 0},
    {DLT_LINUX_SLL, "000000010006" "0200000000010000" "86dd", 6, 0},
    {DLT_LINUX_SLL, "000000010006" "0200000000010000" "81000064" "0800", 4,
	0},
    {DLT_LINUX_SLL, "000000010006" "0200000000010000" "0003", 4,
	ERR_UNSUPPORTED},
    {DLT_LINUX_SLL2, "0800" "0000" "00000002" "0001" "0006"
	"0200000000010000", 4, 0},
    {DLT_LINUX_SLL2, "86dd" "0000" "00000002" "0001" "0006"
	"0200000000010000", 6, 0},
    {DLT_LINUX_SLL2, "0806" "0000" "00000002" "0001" "0006"
	"0200000000010000", 4, ERR_UNSUPPORTED},
    {DLT_RAW, "", 4, 0},
    {DLT_RAW, "", 6, 0},
    {DLT_IPV4, "", 4, 0},
    {DLT_IPV4, "", 6, ERR_MALFORMED},
    {DLT_IPV6, "", 6, 0},
    {DLT_NULL, "02000000", 4, 0},
    {DLT_NULL, "00000002", 4, 0},
    {DLT_NULL, "1e000000", 6, 0},
    {DLT_NULL, "1c000000", 6, 0},
    {DLT_NULL, "18000000", 6, 0},
    {DLT_NULL, "0a000000", 6, 0},
    {DLT_NULL, "07000000", 4, ERR_UNSUPPORTED},
    {DLT_LOOP, "00000002", 4, 0},
    {DLT_LOOP, "0000001e", 6, 0},
    {DLT_LOOP, "0000001e", 4, ERR_MALFORMED},
    {DLT_USB_LINUX, "", 4, ERR_UNSUPPORTED},
};

static void put_hex(struct buf *b, const char *hex)
{
	for (; *hex; hex += 2) {
		char two[3] = {hex[0], hex[1], 0};
		buf_u8(b, (uint8_t)strtoul(two, NULL, 16));
	}
}

static struct buf frame_of(const struct link_case *c)
{
	struct buf b = {0};
	put_hex(&b, c->header);
	if (c->version == 4)
		buf_bytes(&b, ip4, sizeof(ip4));
	else
		buf_bytes(&b, ip6, sizeof(ip6));
	return b;
}

static void every_link_leads_to_its_packet(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct buf b = frame_of(&cases[i]);
		struct packet p;
		int err = packet_decode_link(
		    &p, cases[i].dlt, b.data, b.len, b.len);
		assert_int_equal(err, cases[i].err);
		assert_int_equal(p.dport, err == 0 ? 1434 : 0);
		assert_int_equal(p.src.family, err == 0 ? cases[i].version : 0);
		buf_fini(&b);
	}
}

static void a_cut_frame_is_truncated_and_a_short_one_malformed(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (cases[i].err != 0)
			continue;
		struct buf b = frame_of(&cases[i]);
		struct packet p;
		for (size_t cap = 0; cap < b.len; cap++) {
			uint8_t *exact = xmemdup(b.data, cap);
			bool ports = cap >= b.len - 4;
			assert_int_equal(packet_decode_link(&p, cases[i].dlt,
				exact, cap, b.len),
			    ports ? 0 : ERR_TRUNCATED);
			assert_int_equal(p.headers_cut, ports);
			assert_int_equal(p.dport, ports ? 1434 : 0);
			/* Sent like that, it contradicts a header; once the
			 * IP length is known, the capture must have lost the
			 * rest. */
			assert_int_equal(packet_decode_link(&p, cases[i].dlt,
				exact, cap, cap), cap < b.len - 8
				? ERR_MALFORMED
				: ports ? 0 : ERR_TRUNCATED);
			free(exact);
		}
		buf_fini(&b);
	}
}

static const uint8_t syn4[] = {
    0x45, 0x00, 0x00, 0x34, 0x12, 0x34, 0x40, 0x00,
    0x40, 0x06, 0xc2, 0x53, /* the sum is right */
    203, 0, 113, 1,
    198, 51, 100, 7,
    0x9c, 0x40, 0x00, 0x17, 1, 2, 3, 4, 5, 6, 7, 8,
    0x80, 0x02, 0xfa, 0xf0, 0x12, 0x34, 0, 0, /* 32 octets, SYN */
    2, 4, 5, 0xb4, 1, 3, 3, 8, 1, 1, 4, 2,
};

static int decode_raw(struct packet *p, const void *bytes, size_t cap, size_t len)
{
	static void *copy;
	free(copy);
	copy = xmemdup(bytes, cap);
	return packet_decode_link(p, DLT_RAW, copy, cap, len);
}

static void a_cut_tcp_header_gives_what_is_there(void **state)
{
	(void)state;
	struct packet p;
	size_t len = sizeof(syn4);
	for (size_t cap = 0; cap <= len; cap++) {
		int err = decode_raw(&p, syn4, cap, len);
		assert_int_equal(err, cap < 24 ? ERR_TRUNCATED : 0);
		assert_int_equal(p.reason, cap < 20 ? PACKET_CUT_IP
			: cap < 24		    ? PACKET_CUT_UPPER
						    : PACKET_UNDERSTOOD);
		assert_int_equal(p.headers_cut, cap >= 24 && cap < len);
		assert_int_equal(p.dport, cap < 24 ? 0 : 23);
		assert_int_equal(p.tcp_seq, cap < 28 ? 0 : 0x01020304);
		assert_int_equal(p.has_tcp_flags, cap >= 34);
		assert_int_equal(p.tcp_flags, cap < 34 ? 0 : PACKET_TCP_SYN);
		assert_int_equal(p.tcp_window, cap < 36 ? 0 : 0xfaf0);
		assert_int_equal(p.payload_wire_len, 0);
		assert_null(p.payload);
	}
	/* An interface that sent no more has sent no TCP. */
	uint8_t bytes[sizeof(syn4)];
	memcpy(bytes, syn4, len);
	bytes[3] = 28;
	assert_int_equal(decode_raw(&p, bytes, 28, 28), ERR_MALFORMED);
	assert_int_equal(p.reason, PACKET_BAD_UPPER);
	assert_int_equal(p.dport, 23);
	/* Options that were never sent, as some bots have it. */
	bytes[3] = 44;
	assert_int_equal(decode_raw(&p, bytes, 44, 44), 0);
	assert_true(p.headers_cut && p.has_tcp_flags);
	assert_int_equal(p.payload_wire_len, 0);
	assert_int_equal(packet_decode_ip(&p, bytes, 44, 44), ERR_MALFORMED);
	/* Outside frames, a part of a header stays an error. */
	assert_int_equal(
	    packet_decode_ip(&p, syn4, 40, sizeof(syn4)), ERR_TRUNCATED);
	assert_false(p.headers_cut);
}

static void a_first_fragment_of_8_octets_has_ports(void **state)
{
	(void)state;
	struct packet p;
	uint8_t bytes[sizeof(syn4)];
	memcpy(bytes, syn4, sizeof(syn4));
	bytes[3] = 28;
	bytes[6] = 0x20;
	assert_int_equal(decode_raw(&p, bytes, 28, 28), 0);
	assert_true(p.first_fragment && p.headers_cut && !p.has_tcp_flags);
	assert_int_equal(p.dport, 23);
	assert_int_equal(p.tcp_seq, 0x01020304);
	/* Fragments of 24 octets end inside the options. */
	bytes[3] = 44;
	assert_int_equal(decode_raw(&p, bytes, 44, 44), 0);
	assert_true(p.headers_cut && p.has_tcp_flags);
	assert_int_equal(p.tcp_flags, PACKET_TCP_SYN);
	/* Not the first. */
	bytes[7] = 1;
	assert_int_equal(decode_raw(&p, bytes, 44, 44), 0);
	assert_true(p.fragment && !p.first_fragment && !p.headers_cut);
	assert_int_equal(p.dport, 0);

	uint8_t six[56] = { 0x60, 0, 0, 0, 0, 16, 44, 64 };
	memcpy(six + 8, ip6 + 8, 32);
	six[40] = PACKET_TCP;
	six[43] = 1;
	memcpy(six + 48, syn4 + 20, 8);
	assert_int_equal(decode_raw(&p, six, 56, 56), 0);
	assert_true(p.first_fragment && p.headers_cut && !p.has_tcp_flags);
	assert_int_equal(p.dport, 23);
	six[43] = 9;
	assert_int_equal(decode_raw(&p, six, 56, 56), 0);
	assert_true(p.fragment && !p.first_fragment && !p.headers_cut);
}

static void a_wrong_header_sum_is_damage(void **state)
{
	(void)state;
	struct packet p;
	uint8_t bytes[24 + 32];
	memcpy(bytes, syn4, sizeof(syn4));
	assert_int_equal(decode_raw(&p, bytes, 52, 52), 0);
	assert_false(p.ip_damaged);
	for (size_t at = 4; at < 20; at++) {
		bytes[at] ^= 0x10;
		assert_int_equal(decode_raw(&p, bytes, 52, 52), 0);
		assert_true(p.ip_damaged);
		bytes[at] ^= 0x10;
	}
	bytes[10] = bytes[11] = 0; /* a device was to fill it in */
	assert_int_equal(decode_raw(&p, bytes, 52, 52), 0);
	assert_false(p.ip_damaged);
	/* With options. */
	memmove(bytes + 24, bytes + 20, 32);
	memset(bytes + 20, 1, 4);
	bytes[0] = 0x46;
	bytes[3] = 56;
	uint16_t sum = packet_fold(packet_sum(0, bytes, 24));
	bytes[10] = (uint8_t)(sum >> 8);
	bytes[11] = (uint8_t)sum;
	assert_int_equal(decode_raw(&p, bytes, 56, 56), 0);
	assert_false(p.ip_damaged);
	bytes[21] = 0;
	assert_int_equal(decode_raw(&p, bytes, 56, 56), 0);
	assert_true(p.ip_damaged);
	/* Not where only addresses and ports are compared. */
	assert_int_equal(packet_decode_ip(&p, bytes, 56, 56), 0);
	assert_false(p.ip_damaged);
}

static void ports_of_other_transports_are_read(void **state)
{
	(void)state;
	static const uint8_t with[] = { 132, 33, 136 };
	struct packet p;
	uint8_t bytes[28];
	memcpy(bytes, ip4, sizeof(ip4));
	for (size_t i = 0; i < sizeof(with); i++) {
		bytes[9] = with[i];
		assert_int_equal(decode_raw(&p, bytes, 28, 28), 0);
		assert_int_equal(p.sport, 4000);
		assert_int_equal(p.dport, 1434);
		assert_int_equal(p.payload_len, 8);
		assert_int_equal(packet_decode_ip(&p, bytes, 28, 28), 0);
		assert_int_equal(p.dport, 0);
	}
	bytes[9] = 89;
	assert_int_equal(decode_raw(&p, bytes, 28, 28), 0);
	assert_int_equal(p.dport, 0);
}

static void the_link_says_whom_a_frame_is_for(void **state)
{
	(void)state;
	static const struct {
		int dlt;
		const char *header;
		enum packet_cast cast;
	} links[] = {
	    {DLT_EN10MB, "020000000002020000000001" "0800",
		PACKET_CAST_UNICAST},
	    {DLT_EN10MB, MACS "0800", PACKET_CAST_BROADCAST},
	    {DLT_EN10MB, "01005e7ffffa020000000001" "0800",
		PACKET_CAST_MULTICAST},
	    {DLT_EN10MB, "01005e7ffffa020000000001" "8100000a" "0800",
		PACKET_CAST_MULTICAST},
	    {DLT_LINUX_SLL, "000000010006" "0200000000010000" "0800",
		PACKET_CAST_UNICAST},
	    {DLT_LINUX_SLL, "000100010006" "0200000000010000" "0800",
		PACKET_CAST_BROADCAST},
	    {DLT_LINUX_SLL, "000200010006" "0200000000010000" "0800",
		PACKET_CAST_MULTICAST},
	    {DLT_LINUX_SLL, "000300010006" "0200000000010000" "0800",
		PACKET_CAST_UNICAST},
	    {DLT_LINUX_SLL, "000400010006" "0200000000010000" "0800",
		PACKET_CAST_OUTGOING},
	    {DLT_LINUX_SLL2, "0800" "0000" "00000002" "0001" "04" "06"
		"0200000000010000", PACKET_CAST_OUTGOING},
	    {DLT_LINUX_SLL2, "0800" "0000" "00000002" "0001" "ff" "06"
		"0200000000010000", PACKET_CAST_UNKNOWN},
	    {DLT_NULL, "02000000", PACKET_CAST_UNKNOWN},
	    {DLT_RAW, "", PACKET_CAST_UNKNOWN},
	};
	for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++) {
		struct link_case c = {links[i].dlt, links[i].header, 4, 0};
		struct buf b = frame_of(&c);
		struct packet p;
		assert_int_equal(
		    packet_decode_link(&p, c.dlt, b.data, b.len, b.len), 0);
		assert_int_equal(p.link_cast, links[i].cast);
		assert_int_equal(p.carriers, 0);
		buf_fini(&b);
	}
}

static void every_failure_has_its_reason(void **state)
{
	(void)state;
	static const struct {
		const char *header;
		size_t cap, wire; /* of the IPv4 packet */
		enum packet_reason reason;
	} failures[] = {
	    {MACS "0806", 28, 28, PACKET_ARP},
	    {MACS "88cc", 28, 28, PACKET_LINK_CONTROL},
	    {MACS "8137", 28, 28, PACKET_NOT_IP},
	    {MACS "86dd", 28, 28, PACKET_BAD_IP},
	    {MACS, 0, 100, PACKET_CUT_LINK},
	    {MACS, 0, 0, PACKET_BAD_LINK},
	    {MACS "81000001", 0, 10, PACKET_CUT_LINK},
	    {MACS "0800", 19, 28, PACKET_CUT_IP},
	    {MACS "0800", 19, 19, PACKET_BAD_IP},
	    {MACS "0800", 23, 28, PACKET_CUT_UPPER},
	};
	struct packet p;
	for (size_t i = 0; i < sizeof(failures) / sizeof(failures[0]); i++) {
		struct link_case c = {DLT_EN10MB, failures[i].header, 4, 0};
		struct buf b = frame_of(&c);
		size_t head = b.len - sizeof(ip4);
		assert_true(packet_decode_link(&p, DLT_EN10MB, b.data,
				head + failures[i].cap,
				head + failures[i].wire) < 0);
		assert_string_equal(
		    packet_reason_name((enum packet_reason)p.reason),
		    packet_reason_name(failures[i].reason));
		buf_fini(&b);
	}
	assert_true(packet_decode_link(&p, 9999, ip4, 28, 28) < 0);
	assert_int_equal(p.reason, PACKET_UNKNOWN_LINK);
	for (int i = 0; i < PACKET_REASONS; i++) {
		assert_non_null(packet_reason_name((enum packet_reason)i));
		for (int j = 0; j < i; j++)
			assert_string_not_equal(
			    packet_reason_name((enum packet_reason)i),
			    packet_reason_name((enum packet_reason)j));
	}
	assert_false(packet_reason_hides(PACKET_ARP));
	assert_true(packet_reason_hides(PACKET_CUT_IP));
}

static void a_datagram_may_be_longer_than_its_length_can_say(void **state)
{
	(void)state;
	size_t len = 70000;
	uint8_t *jumbo = xcalloc(1, 40 + len);
	struct packet p;
	memcpy(jumbo, ip6, sizeof(ip6));
	jumbo[4] = jumbo[5] = 0;
	jumbo[44] = jumbo[45] = 0;
	assert_int_equal(decode_raw(&p, jumbo, 40 + len, 40 + len), 0);
	assert_int_equal(p.dport, 1434);
	assert_int_equal(p.payload_len, len - 8);
	/* What the kernel put together says more than the frame holds. */
	uint8_t large[sizeof(syn4)];
	memcpy(large, syn4, sizeof(syn4));
	large[2] = 0xff;
	assert_int_equal(decode_raw(&p, large, 52, 52), 0);
	assert_int_equal(p.payload_wire_len, 0xff34 - 52);
	free(jumbo);
}

static void the_known_links_are_known(void **state)
{
	(void)state;
	static const int known[] = {DLT_EN10MB, DLT_LINUX_SLL, DLT_LINUX_SLL2,
	    DLT_RAW, DLT_IPV4, DLT_IPV6, DLT_NULL, DLT_LOOP};
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		assert_true(packet_link_known(known[i]));
	assert_false(packet_link_known(DLT_USB_LINUX));
	assert_false(packet_link_known(DLT_IEEE802_15_4));
	assert_false(packet_link_known(-1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_link_leads_to_its_packet),
	    cmocka_unit_test(
		a_cut_frame_is_truncated_and_a_short_one_malformed),
	    cmocka_unit_test(a_cut_tcp_header_gives_what_is_there),
	    cmocka_unit_test(a_first_fragment_of_8_octets_has_ports),
	    cmocka_unit_test(a_wrong_header_sum_is_damage),
	    cmocka_unit_test(ports_of_other_transports_are_read),
	    cmocka_unit_test(the_link_says_whom_a_frame_is_for),
	    cmocka_unit_test(every_failure_has_its_reason),
	    cmocka_unit_test(
		a_datagram_may_be_longer_than_its_length_can_say),
	    cmocka_unit_test(the_known_links_are_known),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
