/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "lib/base/buf.h"
#include "lib/packet/packet.h"

/* What was sent: UDP from 192.0.2.1:40000 to 198.51.100.7:33434, TTL 1. */
static const uint8_t sent[] = {
    0x45, 0x00, 0x00, 0x3c, 0xbe, 0xef, 0x00, 0x00,
    0x01, 0x11, 0x00, 0x00,
    192, 0, 2, 1,
    198, 51, 100, 7,
    0x9c, 0x40, 0x82, 0x9a, 0x00, 0x28, 0x56, 0x78,
};

/* An MPLS stack of one entry, label 16001, and an unknown object. */
static const uint8_t objects[] = {
    0x00, 0x08, 0x01, 0x01, 0x03, 0xe8, 0x11, 0x3f,
    0x00, 0x06, 0x7f, 0x02, 0xca, 0xfe,
};

enum structure { NONE, GOOD, UNSUMMED, WRONG };

static void put_structure(struct buf *b, enum structure kind)
{
	size_t at = b->len;
	if (kind == NONE)
		return;
	buf_be32(b, 0x20000000);
	buf_bytes(b, objects, sizeof(objects));
	if (kind == UNSUMMED)
		return;
	uint16_t sum = packet_fold(packet_sum(0, b->data + at, b->len - at));
	b->data[at + 2] = (uint8_t)(sum >> 8);
	b->data[at + 3] = (uint8_t)(sum ^ (kind == WRONG));
}

/* A time exceeded whose quote is padded to quote_len. */
static struct buf time_exceeded(
    unsigned length_attribute, size_t quote_len, enum structure kind)
{
	static const uint8_t head[] = {
	    0x45, 0xc0, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
	    0xfe, 0x01, 0x00, 0x00,
	    203, 0, 113, 9,
	    192, 0, 2, 1,
	    11, 0, 0x00, 0x00, 0x00,
	};
	struct buf b = {0};
	buf_bytes(&b, head, sizeof(head));
	buf_u8(&b, (uint8_t)length_attribute);
	buf_be16(&b, 0);
	buf_bytes(&b, sent, sizeof(sent));
	while (b.len < 28 + quote_len)
		buf_u8(&b, 0);
	put_structure(&b, kind);
	b.data[2] = (uint8_t)(b.len >> 8);
	b.data[3] = (uint8_t)b.len;
	return b;
}

static void the_quote_names_the_flow(void **state)
{
	(void)state;
	struct buf b = time_exceeded(0, sizeof(sent), NONE);
	struct packet p, q;
	assert_int_equal(packet_decode_ip(&p, b.data, b.len, b.len), 0);
	assert_true(packet_is_icmp_error(&p));
	assert_int_equal(p.quote_len, sizeof(sent));
	assert_null(p.extensions);
	assert_int_equal(packet_decode_quote(&q, &p), 0);
	assert_int_equal(addr_v4_value(&q.src), 0xc0000201);
	assert_int_equal(addr_v4_value(&q.dst), 0xc6336407);
	assert_int_equal(q.proto, PACKET_UDP);
	assert_int_equal(q.ttl, 1);
	assert_int_equal(q.ip_id, 0xbeef);
	assert_int_equal(q.sport, 40000);
	assert_int_equal(q.dport, 33434);
	assert_int_equal(q.udp_len, 40);
	assert_int_equal(q.l4_checksum, 0x5678);
	/* Four octets of the upper header are enough, three are not. */
	assert_int_equal(
	    packet_decode_ip(&p, b.data, b.len - 4, b.len), 0);
	assert_int_equal(packet_decode_quote(&q, &p), 0);
	assert_int_equal(q.dport, 33434);
	assert_int_equal(
	    packet_decode_ip(&p, b.data, b.len - 5, b.len), 0);
	assert_int_equal(packet_decode_quote(&q, &p), ERR_TRUNCATED);
	buf_fini(&b);
}

static void a_wrong_length_in_the_quote_does_not_hide_it(void **state)
{
	(void)state;
	struct buf b = time_exceeded(0, sizeof(sent), NONE);
	struct packet p, q;
	static const uint16_t lengths[] = {0, 20, 0x3c00, 28, 65535};
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		b.data[30] = (uint8_t)(lengths[i] >> 8);
		b.data[31] = (uint8_t)lengths[i];
		assert_int_equal(
		    packet_decode_ip(&p, b.data, b.len, b.len), 0);
		assert_int_equal(packet_decode_quote(&q, &p), 0);
		assert_int_equal(q.dport, 33434);
		assert_int_equal(q.ip_len, lengths[i]);
	}
	buf_fini(&b);
}

static void a_quote_of_another_family_or_a_later_fragment_is_none(void **state)
{
	(void)state;
	struct buf b = time_exceeded(0, sizeof(sent), NONE);
	struct packet p, q;
	b.data[28] = 0x65;
	packet_decode_ip(&p, b.data, b.len, b.len);
	assert_int_not_equal(packet_decode_quote(&q, &p), 0);
	b.data[28] = 0x45;
	b.data[28 + 7] = 0x10;
	packet_decode_ip(&p, b.data, b.len, b.len);
	assert_int_equal(packet_decode_quote(&q, &p), ERR_UNSUPPORTED);
	buf_fini(&b);
	struct packet none = {0};
	assert_int_equal(packet_decode_quote(&q, &none), ERR_NOT_FOUND);
}

