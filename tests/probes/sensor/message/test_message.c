/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "lib/packet/octets.h"
#include "probes/sensor/message/message.h"
#include "tests/lib/packet/frames.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define F PACKET_TCP_FIN
#define S PACKET_TCP_SYN
#define R PACKET_TCP_RST
#define P PACKET_TCP_PSH
#define A PACKET_TCP_ACK
#define U PACKET_TCP_URG

static struct message read_frame(struct frame f)
{
	static struct buf bytes;
	struct packet p;
	struct message m;
	f.src = f.src ? f.src : "203.0.113.9";
	f.dst = f.dst ? f.dst : "198.51.100.7";
	buf_clear(&bytes);
	frame_put(&bytes, &f);
	assert_int_equal(
	    packet_decode_ip(&p, bytes.data, bytes.len, bytes.len), 0);
	message_read(&p, &m);
	return m;
}

static void tcp_is_read_by_its_flags(void **state)
{
	(void)state;
	static const struct {
		uint8_t flags;
		size_t data;
		enum message_role role;
		enum message_kind kind;
	} cases[] = {
		{ S, 0, MESSAGE_QUESTION, KIND_TCP_SYN },
		{ S, 9, MESSAGE_QUESTION, KIND_TCP_SYN },
		{ S | 0xc0, 0, MESSAGE_QUESTION, KIND_TCP_SYN }, /* ECN */
		{ S | P, 0, MESSAGE_QUESTION, KIND_TCP_SYN },
		{ S | A, 0, MESSAGE_ANSWER, KIND_TCP_SYN_ACK },
		{ R, 0, MESSAGE_ANSWER, KIND_TCP_RST },
		{ R | A, 0, MESSAGE_ANSWER, KIND_TCP_RST },
		{ R | A | F, 0, MESSAGE_ANSWER, KIND_TCP_RST },
		{ A, 0, MESSAGE_EITHER, KIND_TCP_ACK },
		{ A | P, 0, MESSAGE_EITHER, KIND_TCP_ACK },
		{ A | P, 5, MESSAGE_EITHER, KIND_TCP_DATA },
		{ A | F, 0, MESSAGE_EITHER, KIND_TCP_MAIMON },
		{ A | F | P, 5, MESSAGE_EITHER, KIND_TCP_DATA },
		{ F, 0, MESSAGE_QUESTION, KIND_TCP_FIN },
		{ 0, 0, MESSAGE_QUESTION, KIND_TCP_NULL },
		{ 0xc0, 0, MESSAGE_QUESTION, KIND_TCP_NULL },
		{ F | P | U, 0, MESSAGE_QUESTION, KIND_TCP_XMAS },
		{ S | F, 0, MESSAGE_QUESTION, KIND_TCP_ODD },
		{ S | R, 0, MESSAGE_QUESTION, KIND_TCP_ODD },
		{ S | A | F, 0, MESSAGE_QUESTION, KIND_TCP_ODD },
		{ P | U, 0, MESSAGE_QUESTION, KIND_TCP_ODD },
		{ P, 5, MESSAGE_QUESTION, KIND_TCP_ODD },
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct packet p = { .proto = PACKET_TCP,
			.src = { 4, { 203, 0, 113, 9 } },
			.dst = { 4, { 198, 51, 100, 7 } },
			.sport = 4000,
			.dport = 80,
			.tcp_seq = 77,
			.has_tcp_flags = true,
			.tcp_flags = cases[i].flags,
			.payload_wire_len = cases[i].data };
		struct message m;
		message_read(&p, &m);
		if (m.role != cases[i].role || m.kind != cases[i].kind)
			fail_msg("flags %02x, %zu octets: %s %s",
			    cases[i].flags, cases[i].data,
			    message_role_name(m.role),
			    message_kind_name(m.kind));
		assert_int_equal(m.id, 77);
		assert_int_equal(m.sport, 4000);
		assert_int_equal(m.dport, 80);
	}
}

/* Every set of flags has a reading, and only one with ACK may be part of a
 * conversation that was not seen to begin. */
static void every_set_of_flags_has_a_reading(void **state)
{
	(void)state;
	for (unsigned flags = 0; flags < 256; flags++) {
		struct packet p = { .proto = PACKET_TCP,
			.src.family = 4,
			.dst.family = 4,
			.has_tcp_flags = true,
			.tcp_flags = (uint8_t)flags };
		struct message m;
		message_read(&p, &m);
		if (m.role == MESSAGE_EITHER)
			assert_true(flags & A);
		if (m.role == MESSAGE_ANSWER)
			assert_true(flags & R || (flags & (S | A)) == (S | A));
		assert_non_null(message_kind_name(m.kind));
		assert_non_null(message_role_name(m.role));
	}
}

