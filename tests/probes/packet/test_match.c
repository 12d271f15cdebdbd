/* SPDX-License-Identifier: ISC */
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

static enum match_fit fit(
    const struct match_sent *sent, const void *bytes, size_t len)
{
	struct packet p;
	struct match_answer answer;
	int err = packet_decode_ip(&p, bytes, len, len);
	assert_true(err == 0 || err == ERR_TRUNCATED);
	if (p.src.family == 0 || !match_read(&answer, &p))
		return MATCH_OTHER;
	return match_fit(&answer, sent);
}

/* An ICMP error from a router that quotes so many octets of the packet. */
static enum match_fit fit_error(
    const struct match_sent *sent, const uint8_t *quote, size_t len)
{
	uint8_t e[256] = { 0x45, 0, 0, (uint8_t)(28 + len), 0, 0, 0, 0, 64, 1,
		0, 0, 203, 0, 113, 1, 192, 0, 2, 1, 11 };
	memcpy(e + 28, quote, len);
	return fit(sent, e, 28 + len);
}

static enum match_fit fit_error6(
    const struct match_sent *sent, const uint8_t *quote, size_t len)
{
	uint8_t e[256] = { 0x60, 0, 0, 0, 0, (uint8_t)(8 + len), 58, 64,
		0x20, [24] = 0x20, 0x01, 0x0d, 0xb8, [39] = 1, [40] = 3 };
	memcpy(e + 48, quote, len);
	return fit(sent, e, 48 + len);
}

static const uint8_t protos[] = { PACKET_ICMP, PACKET_UDP, PACKET_TCP };

static void an_error_fits_by_ip_id_and_by_tag(void **state)
{
	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct made m = make(probe_to("198.51.100.1", protos[i]));
		assert_int_equal(
		    fit_error(&m.sent, m.bytes, 28), MATCH_FITS_WELL);
		m.bytes[5] ^= 1; /* the IP ID */
		assert_int_equal(fit_error(&m.sent, m.bytes, 28), MATCH_WEAK);
		m.bytes[27] ^= 1; /* checksum, sequence number */
		assert_int_equal(
		    fit_error(&m.sent, m.bytes, 28), MATCH_CONTRADICTS);
		m.bytes[5] ^= 1;
		assert_int_equal(fit_error(&m.sent, m.bytes, 28),
		    protos[i] == PACKET_ICMP ? MATCH_CONTRADICTS : MATCH_WEAK);
		m.bytes[19] ^= 1; /* the destination */
		assert_int_equal(fit_error(&m.sent, m.bytes, 28), MATCH_OTHER);
	}
}

static void what_routers_may_change_in_a_quote_is_not_looked_at(void **state)
{
	(void)state;
	/* TOS and ECN, length, fragment bits, TTL, header checksum. */
	static const uint8_t mutable[] = { 1, 2, 3, 8, 10, 11 };
	for (size_t i = 0; i < 3; i++)
		for (size_t j = 0; j < sizeof(mutable); j++) {
			struct made m =
			    make(probe_to("198.51.100.1", protos[i]));
			m.bytes[mutable[j]] ^= 0x55;
			assert_int_equal(
			    fit_error(&m.sent, m.bytes, 28), MATCH_FITS_WELL);
		}
	struct made m = make(probe_to("2001:db8:9::1", PACKET_UDP));
	m.bytes[0] ^= 1; /* traffic class */
	m.bytes[7] = 0;  /* hop limit */
	assert_int_equal(fit_error6(&m.sent, m.bytes, m.len), MATCH_FITS_WELL);
	m.bytes[2] ^= 1; /* flow label: not to be changed, but it is */
	assert_int_equal(fit_error6(&m.sent, m.bytes, m.len), MATCH_FITS);
}

/* Each octet of the quote that is not a router's to change, altered alone, is
 * at best weak: none of them is ignored. */