static void expect_objects(const struct packet *p)
{
	size_t offset = 0;
	struct packet_extension object;
	assert_int_equal(packet_next_extension(p, &offset, &object), 0);
	assert_int_equal(object.class_num, 1);
	assert_int_equal(object.c_type, 1);
	assert_int_equal(object.len, 4);
	assert_memory_equal(object.data, objects + 4, 4);
	assert_int_equal(packet_next_extension(p, &offset, &object), 0);
	assert_int_equal(object.class_num, 0x7f);
	assert_int_equal(object.len, 2);
	assert_int_equal(packet_next_extension(p, &offset, &object), ERR_EOF);
}

static void extensions_are_found_by_length_and_at_octet_128(void **state)
{
	(void)state;
	struct {
		unsigned attribute;
		size_t quote_len;
		enum structure kind;
		bool found;
	} cases[] = {
	    {32, 128, GOOD, true},
	    {32, 128, UNSUMMED, true}, /* 0 means that none was sent */
	    {32, 128, WRONG, false},
	    {40, 160, GOOD, true},
	    {7, 28, GOOD, true},       /* shorter than the RFC wants */
	    {50, 128, GOOD, true},     /* a length beyond the end */
	    {17, 128, GOOD, true},     /* the padding was not counted */
	    {17, 128, UNSUMMED, false},
	    {17, 128, WRONG, false},
	    {0, 128, GOOD, true},
	    {0, 128, UNSUMMED, false}, /* could be payload */
	    {0, 128, WRONG, false},
	    {0, 132, GOOD, false},
	    {0, 128, NONE, false},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct buf b = time_exceeded(
		    cases[i].attribute, cases[i].quote_len, cases[i].kind);
		struct packet p, q;
		assert_int_equal(
		    packet_decode_ip(&p, b.data, b.len, b.len), 0);
		assert_int_equal(p.extensions != NULL, cases[i].found);
		assert_int_equal(packet_decode_quote(&q, &p), 0);
		assert_int_equal(q.dport, 33434);
		if (cases[i].found) {
			assert_int_equal(p.quote_len, cases[i].quote_len);
			assert_int_equal(p.extensions_by_length,
			    cases[i].attribute * 4 == cases[i].quote_len);
			expect_objects(&p);
			/* A part of a structure is not trusted. */
			packet_decode_ip(&p, b.data, b.len - 1, b.len);
			assert_null(p.extensions);
		}
		buf_fini(&b);
	}
}

static void a_bad_object_makes_no_structure(void **state)
{
	(void)state;
	static const uint16_t lengths[] = {0, 3, 15, 65535};
	struct packet p;
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		struct buf b = time_exceeded(32, 128, UNSUMMED);
		b.data[28 + 132] = (uint8_t)(lengths[i] >> 8);
		b.data[28 + 133] = (uint8_t)lengths[i];
		assert_int_equal(
		    packet_decode_ip(&p, b.data, b.len, b.len), 0);
		assert_null(p.extensions);
		buf_fini(&b);
	}
}

static void ip6_counts_the_quote_in_words_of_eight(void **state)
{
	(void)state;
	struct buf b = {0};
	static const uint8_t head[] = {
	    0x60, 0, 0, 0, 0, 0, 58, 64,
	    0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9,
	    0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1,
	    3, 0, 0, 0, 16, 0, 0, 0,
	    0x60, 0, 0, 0, 0, 8, 17, 1,
	    0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1,
	    0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7,
	    0x9c, 0x40, 0x82, 0x9a, 0x00, 0x08, 0x56, 0x78,
	};
	buf_bytes(&b, head, sizeof(head));
	while (b.len < 48 + 128)
		buf_u8(&b, 0);
	put_structure(&b, GOOD);
	b.data[5] = (uint8_t)(b.len - 40);
	struct packet p, q;
	assert_int_equal(packet_decode_ip(&p, b.data, b.len, b.len), 0);
	assert_true(packet_is_icmp_error(&p));
	assert_true(p.extensions_by_length);
	expect_objects(&p);
	assert_int_equal(packet_decode_quote(&q, &p), 0);
	assert_int_equal(q.dport, 33434);
	assert_int_equal(q.ttl, 1);
	/* A quoted extension header that is cut hides the upper one. */
	b.data[48 + 6] = 0;
	b.data[48 + 41] = 255;
	assert_int_equal(packet_decode_ip(&p, b.data, b.len, b.len), 0);
	assert_int_equal(packet_decode_quote(&q, &p), ERR_TRUNCATED);
	buf_fini(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_quote_names_the_flow),
	    cmocka_unit_test(a_wrong_length_in_the_quote_does_not_hide_it),
	    cmocka_unit_test(
		a_quote_of_another_family_or_a_later_fragment_is_none),
	    cmocka_unit_test(extensions_are_found_by_length_and_at_octet_128),
	    cmocka_unit_test(a_bad_object_makes_no_structure),
	    cmocka_unit_test(ip6_counts_the_quote_in_words_of_eight),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