static void pieces_of_tcp_say_what_they_hold(void **state)
{
	(void)state;
	/* The first eight octets of a SYN to port 22, cut into pieces. */
	struct packet p = { .proto = PACKET_TCP,
		.src.family = 4,
		.dst.family = 4,
		.fragment = true,
		.first_fragment = true,
		.dport = 22,
		.tcp_seq = 5 };
	struct message m;
	message_read(&p, &m);
	assert_int_equal(m.kind, KIND_TCP_PART);
	assert_int_equal(m.role, MESSAGE_QUESTION);
	assert_int_equal(m.dport, 22);
	/* The capture ended there: it may be of a connection. */
	p.fragment = p.first_fragment = false;
	message_read(&p, &m);
	assert_int_equal(m.kind, KIND_TCP_PART);
	assert_int_equal(m.role, MESSAGE_EITHER);
	/* The next piece has no header. */
	p.fragment = true;
	message_read(&p, &m);
	assert_int_equal(m.kind, KIND_FRAGMENT);
	assert_int_equal(m.role, MESSAGE_NONE);
}

static void icmp_is_read_by_its_type(void **state)
{
	(void)state;
	static const struct {
		uint8_t proto, type;
		enum message_role role;
		uint16_t sport, dport;
	} cases[] = {
		{ PACKET_ICMP, 8, MESSAGE_QUESTION, 0, 0x800 },
		{ PACKET_ICMP, 0, MESSAGE_ANSWER, 0x800, 0 },
		{ PACKET_ICMP, 13, MESSAGE_QUESTION, 0, 0xd00 },
		{ PACKET_ICMP, 14, MESSAGE_ANSWER, 0xd00, 0 },
		{ PACKET_ICMP, 17, MESSAGE_QUESTION, 0, 0x1100 },
		{ PACKET_ICMP, 18, MESSAGE_ANSWER, 0x1100, 0 },
		{ PACKET_ICMP, 42, MESSAGE_QUESTION, 0, 0x2a00 },
		{ PACKET_ICMP, 3, MESSAGE_ERROR, 0, 0 },
		{ PACKET_ICMP, 4, MESSAGE_ERROR, 0, 0 },
		{ PACKET_ICMP, 5, MESSAGE_ERROR, 0, 0 },
		{ PACKET_ICMP, 11, MESSAGE_ERROR, 0, 0 },
		{ PACKET_ICMP, 12, MESSAGE_ERROR, 0, 0 },
		{ PACKET_ICMP, 9, MESSAGE_LOCAL, 0, 0 },
		{ PACKET_ICMP, 10, MESSAGE_LOCAL, 0, 0 },
		{ PACKET_ICMP, 200, MESSAGE_NONE, 0, 0 },
		{ PACKET_ICMP6, 128, MESSAGE_QUESTION, 0, 0x8000 },
		{ PACKET_ICMP6, 129, MESSAGE_ANSWER, 0x8000, 0 },
		{ PACKET_ICMP6, 139, MESSAGE_QUESTION, 0, 0x8b00 },
		{ PACKET_ICMP6, 1, MESSAGE_ERROR, 0, 0 },
		{ PACKET_ICMP6, 3, MESSAGE_ERROR, 0, 0 },
		{ PACKET_ICMP6, 135, MESSAGE_LOCAL, 0, 0 },
		{ PACKET_ICMP6, 143, MESSAGE_LOCAL, 0, 0 },
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		bool v6 = cases[i].proto == PACKET_ICMP6;
		struct message m =
		    read_frame((struct frame){ .src = v6 ? "2001:db8::1" : NULL,
			.dst = v6 ? "2001:db8::2" : NULL,
			.proto = cases[i].proto,
			.icmp_type = cases[i].type });
		if (m.role != cases[i].role)
			fail_msg("icmp %u type %u: %s", cases[i].proto,
			    cases[i].type, message_role_name(m.role));
		assert_int_equal(m.sport, cases[i].sport);
		assert_int_equal(m.dport, cases[i].dport);
		bool echo = v6 ? cases[i].type >> 1 == 64
			       : cases[i].type == 8 || cases[i].type == 0;
		assert_int_equal(
		    m.kind, echo ? KIND_ICMP_ECHO : KIND_ICMP_OTHER);
	}
	/* An id is the echo's, and it is the same in both directions. */
	assert_int_equal(
	    read_frame((struct frame){ .proto = PACKET_ICMP, .icmp_type = 8 })
		.id,
	    0x10001);
	/* ICMP of the other version is just a protocol. */
	assert_int_equal(read_frame((struct frame){ .proto = PACKET_ICMP6,
					.icmp_type = 128 })
			     .kind,
	    KIND_IP);
}

