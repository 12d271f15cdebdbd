/* SPDX-License-Identifier: ISC */
/*
 * The filter on a socket pair of this process: the kernel runs it over
 * whatever is written, as it does over packets.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "probes/net/live/live-filter.h"
#include "lib/packet/packet.h"

static int ends[2];
static struct live_filter filter;

static int setup(void **state)
{
	(void)state;
	if (socketpair(AF_UNIX, SOCK_DGRAM, 0, ends) != 0)
		return -1;
	return live_filter_open(&filter, ends[0], LIVE_FILTER_IP);
}

static int teardown(void **state)
{
	(void)state;
	close(ends[0]);
	close(ends[1]);
	return 0;
}

/* An IP packet: what precedes its upper header, and where that is. */
struct made {
	uint8_t bytes[128];
	size_t upper, len;
};

static struct made make(int family, uint8_t proto, size_t options)
{
	struct made m = { .upper = 40, .len = 80 };
	if (family == 6) {
		m.bytes[0] = 0x60;
		m.bytes[6] = proto;
		return m;
	}
	m.upper = 20 + options;
	m.bytes[0] = (uint8_t)(0x40 | m.upper / 4);
	m.bytes[6] = 0x40; /* do not fragment */
	m.bytes[9] = proto;
	return m;
}

static struct made with_ports(
    int family, uint8_t proto, uint16_t sport, uint16_t dport, size_t options)
{
	struct made m = make(family, proto, options);
	uint8_t *upper = m.bytes + m.upper;
	upper[0] = (uint8_t)(sport >> 8);
	upper[1] = (uint8_t)sport;
	upper[2] = (uint8_t)(dport >> 8);
	upper[3] = (uint8_t)dport;
	upper[13] = PACKET_TCP_RST | PACKET_TCP_ACK;
	return m;
}

static struct made icmp(int family, uint8_t type, uint16_t id)
{
	struct made m =
	    make(family, family == 6 ? PACKET_ICMP6 : PACKET_ICMP, 0);
	m.bytes[m.upper] = type;
	m.bytes[m.upper + 4] = (uint8_t)(id >> 8);
	m.bytes[m.upper + 5] = (uint8_t)id;
	return m;
}

static bool passes(struct made m)
{
	uint8_t got[128];
	/* A filtered datagram is dropped without an error. */
	(void)send(ends[1], m.bytes, m.len, MSG_DONTWAIT);
	ssize_t n = recv(ends[0], got, sizeof(got), MSG_DONTWAIT);
	if (n < 0)
		return false;
	assert_int_equal(n, m.len);
	return true;
}

static void admit(struct made m)
{
	assert_int_equal(live_filter_admit(&filter, m.bytes, m.len), 0);
}

static void at_first_nothing_passes(void **state)
{
	(void)state;
	assert_false(passes(with_ports(4, PACKET_UDP, 53, 40000, 0)));
	assert_false(passes(with_ports(4, PACKET_TCP, 80, 40000, 0)));
	assert_false(passes(icmp(4, 11, 0)));
	assert_false(passes(icmp(6, 129, 7)));
}

static void replies_to_ports_in_use_pass(void **state)
{
	(void)state;
	static const uint8_t protos[] = { PACKET_UDP, PACKET_TCP };
	for (int i = 0; i < 2; i++)
		for (int family = 4; family <= 6; family += 2) {
			uint8_t p = protos[i];
			live_filter_forget(&filter);
			admit(with_ports(family, p, 40000, 80, 0));
			assert_true(passes(with_ports(4, p, 80, 40000, 0)));
			assert_true(passes(with_ports(4, p, 80, 40000, 20)));
			assert_true(passes(with_ports(6, p, 80, 40000, 0)));
			/* Its own way there, other ports or protocol. */
			assert_false(passes(with_ports(4, p, 40000, 80, 0)));
			assert_false(passes(with_ports(4, p, 80, 41000, 0)));
			assert_false(passes(with_ports(6, p, 80, 39000, 0)));
			assert_false(
			    passes(with_ports(4, protos[!i], 80, 40000, 0)));
		}
}