static void no_octet_of_a_quote_is_ignored(void **state)
{
	(void)state;
	static const bool mutable[28] = { [1] = 1,
		[2] = 1,
		[3] = 1,
		[6] = 1,
		[7] = 1,
		[8] = 1,
		[10] = 1,
		[11] = 1 };
	for (size_t i = 0; i < 3; i++)
		for (size_t at = 0; at < 28; at++) {
			struct made m =
			    make(probe_to("198.51.100.1", protos[i]));
			if (mutable[at])
				continue;
			m.bytes[at] ^= 0x40;
			assert_in_range(fit_error(&m.sent, m.bytes, 28),
			    MATCH_OTHER, MATCH_WEAK);
		}
}

static void a_cut_quote_fits_as_far_as_it_goes(void **state)
{
	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct made m = make(probe_to("198.51.100.1", protos[i]));
		for (size_t len = 0; len < 20; len++)
			assert_int_equal(
			    fit_error(&m.sent, m.bytes, len), MATCH_OTHER);
		bool echo = protos[i] == PACKET_ICMP;
		for (size_t len = 20; len < 24; len++)
			assert_int_equal(
			    fit_error(&m.sent, m.bytes, len), MATCH_WEAK);
		for (size_t len = 24; len < 28; len++)
			assert_int_equal(fit_error(&m.sent, m.bytes, len),
			    echo ? MATCH_WEAK : MATCH_FITS);
		for (size_t at = 4; at < 20; at += 5) { /* ID, protocol,
							   source, target */
			m.bytes[at] ^= 1;
			for (size_t len = 20; len < 25; len++)
				assert_in_range(
				    fit_error(&m.sent, m.bytes, len),
				    MATCH_OTHER, MATCH_CONTRADICTS);
			m.bytes[at] ^= 1;
		}
		m.bytes[23] ^= 1; /* of an echo: its sum; else a port */
		assert_in_range(fit_error(&m.sent, m.bytes, 24), MATCH_OTHER,
		    MATCH_CONTRADICTS);
		m = make(probe_to("2001:db8:9::1", protos[i]));
		for (size_t len = 0; len < 48; len++)
			assert_in_range(fit_error6(&m.sent, m.bytes, len),
			    MATCH_OTHER, MATCH_CONTRADICTS);
	}
}

static void over_ipv6_the_tag_alone_decides(void **state)
{
	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct made m = make(probe_to("2001:db8:9::1", protos[i]));
		assert_int_equal(
		    fit_error6(&m.sent, m.bytes, m.len), MATCH_FITS_WELL);
		m.bytes[8] ^= 1; /* a prefix translated, RFC 6296 */
		assert_int_equal(
		    fit_error6(&m.sent, m.bytes, m.len), MATCH_FITS);
		m.bytes[47] ^= 1;
		assert_int_equal(
		    fit_error6(&m.sent, m.bytes, m.len), MATCH_CONTRADICTS);
	}
}

static void over_ipv6_a_translated_source_must_add_up(void **state)
{
	(void)state;
	struct addr outside = addr("2600:7::77");
	for (size_t i = 0; i < 3; i++)
		for (uint32_t port = 1; port < 0x10000; port += 4111) {
			struct probe probe =
			    probe_to("2001:db8:9::1", protos[i]);
			struct made m = make(probe), t = m;
			probe.sport = probe.icmp_id = (uint16_t)port;
			assert_true(probe_build(builder, &probe, &outside,
					t.bytes, sizeof(t.bytes), NULL) > 0);
			assert_int_equal(
			    fit_error6(&m.sent, t.bytes, t.len), MATCH_WEAK);
			t.bytes[47] ^= 1; /* the sum, or the number */
			assert_int_equal(fit_error6(&m.sent, t.bytes, t.len),
			    MATCH_CONTRADICTS);
		}
}

/* The probe as it looked behind a translator. */
static struct made translate(
    struct made m, const struct probe *probe, uint16_t port)
{
	struct probe outside = *probe;
	struct made t = m;
	struct addr src = addr("203.0.113.77");
	if (outside.proto == PACKET_ICMP)
		outside.icmp_id = port;
	else
		outside.sport = port;
	assert_true(probe_build(builder, &outside, &src, t.bytes,
			sizeof(t.bytes), NULL) > 0);
	return t;
}