static struct message read_proto(uint8_t proto, const void *payload, size_t len)
{
	return read_frame((struct frame){
	    .proto = proto, .payload = payload, .payload_len = len });
}

static void sctp_is_read_by_its_first_chunk(void **state)
{
	(void)state;
	/* Ports, tag, checksum; chunk type, flags, length, initiate tag. */
	static uint8_t init[] = { 0x9c, 0x40, 0x0b, 0x5b, 0, 0, 0, 0, 1, 2, 3,
		4, 1, 0, 0, 20, 0xde, 0xad, 0xbe, 0xef, 0, 0, 0x80, 0, 0, 10, 0,
		10, 0, 0, 0, 1 };
	struct message m = read_proto(132, init, sizeof(init));
	assert_int_equal(m.kind, KIND_SCTP_INIT);
	assert_int_equal(m.role, MESSAGE_QUESTION);
	assert_int_equal(m.sport, 40000);
	assert_int_equal(m.dport, 2907);
	assert_int_equal(m.id, 0xdeadbeef);
	init[12] = 2;
	m = read_proto(132, init, sizeof(init));
	assert_int_equal(m.role, MESSAGE_ANSWER);
	assert_int_equal(m.kind, KIND_SCTP);
	init[12] = 6;
	assert_int_equal(
	    read_proto(132, init, sizeof(init)).role, MESSAGE_ANSWER);
	init[12] = 10; /* COOKIE ECHO: of a conversation, or of a scan */
	assert_int_equal(
	    read_proto(132, init, sizeof(init)).role, MESSAGE_EITHER);
	for (size_t len = 0; len < sizeof(init); len++)
		read_proto(132, init, len);
	init[12] = 1;
	assert_int_equal(read_proto(132, init, 12).kind, KIND_SCTP);
}

static void other_protocols_are_read_by_what_they_are_for(void **state)
{
	(void)state;
	static const uint8_t data[8] = { 0 };
	struct message m = read_proto(47, NULL, 0);
	assert_int_equal(m.kind, KIND_IP_EMPTY);
	assert_int_equal(m.role, MESSAGE_QUESTION);
	m = read_proto(47, data, 8);
	assert_int_equal(m.kind, KIND_IP);
	assert_int_equal(m.role, MESSAGE_EITHER);
	static const uint8_t routers[] = { 2, 46, 88, 89, 103, 124, 59 };
	for (size_t i = 0; i < COUNT(routers); i++)
		assert_int_equal(
		    read_proto(routers[i], data, 8).role, MESSAGE_NONE);
	assert_int_equal(read_proto(112, data, 8).role, MESSAGE_LOCAL);
	/* Asked for and empty, they are probed for, too. */
	assert_int_equal(read_proto(89, NULL, 0).role, MESSAGE_QUESTION);
	assert_int_equal(read_proto(59, NULL, 0).role, MESSAGE_NONE);
}

static void what_goes_to_many_is_local(void **state)
{
	(void)state;
	static const char *const groups[][2] = {
		{ "192.0.2.1", "224.0.0.251" },
		{ "192.0.2.1", "239.255.255.250" },
		{ "0.0.0.0", "255.255.255.255" },
		{ "fe80::1", "ff02::1" },
	};
	for (size_t i = 0; i < COUNT(groups); i++)
		assert_int_equal(read_frame((struct frame){ .src = groups[i][0],
						.dst = groups[i][1],
						.proto = PACKET_UDP,
						.dport = 5353 })
				     .role,
		    MESSAGE_LOCAL);
}

static void what_the_link_broadcasts_is_local(void **state)
{
	(void)state;
	static const enum message_role roles[] = {
		[PACKET_CAST_UNKNOWN] = MESSAGE_QUESTION,
		[PACKET_CAST_UNICAST] = MESSAGE_QUESTION,
		[PACKET_CAST_BROADCAST] = MESSAGE_LOCAL,
		[PACKET_CAST_MULTICAST] = MESSAGE_QUESTION,
		[PACKET_CAST_OUTGOING] = MESSAGE_QUESTION,
	};
	for (uint8_t cast = 0; cast < COUNT(roles); cast++) {
		struct packet p = { .proto = PACKET_TCP,
			.src = { 4, { 192, 0, 2, 20 } },
			.dst = { 4, { 192, 0, 2, 255 } },
			.has_tcp_flags = true,
			.tcp_flags = S,
			.link_cast = cast };
		struct message m;
		message_read(&p, &m);
		assert_int_equal(m.role, roles[cast]);
	}
}