static void ranges_grow_by_what_is_sent(void **state)
{
	(void)state;
	uint16_t low = UINT16_MAX, high = 0;
	srand(3);
	for (int i = 0; i < 200; i++) {
		uint16_t port = (uint16_t)(20000 + rand() % 30000);
		low = port < low ? port : low;
		high = port > high ? port : high;
		admit(with_ports(4, PACKET_UDP, port, 53, 0));
		assert_true(passes(with_ports(4, PACKET_UDP, 53, low, 0)));
		assert_true(passes(with_ports(4, PACKET_UDP, 53, high, 0)));
	}
	assert_false(passes(with_ports(4, PACKET_UDP, 1900, 1900, 0)));
	live_filter_forget(&filter);
	assert_false(passes(with_ports(4, PACKET_UDP, 53, low, 0)));
}

static void the_ends_of_the_port_range_are_ports(void **state)
{
	(void)state;
	admit(with_ports(4, PACKET_UDP, 0, 53, 0));
	assert_true(passes(with_ports(4, PACKET_UDP, 53, 0, 0)));
	admit(with_ports(4, PACKET_UDP, 65535, 53, 0));
	assert_true(passes(with_ports(4, PACKET_UDP, 53, 65535, 0)));
	assert_true(passes(with_ports(4, PACKET_UDP, 53, 30000, 0)));
}

static void of_tcp_only_answers_pass(void **state)
{
	(void)state;
	struct made syn = with_ports(4, PACKET_TCP, 40000, 80, 0);
	syn.bytes[syn.upper + 13] = PACKET_TCP_SYN;
	admit(syn);
	for (unsigned flags = 0; flags < 256; flags++) {
		struct made m = with_ports(4, PACKET_TCP, 80, 40000, 0);
		m.bytes[m.upper + 13] = (uint8_t)flags;
		assert_int_equal(passes(m),
		    (flags & (PACKET_TCP_SYN | PACKET_TCP_RST)) != 0);
	}
}

/* What acknowledges something may be answered by more than a reset. */
static void of_tcp_that_was_acknowledged_segments_pass(void **state)
{
	(void)state;
	enum { SYN = PACKET_TCP_SYN, RST = PACKET_TCP_RST };
	struct made probe = with_ports(4, PACKET_TCP, 40000, 80, 0);
	probe.bytes[probe.upper + 13] = PACKET_TCP_ACK;
	admit(probe);
	for (unsigned flags = 0; flags < 256; flags++) {
		struct made m = with_ports(4, PACKET_TCP, 80, 40000, 0);
		m.bytes[m.upper + 13] = (uint8_t)flags;
		assert_int_equal(
		    passes(m), (flags & (SYN | RST | PACKET_TCP_ACK)) != 0);
	}
	live_filter_forget(&filter);
	probe.bytes[probe.upper + 13] = SYN;
	admit(probe);
	struct made m = with_ports(4, PACKET_TCP, 80, 40000, 0);
	m.bytes[m.upper + 13] = PACKET_TCP_ACK;
	assert_false(passes(m));
}

/* The same judgement as the decoder's. */
static void all_icmp_errors_pass_and_nothing_else(void **state)
{
	(void)state;
	admit(with_ports(4, PACKET_UDP, 40000, 33434, 0));
	for (int family = 4; family <= 6; family += 2)
		for (unsigned type = 0; type < 256; type++) {
			struct made m = icmp(family, (uint8_t)type, 9);
			struct packet p = { .src.family = (uint8_t)family,
				.proto =
				    family == 6 ? PACKET_ICMP6 : PACKET_ICMP,
				.icmp_type = (uint8_t)type };
			bool known = family == 4 || type <= 4 || type == 137;
			assert_int_equal(
			    passes(m), known && packet_is_icmp_error(&p));
		}
}