static void a_quote_with_a_translated_source_must_add_up(void **state)
{
	(void)state;
	for (size_t i = 0; i < 3; i++)
		for (uint32_t port = 1; port < 0x10000; port += 4111) {
			struct probe probe =
			    probe_to("198.51.100.1", protos[i]);
			struct made m = make(probe);
			struct made t = translate(m, &probe, (uint16_t)port);
			assert_int_equal(
			    fit_error(&m.sent, t.bytes, 28), MATCH_WEAK);
			t.bytes[27] ^= 1; /* the sum, or the number */
			assert_int_equal(
			    fit_error(&m.sent, t.bytes, 28), MATCH_CONTRADICTS);
			t.bytes[27] ^= 1;
			t.bytes[5] ^= 1; /* the IP ID */
			assert_int_equal(
			    fit_error(&m.sent, t.bytes, 28), MATCH_CONTRADICTS);
			t.bytes[5] ^= 1;
			assert_int_equal(
			    fit_error(&m.sent, t.bytes, 24), MATCH_CONTRADICTS);
		}
}

/* Who does not see the probe knows the target and guesses the rest: what it
 * can say of a probe whose source port it does not know. */
static void a_guess_that_misses_the_port_does_not_fit(void **state)
{
	(void)state;
	struct probe probe = probe_to("198.51.100.1", PACKET_UDP);
	struct made m = make(probe);
	for (uint32_t port = 1; port < 0x10000; port++) {
		probe.sport = (uint16_t)port;
		struct made guess = make(probe);
		memcpy(guess.bytes + 26, m.bytes + 26, 2); /* our checksum */
		if (port != 40000)
			assert_int_equal(fit_error(&m.sent, guess.bytes, 28),
			    MATCH_CONTRADICTS);
	}
}

static void a_quoted_reply_is_no_probe(void **state)
{
	(void)state;
	struct made m = make(probe_to("198.51.100.1", PACKET_ICMP));
	m.bytes[20] = 0; /* echo reply */
	assert_int_equal(fit_error(&m.sent, m.bytes, 28), MATCH_OTHER);
}

static void an_error_to_another_address_does_not_fit(void **state)
{
	(void)state;
	struct made m = make(probe_to("198.51.100.1", PACKET_UDP));
	m.sent.src = addr("192.0.2.2");
	assert_int_equal(fit_error(&m.sent, m.bytes, 28), MATCH_OTHER);
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

/* The reply to an echo request, by its checksum too. */
static struct made echo_reply(struct made m)
{
	bool v6 = m.bytes[0] >> 4 == 6;
	size_t at = v6 ? 40 : 20;
	struct made r = swap(m);
	r.bytes[at] = v6 ? 129 : 0;
	uint32_t sum = (uint32_t)(r.bytes[at + 2] << 8 | r.bytes[at + 3]);
	sum += v6 ? 0xfeff : 0x0800;
	sum = (sum & 0xffff) + (sum >> 16);
	r.bytes[at + 2] = (uint8_t)(sum >> 8);
	r.bytes[at + 3] = (uint8_t)sum;
	return r;
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
			struct made m = make(probe), r = echo_reply(m);
			assert_int_equal(
			    fit(&m.sent, r.bytes, r.len), MATCH_FITS_WELL);
			r.bytes[at + 3] ^= 4; /* another payload */
			assert_int_equal(
			    fit(&m.sent, r.bytes, r.len), MATCH_CONTRADICTS);
			r.bytes[at + 3] ^= 4;
			r.bytes[at + 7] ^= 1; /* another number */
			assert_int_equal(
			    fit(&m.sent, r.bytes, r.len), MATCH_CONTRADICTS);
			r.bytes[at + 7] ^= 1;
			r.bytes[at + 5] ^= 1; /* another id */
			assert_int_equal(
			    fit(&m.sent, r.bytes, r.len), MATCH_OTHER);
		}
	}
}

