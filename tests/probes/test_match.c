// SPDX-License-Identifier: ISC
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "probes/packet/match.h"

static struct probe_builder *builder;

static struct addr addr(const char *text)
{
	struct addr a;
	assert_int_equal(addr_parse(&a, text), 0);
	return a;
}

/* A probe from 192.0.2.1 or 2001:db8::1 as it left. */
struct made {
	struct match_sent sent;
	uint8_t bytes[128];
	size_t len;
};

static struct made make(struct probe probe)
{
	struct made m;
	struct addr src =
	    addr(probe.dst.family == 4 ? "192.0.2.1" : "2001:db8::1");
	int len =
	    probe_build(builder, &probe, &src, m.bytes, sizeof(m.bytes), NULL);
	assert_true(len > 0);
	m.len = (size_t)len;
	m.sent = match_sent_of(&probe, &src, m.bytes);
	return m;
}

static struct probe probe_to(const char *dst, uint8_t proto)
{
	return (struct probe){ .dst = addr(dst),
		.proto = proto,
		.ttl = 3,
		.ip_id = 1000,
		.sport = 40000,
		.dport = 33434,
		.icmp_id = 7,
		.icmp_seq = 9,
		.tcp_seq = 0xfffffff0,
		.tcp_ack = 555,
		.tcp_flags = PACKET_TCP_SYN,
		.payload_len = 4 };
}

static unsigned score(
    const struct match_sent *sent, const void *bytes, size_t len)
{
	struct packet p;
	struct match_answer answer;
	assert_int_equal(packet_decode_ip(&p, bytes, len, len), 0);
	if (!match_read(&answer, &p))
		return 0;
	return match_score(&answer, sent);
}

/* An ICMP error from a router that quotes so many octets of the packet. */
static unsigned score_error(
    const struct match_sent *sent, const uint8_t *quote, size_t len)
{
	uint8_t e[256] = { 0x45, 0, 0, (uint8_t)(28 + len), 0, 0, 0, 0, 64, 1,
		0, 0, 203, 0, 113, 1, 192, 0, 2, 1, 11 };
	memcpy(e + 28, quote, len);
	return score(sent, e, 28 + len);
}

static unsigned score_error6(
    const struct match_sent *sent, const uint8_t *quote, size_t len)
{
	uint8_t e[256] = { 0x60, 0, 0, 0, 0, (uint8_t)(8 + len), 58, 64,
		0x20, [24] = 0x20, 0x01, 0x0d, 0xb8, [39] = 1, [40] = 3 };
	memcpy(e + 48, quote, len);
	return score(sent, e, 48 + len);
}

static void an_error_fits_by_ip_id_and_by_tag(void **state)
{
	(void)state;
	static const uint8_t protos[] = { PACKET_ICMP, PACKET_UDP, PACKET_TCP };
	for (size_t i = 0; i < 3; i++) {
		struct made m = make(probe_to("198.51.100.1", protos[i]));
		assert_int_equal(score_error(&m.sent, m.bytes, 28), 3);
		m.bytes[5] ^= 1; /* the IP ID */
		assert_int_equal(score_error(&m.sent, m.bytes, 28), 1);
		m.bytes[27] ^= 1; /* checksum, sequence number */
		assert_int_equal(score_error(&m.sent, m.bytes, 28), 0);
		m.bytes[5] ^= 1;
		assert_int_equal(score_error(&m.sent, m.bytes, 28), 2);
		m.bytes[19] ^= 1; /* the destination */
		assert_int_equal(score_error(&m.sent, m.bytes, 28), 0);
	}
}

static void four_octets_of_ports_are_enough_with_the_ip_id(void **state)
{
	(void)state;
	struct made m = make(probe_to("198.51.100.1", PACKET_UDP));
	assert_int_equal(score_error(&m.sent, m.bytes, 24), 2);
	m.bytes[5] ^= 1;
	assert_int_equal(score_error(&m.sent, m.bytes, 24), 0);
	m = make(probe_to("198.51.100.1", PACKET_ICMP));
	assert_int_equal(score_error(&m.sent, m.bytes, 24), 0);
}

static void over_ipv6_the_tag_alone_decides(void **state)
{
	(void)state;
	static const uint8_t protos[] = { PACKET_ICMP, PACKET_UDP, PACKET_TCP };
	for (size_t i = 0; i < 3; i++) {
		struct made m = make(probe_to("2001:db8:9::1", protos[i]));
		assert_int_equal(score_error6(&m.sent, m.bytes, m.len), 3);
		m.bytes[47] ^= 1;
		assert_int_equal(score_error6(&m.sent, m.bytes, m.len), 0);
	}
}

static void a_quoted_reply_is_no_probe(void **state)
{
	(void)state;
	struct made m = make(probe_to("198.51.100.1", PACKET_ICMP));
	m.bytes[20] = 0; /* echo reply */
	assert_int_equal(score_error(&m.sent, m.bytes, 28), 0);
}

static struct made swap(struct made m)
{
	size_t at = m.bytes[0] >> 4 == 4 ? 12 : 8;
	size_t len = m.bytes[0] >> 4 == 4 ? 4 : 16;
	uint8_t copy[16];
	memcpy(copy, m.bytes + at, len);
	memcpy(m.bytes + at, m.bytes + at + len, len);
	memcpy(m.bytes + at + len, copy, len);
	return m;
}