static void echo_replies_pass_by_their_id(void **state)
{
	(void)state;
	for (int family = 4; family <= 6; family += 2) {
		live_filter_forget(&filter);
		admit(icmp(family, family == 6 ? 128 : 8, 5000));
		assert_true(passes(icmp(4, 0, 5000)));
		assert_true(passes(icmp(6, 129, 5000)));
		assert_false(passes(icmp(4, 8, 5000)));
		assert_false(passes(icmp(6, 128, 5000)));
		assert_false(passes(icmp(4, 0, 6000)));
		assert_true(passes(icmp(4, 11, 0)));
	}
}

static void fragments_and_stumps_do_not_pass(void **state)
{
	(void)state;
	admit(with_ports(4, PACKET_UDP, 40000, 53, 0));
	struct made m = with_ports(4, PACKET_UDP, 53, 40000, 0);
	m.bytes[7] = 1; /* a later fragment */
	assert_false(passes(m));
	m.bytes[7] = 0;
	m.bytes[6] = 0x20; /* the first of several */
	assert_true(passes(m));
	for (m.len = 1; m.len < 24; m.len++)
		assert_false(passes(m));
	m.bytes[0] = 0x50; /* a version that is none */
	m.len = 80;
	assert_false(passes(m));
}

/* As raw sockets see them: of IPv6 only what is behind the IP header. */
static void a_socket_of_one_protocol_hears_its_answers(void **state)
{
	(void)state;
	static const struct {
		enum live_filter_form form;
		int family;
		bool icmp, udp, tcp;
	} forms[] = {
		{ LIVE_FILTER_ICMP, 4, true, false, false },
		{ LIVE_FILTER_UDP, 4, false, true, false },
		{ LIVE_FILTER_TCP, 4, false, false, true },
		{ LIVE_FILTER_ICMP6, 6, true, false, false },
		{ LIVE_FILTER_UDP6, 6, false, true, false },
		{ LIVE_FILTER_TCP6, 6, false, false, true },
	};
	for (size_t i = 0; i < sizeof(forms) / sizeof(*forms); i++) {
		bool six = forms[i].family == 6;
		size_t cut = six ? 40 : 0;
		struct made m[] = { icmp(forms[i].family, six ? 3 : 11, 0),
			with_ports(forms[i].family, PACKET_UDP, 53, 40000, 0),
			with_ports(forms[i].family, PACKET_TCP, 80, 40000, 0),
			icmp(forms[i].family, six ? 129 : 0, 5000) };
		bool heard[] = { forms[i].icmp, forms[i].udp, forms[i].tcp,
			forms[i].icmp };
		int f = forms[i].family;
		assert_int_equal(
		    live_filter_open(&filter, ends[0], forms[i].form), 0);
		assert_false(live_filter_listens(&filter));
		admit(with_ports(f, PACKET_UDP, 40000, 53, 0));
		admit(with_ports(f, PACKET_TCP, 40000, 80, 0));
		assert_true(live_filter_listens(&filter));
		admit(icmp(f, six ? 128 : 8, 5000));
		for (size_t k = 0; k < 4; k++) {
			memmove(m[k].bytes, m[k].bytes + cut,
			    sizeof(m[k].bytes) - cut);
			m[k].len -= cut;
			/* The kernel gives it nothing of another protocol. */
			if (heard[k])
				assert_true(passes(m[k]));
		}
		live_filter_forget(&filter);
		assert_false(live_filter_listens(&filter));
		for (size_t k = 0; k < 4; k++)
			assert_false(passes(m[k]));
	}
}

/* A UDP probe makes the kernel change no filter but those that it concerns. */
static void a_filter_is_changed_only_for_what_it_hears(void **state)
{
	(void)state;
	assert_int_equal(
	    live_filter_open(&filter, ends[0], LIVE_FILTER_TCP), 0);
	admit(with_ports(4, PACKET_UDP, 40000, 53, 0));
	assert_false(live_filter_listens(&filter));
	assert_int_equal(
	    live_filter_open(&filter, ends[0], LIVE_FILTER_ICMP), 0);
	admit(with_ports(4, PACKET_UDP, 40000, 53, 0));
	assert_true(passes(icmp(4, 11, 0)));
	assert_false(passes(icmp(4, 0, 40000)));
}

/* A packet of IPv6 with an extension header of so many octets before its
 * upper one. */