/* Over IPv6 the addresses are in the sum. */
static void an_echo_reply_from_elsewhere_fits_by_its_own_sum(void **state)
{
	(void)state;
	struct made m = make(probe_to("2001:db8:9::1", PACKET_ICMP));
	struct made r = echo_reply(m);
	struct packet p;
	struct match_answer answer;
	r.bytes[23] ^= 2; /* its source, 2001:db8:9::3 */
	r.bytes[43] = (uint8_t)(r.bytes[43] - 2);
	assert_int_equal(packet_decode_ip(&p, r.bytes, r.len, r.len), 0);
	assert_true(match_read(&answer, &p));
	assert_int_equal(match_fit(&answer, &m.sent), MATCH_OTHER);
	answer.flow.dst = m.sent.flow.dst; /* as one from anywhere is asked */
	assert_int_equal(match_fit(&answer, &m.sent), MATCH_FITS_WELL);
	answer.checksum ^= 1;
	assert_int_equal(match_fit(&answer, &m.sent), MATCH_CONTRADICTS);
}

static void a_redirect_of_ipv6_quotes_in_an_option(void **state)
{
	(void)state;
	struct made m = make(probe_to("2001:db8:9::1", PACKET_UDP));
	uint8_t e[256] = { 0x60, [5] = (uint8_t)(48 + 8 + m.len), 58, 255, 0xfe,
		0x80, [23] = 1, 0x20, 0x01, 0x0d,
		0xb8, [39] = 1, [40] = 137, [80] = 2,
		1, /* a link-layer address before it */
		[88] = 4, (uint8_t)(1 + (m.len + 7) / 8) };
	memcpy(e + 96, m.bytes, m.len);
	assert_int_equal(fit(&m.sent, e, 96 + m.len), MATCH_FITS_WELL);
	e[81] = 0; /* a length that leads nowhere */
	assert_int_equal(fit(&m.sent, e, 96 + m.len), MATCH_OTHER);
	e[81] = 200;
	assert_int_equal(fit(&m.sent, e, 96 + m.len), MATCH_OTHER);
}

static void the_first_fragment_of_an_error_quotes(void **state)
{
	(void)state;
	struct made m = make(probe_to("198.51.100.1", PACKET_UDP));
	uint8_t e[256] = { 0x45, 0, 0, (uint8_t)(28 + m.len), 0, 9, 0x20, 0, 64,
		1, 0, 0, 203, 0, 113, 1, 192, 0, 2, 1, 11 };
	memcpy(e + 28, m.bytes, m.len);
	assert_int_equal(fit(&m.sent, e, 28 + m.len), MATCH_FITS_WELL);
	e[7] = 8;
	assert_int_equal(fit(&m.sent, e, 28 + m.len), MATCH_OTHER);
}

static void a_host_may_return_the_beginning_of_a_payload(void **state)
{
	(void)state;
	struct made m = make(probe_to("198.51.100.1", PACKET_ICMP));
	struct made r = echo_reply(m);
	r.bytes[3] -= 2;
	assert_int_equal(fit(&m.sent, r.bytes, r.len - 2), MATCH_FITS);
	r.bytes[3] += 4; /* but not more than was sent */
	assert_int_equal(fit(&m.sent, r.bytes, r.len + 2), MATCH_CONTRADICTS);
}

static enum match_fit fit_tcp(
    const struct match_sent *sent, uint8_t flags, uint32_t seq, uint32_t ack)
{
	uint8_t r[40] = { 0x45, 0, 0, 40, 0, 0, 0, 0, 64, 6, 0, 0, 198, 51, 100,
		1, 192, 0, 2, 1, 33434 >> 8, 33434 & 0xff, 40000 >> 8,
		40000 & 0xff, (uint8_t)(seq >> 24), (uint8_t)(seq >> 16),
		(uint8_t)(seq >> 8), (uint8_t)seq, (uint8_t)(ack >> 24),
		(uint8_t)(ack >> 16), (uint8_t)(ack >> 8), (uint8_t)ack, 0x50,
		flags };
	return fit(sent, r, sizeof(r));
}

enum { SYN = PACKET_TCP_SYN, RST = PACKET_TCP_RST, ACK = PACKET_TCP_ACK };

