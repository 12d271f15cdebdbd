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
    {DLT_IEEE802_11, "", 4, ERR_UNSUPPORTED},
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
			assert_int_equal(packet_decode_link(&p, cases[i].dlt,
				exact, cap, b.len), ERR_TRUNCATED);
			/* Sent like that, it contradicts a header; once the
			 * IP length is known, the capture must have lost the
			 * rest. */
			assert_int_equal(packet_decode_link(&p, cases[i].dlt,
				exact, cap, cap), cap < b.len - 8
				? ERR_MALFORMED : ERR_TRUNCATED);
			free(exact);
		}
		buf_fini(&b);
	}
}

static void the_known_links_are_known(void **state)
{
	(void)state;
	static const int known[] = {DLT_EN10MB, DLT_LINUX_SLL, DLT_LINUX_SLL2,
	    DLT_RAW, DLT_IPV4, DLT_IPV6, DLT_NULL, DLT_LOOP};
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		assert_true(packet_link_known(known[i]));
	assert_false(packet_link_known(DLT_IEEE802_11));
	assert_false(packet_link_known(-1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_link_leads_to_its_packet),
	    cmocka_unit_test(
		a_cut_frame_is_truncated_and_a_short_one_malformed),
	    cmocka_unit_test(the_known_links_are_known),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