static void an_echo_reply_fits_its_request(void **state)
{
	(void)state;
	static const char *const dsts[] = { "198.51.100.1", "2001:db8:9::1" };
	for (size_t i = 0; i < 2; i++) {
		size_t at = i == 0 ? 20 : 40;
		struct probe probe = probe_to(dsts[i], PACKET_ICMP);
		for (unsigned seq = 0; seq < 0x10000; seq += 251) {
			probe.icmp_seq = (uint16_t)seq;
			struct made m = make(probe), r = swap(m);
			r.bytes[at] = i == 0 ? 0 : 129;
			uint32_t sum =
			    (uint32_t)(r.bytes[at + 2] << 8 | r.bytes[at + 3]);
			sum += i == 0 ? 0x0800 : 0xfeff;
			sum = (sum & 0xffff) + (sum >> 16);
			r.bytes[at + 2] = (uint8_t)(sum >> 8);
			r.bytes[at + 3] = (uint8_t)sum;
			assert_int_equal(score(&m.sent, r.bytes, r.len), 3);
			r.bytes[at + 3] ^= 4; /* another payload */
			assert_int_equal(score(&m.sent, r.bytes, r.len), 2);
			r.bytes[at + 7] ^= 1;
			assert_int_equal(score(&m.sent, r.bytes, r.len), 0);
		}
	}
}

static unsigned score_tcp(
    const struct match_sent *sent, uint8_t flags, uint32_t seq, uint32_t ack)
{
	uint8_t r[40] = { 0x45, 0, 0, 40, 0, 0, 0, 0, 64, 6, 0, 0, 198, 51, 100,
		1, 192, 0, 2, 1, 33434 >> 8, 33434 & 0xff, 40000 >> 8,
		40000 & 0xff, (uint8_t)(seq >> 24), (uint8_t)(seq >> 16),
		(uint8_t)(seq >> 8), (uint8_t)seq, (uint8_t)(ack >> 24),
		(uint8_t)(ack >> 16), (uint8_t)(ack >> 8), (uint8_t)ack, 0x50,
		flags };
	return score(sent, r, sizeof(r));
}

static void tcp_answers_fit_by_number(void **state)
{
	(void)state;
	enum { RST = PACKET_TCP_RST, ACK = PACKET_TCP_ACK };
	struct made m = make(probe_to("198.51.100.1", PACKET_TCP));
	uint32_t end = 0xfffffff0u + 4 + 1; /* payload and SYN */
	assert_int_equal(score_tcp(&m.sent, PACKET_TCP_SYN | ACK, 1, end), 3);
	assert_int_equal(score_tcp(&m.sent, RST | ACK, 0, end), 3);
	assert_int_equal(score_tcp(&m.sent, RST | ACK, 0, end - 4), 2);
	assert_int_equal(score_tcp(&m.sent, RST | ACK, 0, end + 1), 0);
	assert_int_equal(score_tcp(&m.sent, RST | ACK, 0, end - 6), 0);
	assert_int_equal(score_tcp(&m.sent, RST, 555, 0), 3);
	assert_int_equal(score_tcp(&m.sent, RST, 556, 0), 0);
	assert_int_equal(score_tcp(&m.sent, ACK, 1, end), 0);
	assert_int_equal(score_tcp(&m.sent, PACKET_TCP_SYN, 1, end), 0);
}

static void a_datagram_to_ourselves_is_not_its_own_answer(void **state)
{
	(void)state;
	struct probe probe = probe_to("192.0.2.1", PACKET_UDP);
	probe.dport = probe.sport;
	struct made m = make(probe);
	assert_int_equal(score(&m.sent, m.bytes, m.len), 0);
	m.bytes[5] ^= 1;
	assert_int_equal(score(&m.sent, m.bytes, m.len), 2);
}

static void an_answer_to_another_address_does_not_fit(void **state)
{
	(void)state;
	struct made m = make(probe_to("198.51.100.1", PACKET_UDP)), r = swap(m);
	r.bytes[20] = 33434 >> 8;
	r.bytes[21] = 33434 & 0xff;
	r.bytes[22] = 40000 >> 8;
	r.bytes[23] = 40000 & 0xff;
	assert_int_equal(score(&m.sent, r.bytes, r.len), 2);
	r.bytes[19]++;
	assert_int_equal(score(&m.sent, r.bytes, r.len), 0);
}

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_error_fits_by_ip_id_and_by_tag),
		cmocka_unit_test(
		    four_octets_of_ports_are_enough_with_the_ip_id),
		cmocka_unit_test(over_ipv6_the_tag_alone_decides),
		cmocka_unit_test(a_quoted_reply_is_no_probe),
		cmocka_unit_test(an_echo_reply_fits_its_request),
		cmocka_unit_test(tcp_answers_fit_by_number),
		cmocka_unit_test(a_datagram_to_ourselves_is_not_its_own_answer),
		cmocka_unit_test(an_answer_to_another_address_does_not_fit),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