static void answers_to_a_syn_acknowledge_it(void **state)
{
	(void)state;
	struct made m = make(probe_to("198.51.100.1", PACKET_TCP));
	uint32_t end = 0xfffffff0u + 4 + 1; /* payload and SYN */
	assert_int_equal(fit_tcp(&m.sent, SYN | ACK, 1, end), MATCH_FITS_WELL);
	assert_int_equal(fit_tcp(&m.sent, RST | ACK, 0, end), MATCH_FITS_WELL);
	assert_int_equal(fit_tcp(&m.sent, RST | ACK, 0, end - 4), MATCH_FITS);
	static const uint32_t wrong[] = { 1, -1u, -2u, -3u, -5u, -6u,
		1u << 31 };
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
		assert_int_equal(fit_tcp(&m.sent, SYN | ACK, 1, end + wrong[i]),
		    MATCH_CONTRADICTS);
	/* RFC 9293: a reset of what acknowledged nothing acknowledges it. */
	assert_int_equal(fit_tcp(&m.sent, RST, 555, 0), MATCH_CONTRADICTS);
	assert_int_equal(fit_tcp(&m.sent, RST, 0, 0), MATCH_CONTRADICTS);
	assert_int_equal(fit_tcp(&m.sent, ACK, 1, end), MATCH_CONTRADICTS);
	assert_int_equal(fit_tcp(&m.sent, SYN, 1, end), MATCH_OTHER);
}

static void the_reset_of_an_ack_has_its_number(void **state)
{
	(void)state;
	struct probe probe = probe_to("198.51.100.1", PACKET_TCP);
	probe.tcp_flags = ACK;
	struct made m = make(probe);
	assert_int_equal(fit_tcp(&m.sent, RST, 555, 0), MATCH_FITS_WELL);
	assert_int_equal(fit_tcp(&m.sent, RST, 556, 0), MATCH_CONTRADICTS);
	assert_int_equal(fit_tcp(&m.sent, RST, 0, 0), MATCH_CONTRADICTS);
	assert_int_equal(
	    fit_tcp(&m.sent, RST | ACK, 0, 0xfffffff0u + 4), MATCH_FITS_WELL);
}

static void answers_to_data_acknowledge_it_and_go_on(void **state)
{
	(void)state;
	enum { FIN = PACKET_TCP_FIN, PSH = PACKET_TCP_PSH };
	struct probe probe = probe_to("198.51.100.1", PACKET_TCP);
	probe.tcp_flags = PSH | ACK;
	probe.tcp_window = 1000;
	struct made m = make(probe);
	uint32_t end = 0xfffffff0u + 4;
	assert_int_equal(fit_tcp(&m.sent, ACK, 555, end), MATCH_FITS_WELL);
	assert_int_equal(
	    fit_tcp(&m.sent, PSH | ACK, 555 + 1000, end), MATCH_FITS_WELL);
	assert_int_equal(
	    fit_tcp(&m.sent, FIN | ACK, 556, end), MATCH_FITS_WELL);
	assert_int_equal(fit_tcp(&m.sent, RST, 555, 0), MATCH_FITS_WELL);
	/* Behind the window, before it, another segment's, a SYN-ACK again. */
	assert_int_equal(
	    fit_tcp(&m.sent, ACK, 555 + 1001, end), MATCH_CONTRADICTS);
	assert_int_equal(fit_tcp(&m.sent, ACK, 554, end), MATCH_CONTRADICTS);
	assert_int_equal(
	    fit_tcp(&m.sent, ACK, 555, end - 1), MATCH_CONTRADICTS);
	assert_int_equal(
	    fit_tcp(&m.sent, SYN | ACK, 554, end - 4), MATCH_CONTRADICTS);
	assert_int_equal(fit_tcp(&m.sent, FIN, 555, 0), MATCH_OTHER);
}