static void an_address_says_where_it_can_be(void **state)
{
	(void)state;
	static const struct {
		const char *addr;
		enum message_scope scope;
	} cases[] = {
		{ "203.0.113.1", SCOPE_PUBLIC },
		{ "192.0.2.255", SCOPE_PUBLIC },
		{ "198.51.100.0", SCOPE_PUBLIC },
		{ "172.15.255.255", SCOPE_PUBLIC },
		{ "172.16.0.1", SCOPE_PRIVATE },
		{ "172.31.255.255", SCOPE_PRIVATE },
		{ "172.32.0.1", SCOPE_PUBLIC },
		{ "10.255.0.1", SCOPE_PRIVATE },
		{ "192.168.255.1", SCOPE_PRIVATE },
		{ "192.167.255.1", SCOPE_PUBLIC },
		{ "169.254.3.3", SCOPE_PRIVATE },
		{ "100.63.255.255", SCOPE_PUBLIC },
		{ "100.64.3.3", SCOPE_PRIVATE },
		{ "100.127.255.255", SCOPE_PRIVATE },
		{ "100.128.0.0", SCOPE_PUBLIC },
		{ "198.17.255.255", SCOPE_PUBLIC },
		{ "198.18.0.1", SCOPE_PRIVATE },
		{ "198.19.255.255", SCOPE_PRIVATE },
		{ "198.20.0.0", SCOPE_PUBLIC },
		{ "0.1.2.3", SCOPE_IMPOSSIBLE },
		{ "127.0.0.1", SCOPE_IMPOSSIBLE },
		{ "126.255.255.255", SCOPE_PUBLIC },
		{ "223.255.255.255", SCOPE_PUBLIC },
		{ "224.0.0.1", SCOPE_IMPOSSIBLE },
		{ "240.0.0.1", SCOPE_IMPOSSIBLE },
		{ "255.255.255.255", SCOPE_IMPOSSIBLE },
		{ "2001:db8::1", SCOPE_PUBLIC },
		{ "2600::1", SCOPE_PUBLIC },
		{ "fe80::1", SCOPE_PRIVATE },
		{ "fec0::1", SCOPE_PRIVATE },
		{ "fd00::1", SCOPE_PRIVATE },
		{ "fc00::1", SCOPE_PRIVATE },
		{ "::", SCOPE_IMPOSSIBLE },
		{ "::1", SCOPE_IMPOSSIBLE },
		{ "::2", SCOPE_PUBLIC },
		{ "ff02::1", SCOPE_IMPOSSIBLE },
		{ "::ffff:192.0.2.1", SCOPE_IMPOSSIBLE },
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct addr a;
		assert_int_equal(addr_parse(&a, cases[i].addr), 0);
		if (message_scope_of(&a) != cases[i].scope)
			fail_msg("%s", cases[i].addr);
	}
}

static void a_retransmission_has_the_same_id(void **state)
{
	(void)state;
	struct frame f = { .proto = PACKET_UDP,
		.dport = 9999,
		.payload = "question",
		.payload_len = 8 };
	uint32_t id = read_frame(f).id;
	assert_int_equal(read_frame(f).id, id);
	f.payload = "question";
	f.payload_len = 7;
	assert_int_not_equal(read_frame(f).id, id);
	f.payload = "quastion";
	f.payload_len = 8;
	assert_int_not_equal(read_frame(f).id, id);
	f.payload_len = 0;
	assert_int_equal(read_frame(f).kind, KIND_UDP);
	assert_int_equal(read_frame(f).role, MESSAGE_EITHER);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tcp_is_read_by_its_flags),
		cmocka_unit_test(every_set_of_flags_has_a_reading),
		cmocka_unit_test(pieces_of_tcp_say_what_they_hold),
		cmocka_unit_test(icmp_is_read_by_its_type),
		cmocka_unit_test(sctp_is_read_by_its_first_chunk),
		cmocka_unit_test(other_protocols_are_read_by_what_they_are_for),
		cmocka_unit_test(what_goes_to_many_is_local),
		cmocka_unit_test(what_the_link_broadcasts_is_local),
		cmocka_unit_test(an_address_says_where_it_can_be),
		cmocka_unit_test(a_retransmission_has_the_same_id),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