static struct made extended(struct made m, uint8_t extension, size_t len)
{
	memmove(m.bytes + 40 + len, m.bytes + 40, sizeof(m.bytes) - 40 - len);
	memset(m.bytes + 40, 0, len);
	m.bytes[40] = m.bytes[6];
	m.bytes[41] = (uint8_t)(extension == 44 ? 0 : len / 8 - 1);
	m.bytes[6] = extension;
	m.len += len;
	return m;
}

static void one_extension_header_is_looked_through(void **state)
{
	(void)state;
	static const uint8_t extensions[] = { 0, 43, 44, 60 };
	admit(with_ports(4, PACKET_UDP, 40000, 53, 0));
	admit(icmp(6, 128, 5000));
	struct made udp = with_ports(6, PACKET_UDP, 53, 40000, 0);
	struct made other = with_ports(6, PACKET_UDP, 53, 41000, 0);
	for (size_t i = 0; i < sizeof(extensions); i++) {
		uint8_t e = extensions[i];
		for (size_t len = 8; len <= 24; len += 8) {
			if (e == 44 && len > 8)
				break;
			assert_true(passes(extended(udp, e, len)));
			assert_false(passes(extended(other, e, len)));
			assert_true(passes(extended(icmp(6, 3, 0), e, len)));
			assert_true(
			    passes(extended(icmp(6, 129, 5000), e, len)));
			assert_false(
			    passes(extended(icmp(6, 129, 6000), e, len)));
		}
	}
	struct made later = extended(udp, 44, 8);
	later.bytes[43] = 1; /* more follow, and it is the first */
	assert_true(passes(later));
	later.bytes[43] = 8;
	assert_false(passes(later));
	assert_false(passes(extended(udp, 51, 16)));
}

/* The first is the outer one. */
static struct made extended_twice(
    struct made m, uint8_t first, uint8_t second, size_t len)
{
	return extended(extended(m, second, second == 44 ? 8 : len), first,
	    first == 44 ? 8 : len);
}

static void two_extension_headers_are_looked_through(void **state)
{
	(void)state;
	static const uint8_t extensions[] = { 0, 43, 44, 60 };
	admit(with_ports(4, PACKET_UDP, 40000, 53, 0));
	admit(icmp(6, 128, 5000));
	struct made udp = with_ports(6, PACKET_UDP, 53, 40000, 0);
	struct made other = with_ports(6, PACKET_UDP, 53, 41000, 0);
	for (size_t i = 0; i < 16; i++) {
		uint8_t a = extensions[i / 4], b = extensions[i % 4];
		for (size_t len = 8; len <= 24; len += 8) {
			assert_true(passes(extended_twice(udp, a, b, len)));
			assert_false(passes(extended_twice(other, a, b, len)));
			assert_true(
			    passes(extended_twice(icmp(6, 3, 0), a, b, len)));
			assert_true(passes(
			    extended_twice(icmp(6, 129, 5000), a, b, len)));
			assert_false(passes(
			    extended_twice(icmp(6, 129, 6000), a, b, len)));
		}
	}
	struct made later = extended_twice(udp, 0, 44, 8);
	later.bytes[51] = 1; /* more follow, and it is the first */
	assert_true(passes(later));
	later.bytes[51] = 8;
	assert_false(passes(later));
	assert_false(passes(extended(extended_twice(udp, 0, 60, 8), 0, 8)));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(at_first_nothing_passes),
		TEST(replies_to_ports_in_use_pass),
		TEST(ranges_grow_by_what_is_sent),
		TEST(the_ends_of_the_port_range_are_ports),
		TEST(of_tcp_only_answers_pass),
		TEST(of_tcp_that_was_acknowledged_segments_pass),
		TEST(all_icmp_errors_pass_and_nothing_else),
		TEST(echo_replies_pass_by_their_id),
		TEST(fragments_and_stumps_do_not_pass),
		TEST(a_socket_of_one_protocol_hears_its_answers),
		TEST(a_filter_is_changed_only_for_what_it_hears),
		TEST(one_extension_header_is_looked_through),
		TEST(two_extension_headers_are_looked_through),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