/* "It has arrived" is worth less than what it answers. */
static void a_receipt_is_not_the_last_word(void **state)
{
	(void)state;
	struct probe probe = probe_to("198.51.100.1", PACKET_TCP);
	probe.tcp_flags = ACK;
	struct made m = make(probe);
	struct packet reply = {
		.src = probe.dst, .proto = PACKET_TCP, .tcp_flags = ACK
	};
	struct outcome o = match_outcome(&m.sent, &reply, false, false);
	assert_int_equal(o.outcome, SONDE__OUTCOME__OUTCOME_ANSWERED);
	assert_true(o.reached);
	assert_false(o.conclusive);
	enum outcome_rank receipt = o.rank;
	reply.tcp_flags = ACK | PACKET_TCP_FIN;
	o = match_outcome(&m.sent, &reply, false, false);
	assert_true(o.conclusive && o.rank > receipt);
	reply.tcp_flags = ACK;
	reply.payload_wire_len = 1;
	o = match_outcome(&m.sent, &reply, false, false);
	assert_true(o.conclusive && o.rank > receipt);
	reply.payload_wire_len = 0;
	m.sent.len = 0; /* to what carried nothing there is no more to say */
	o = match_outcome(&m.sent, &reply, false, false);
	assert_true(o.conclusive && o.rank > receipt);
}

static void a_datagram_to_ourselves_is_not_its_own_answer(void **state)
{
	(void)state;
	struct probe probe = probe_to("192.0.2.1", PACKET_UDP);
	probe.dport = probe.sport;
	struct made m = make(probe);
	assert_int_equal(fit(&m.sent, m.bytes, m.len), MATCH_OTHER);
	m.bytes[5] ^= 1;
	assert_int_equal(fit(&m.sent, m.bytes, m.len), MATCH_FITS);
}

static struct made udp_reply(struct made m)
{
	struct made r = swap(m);
	uint8_t port[2];
	memcpy(port, r.bytes + 20, 2);
	memcpy(r.bytes + 20, r.bytes + 22, 2);
	memcpy(r.bytes + 22, port, 2);
	return r;
}

static void a_datagram_fits_by_both_addresses_and_ports(void **state)
{
	(void)state;
	struct made m = make(probe_to("198.51.100.1", PACKET_UDP));
	struct made r = udp_reply(m);
	assert_int_equal(fit(&m.sent, r.bytes, r.len), MATCH_FITS);
	for (size_t at = 12; at < 24; at++) {
		r.bytes[at] ^= 1;
		assert_int_equal(fit(&m.sent, r.bytes, r.len), MATCH_OTHER);
		r.bytes[at] ^= 1;
	}
}

static enum match_fit fit_elsewhere(
    const struct match_sent *sent, const void *bytes, size_t len)
{
	struct packet p;
	struct match_answer answer;
	assert_int_equal(packet_decode_ip(&p, bytes, len, len), 0);
	assert_true(match_read(&answer, &p));
	return match_fit_elsewhere(&answer, sent);
}

static void a_datagram_from_elsewhere_has_port_or_address_or_proof(void **state)
{
	(void)state;
	static const struct {
		bool port, address;
		enum match_fit plain, declared;
	} cases[] = {
		{ true, false, MATCH_FITS, MATCH_FITS_WELL },
		{ false, true, MATCH_FITS, MATCH_FITS_WELL },
		{ true, true, MATCH_OTHER, MATCH_FITS_WELL },
	};
	struct probe probe = probe_to("198.51.100.1", PACKET_UDP);
	for (size_t i = 0; i < 3; i++) {
		probe.answer_len = 0;
		struct made m = make(probe);
		struct made r = udp_reply(m);
		r.bytes[21] ^= cases[i].port;
		r.bytes[15] ^= cases[i].address;
		assert_int_equal(
		    fit_elsewhere(&m.sent, r.bytes, r.len), cases[i].plain);
		r.bytes[23] ^= 1; /* to a port that it is not from */
		assert_int_equal(
		    fit_elsewhere(&m.sent, r.bytes, r.len), MATCH_OTHER);
		r.bytes[23] ^= 1;
		probe.answer_len = 4; /* zeros, as the payload is */
		m = make(probe);
		assert_int_equal(
		    fit_elsewhere(&m.sent, r.bytes, r.len), cases[i].declared);
		r.bytes[29] ^= 1;
		assert_int_equal(
		    fit_elsewhere(&m.sent, r.bytes, r.len), MATCH_OTHER);
	}
}

static void own_datagrams_between_other_ports_answer_nothing(void **state)
{
	(void)state;
	struct probe probe = probe_to("192.0.2.1", PACKET_UDP);
	struct made m = make(probe);
	probe.dport = probe.sport;
	probe.sport++;
	probe.ip_id++;
	struct made other = make(probe);
	assert_int_equal(
	    fit_elsewhere(&m.sent, other.bytes, other.len), MATCH_OTHER);
}

/* A fragment that does not begin its datagram shows no port. */
static void later_fragments_answer_nothing(void **state)
{
	(void)state;
	struct made m = make(probe_to("198.51.100.1", PACKET_UDP));
	struct made r = udp_reply(m);
	r.bytes[6] = 0;
	r.bytes[7] = 1;
	assert_int_equal(fit(&m.sent, r.bytes, r.len), MATCH_OTHER);
}

static void the_past_knows_what_was_sent(void **state)
{
	(void)state;
	static struct match_past past;
	struct match_answer answer;
	struct packet p;
	struct made m = make(probe_to("198.51.100.1", PACKET_UDP));
	struct made r = udp_reply(m), e = make(probe_to("9.9.9.9", 1));
	struct made again = echo_reply(e);
	assert_int_equal(packet_decode_ip(&p, r.bytes, r.len, r.len), 0);
	assert_true(match_read(&answer, &p));
	assert_false(match_past_has(&past, &answer, 7));
	match_past_add(&past, &m.sent, 7);
	assert_true(match_past_has(&past, &answer, 7));
	assert_false(match_past_has(&past, &answer, 8));
	answer.flow.sport++;
	assert_false(match_past_has(&past, &answer, 7));
	match_past_add(&past, &e.sent, 7);
	packet_decode_ip(&p, again.bytes, again.len, again.len);
	assert_true(match_read(&answer, &p));
	assert_true(match_past_has(&past, &answer, 7));
	answer.tag++; /* a number that was never sent */
	assert_false(match_past_has(&past, &answer, 7));
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
		    what_routers_may_change_in_a_quote_is_not_looked_at),
		cmocka_unit_test(no_octet_of_a_quote_is_ignored),
		cmocka_unit_test(a_cut_quote_fits_as_far_as_it_goes),
		cmocka_unit_test(over_ipv6_the_tag_alone_decides),
		cmocka_unit_test(over_ipv6_a_translated_source_must_add_up),
		cmocka_unit_test(a_quote_with_a_translated_source_must_add_up),
		cmocka_unit_test(a_guess_that_misses_the_port_does_not_fit),
		cmocka_unit_test(a_quoted_reply_is_no_probe),
		cmocka_unit_test(an_error_to_another_address_does_not_fit),
		cmocka_unit_test(an_echo_reply_fits_its_request),
		cmocka_unit_test(
		    an_echo_reply_from_elsewhere_fits_by_its_own_sum),
		cmocka_unit_test(a_redirect_of_ipv6_quotes_in_an_option),
		cmocka_unit_test(the_first_fragment_of_an_error_quotes),
		cmocka_unit_test(a_host_may_return_the_beginning_of_a_payload),
		cmocka_unit_test(answers_to_a_syn_acknowledge_it),
		cmocka_unit_test(the_reset_of_an_ack_has_its_number),
		cmocka_unit_test(answers_to_data_acknowledge_it_and_go_on),
		cmocka_unit_test(a_receipt_is_not_the_last_word),
		cmocka_unit_test(a_datagram_to_ourselves_is_not_its_own_answer),
		cmocka_unit_test(a_datagram_fits_by_both_addresses_and_ports),
		cmocka_unit_test(
		    a_datagram_from_elsewhere_has_port_or_address_or_proof),
		cmocka_unit_test(
		    own_datagrams_between_other_ports_answer_nothing),
		cmocka_unit_test(later_fragments_answer_nothing),
		cmocka_unit_test(the_past_knows_what_was_sent),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
