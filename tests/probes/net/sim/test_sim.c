/* SPDX-License-Identifier: ISC */
/* What the simulated internet answers, packet by packet. */
#include "tests/probes/net/sim/sim-lab.h"

static const char line[] =
    "vantage me 198.51.100.10/24 2001:db8:1::10/64\n"
    "router r1 203.0.113.1 2001:db8:2::1\n"
    "router r2 203.0.113.2 2001:db8:2::2\n"
    "host web 192.0.2.80 2001:db8:80::1 tcp 80,443\n"
    "link me r1 delay 1ms\n"
    "link r1 r2 addr 203.0.113.101 203.0.113.102 delay 2ms\n"
    "link r2 web delay 3ms\n";

static void each_router_answers_when_the_ttl_ends(void **state)
{
	(void)state;
	struct lab lab;
	struct packet quoted;
	lab_open(&lab, line);
	struct probe p = lab_udp("192.0.2.80", 1);
	assert_int_equal(lab_ask(&lab, &p), 1);
	lab_from(&lab, "203.0.113.1");
	assert_int_equal(lab.packet.icmp_type, 11);
	assert_int_equal(lab.at_ns - lab.sent_ns, 2 * NS_PER_MS);
	assert_int_equal(lab.packet.ttl, 255);
	lab_checksums(&lab);
	p.ttl = 2;
	assert_int_equal(lab_ask(&lab, &p), 1);
	lab_from(&lab, "203.0.113.102"); /* the interface it came in by */
	assert_int_equal(lab.packet.ttl, 254);
	lab_checksums(&lab);
	assert_int_equal(packet_decode_quote(&quoted, &lab.packet), 0);
	assert_int_equal(quoted.ttl, 1);
	assert_int_equal(quoted.ip_id, 0x4242);
	assert_int_equal(quoted.dport, 33434);
	assert_int_equal(packet_fold(packet_sum(0, lab.packet.quote, 20)), 0);
	p.ttl = 3;
	assert_int_equal(lab_ask(&lab, &p), 1);
	lab_from(&lab, "192.0.2.80");
	assert_int_equal(lab.packet.icmp_type, 3);
	assert_int_equal(lab.packet.icmp_code, 3);
	assert_int_equal(lab.packet.ttl, 62);
	assert_int_equal(lab.at_ns - lab.sent_ns, 12 * NS_PER_MS);
	lab_checksums(&lab);
	lab_close(&lab);
}

static void the_same_in_ipv6(void **state)
{
	(void)state;
	struct lab lab;
	lab_open(&lab, line);
	struct probe p = lab_udp("2001:db8:80::1", 2);
	assert_int_equal(lab_ask(&lab, &p), 1);
	lab_from(&lab, "2001:db8:2::2");
	assert_int_equal(lab.packet.icmp_type, 3);
	lab_checksums(&lab);
	p.ttl = 3;
	assert_int_equal(lab_ask(&lab, &p), 1);
	assert_int_equal(lab.packet.icmp_type, 1);
	assert_int_equal(lab.packet.icmp_code, 4);
	lab_checksums(&lab);
	p = lab_echo("2001:db8:80::1", 64);
	assert_int_equal(lab_ask(&lab, &p), 1);
	assert_int_equal(lab.packet.icmp_type, 129);
	assert_int_equal(lab.packet.icmp_id, 0x1111);
	lab_checksums(&lab);
	lab_close(&lab);
}

static void hosts_answer_echo_and_tcp(void **state)
{
	(void)state;
	struct lab lab;
	lab_open(&lab, line);
	struct probe p = lab_echo("192.0.2.80", 64);
	assert_int_equal(lab_ask(&lab, &p), 1);
	assert_int_equal(lab.packet.icmp_type, 0);
	assert_int_equal(lab.packet.icmp_seq, 2);
	assert_int_equal(lab.packet.payload_len, 8);
	lab_checksums(&lab);
	p = (struct probe){.dst = addr("192.0.2.80"), .proto = PACKET_TCP,
	    .ttl = 64, .sport = 5000, .dport = 443, .tcp_seq = 77,
	    .tcp_flags = PACKET_TCP_SYN, .tcp_window = 1024};
	assert_int_equal(lab_ask(&lab, &p), 1);
	assert_int_equal(
	    lab.packet.tcp_flags, PACKET_TCP_SYN | PACKET_TCP_ACK);
	assert_int_equal(lab.packet.tcp_ack, 78);
	assert_int_equal(lab.packet.dport, 5000);
	lab_checksums(&lab);
	p.dport = 444;
	assert_int_equal(lab_ask(&lab, &p), 1);
	assert_int_equal(
	    lab.packet.tcp_flags, PACKET_TCP_RST | PACKET_TCP_ACK);
	p.tcp_flags = PACKET_TCP_ACK;
	p.tcp_ack = 99;
	assert_int_equal(lab_ask(&lab, &p), 1);
	assert_int_equal(lab.packet.tcp_flags, PACKET_TCP_RST);
	assert_int_equal(lab.packet.tcp_seq, 99);
	lab_checksums(&lab);
	lab_close(&lab);
}

static void mpls_labels_come_in_an_extension(void **state)
{
	(void)state;
	struct lab lab;
	static const char *const dsts[] = {"192.0.2.80", "2001:db8:80::1"};
	lab_open(&lab, "vantage me 198.51.100.10 2001:db8:1::10\n"
	    "router r1 203.0.113.1 2001:db8:2::1 mpls 24001,17 "
	    "interface-info\n"
	    "router old 203.0.113.2 2001:db8:2::2 mpls 24002 "
	    "old-extensions\n"
	    "host web 192.0.2.80 2001:db8:80::1\n"
	    "link me r1\nlink r1 old\nlink old web\n");
	for (size_t i = 0; i < 2; i++) {
		struct packet_extension e;
		size_t offset = 0;
		struct probe p = lab_udp(dsts[i], 1);
		assert_int_equal(lab_ask(&lab, &p), 1);
		lab_checksums(&lab);
		assert_true(lab.packet.extensions_by_length);
		assert_int_equal(
		    packet_next_extension(&lab.packet, &offset, &e), 0);
		static const uint8_t stack[] = {
		    0x05, 0xdc, 0x10, 0x01,
		    0x00, 0x01, 0x11, 0x01,
		};
		assert_int_equal(e.class_num << 8 | e.c_type, 0x0101);
		assert_int_equal(e.len, sizeof(stack));
		assert_memory_equal(e.data, stack, sizeof(stack));
		assert_int_equal(
		    packet_next_extension(&lab.packet, &offset, &e), 0);
		assert_int_equal(e.class_num << 8 | e.c_type, 0x020e);
		assert_int_equal(
		    packet_next_extension(&lab.packet, &offset, &e), ERR_EOF);
		p.ttl = 2;
		offset = 0;
		assert_int_equal(lab_ask(&lab, &p), 1);
		assert_false(lab.packet.extensions_by_length);
		assert_int_equal(
		    packet_next_extension(&lab.packet, &offset, &e), 0);
		lab_checksums(&lab);
	}
	lab_close(&lab);
}

static void silent_hidden_and_limited_routers(void **state)
{
	(void)state;
	struct lab lab;
	lab_open(&lab, "vantage me 198.51.100.10\n"
	    "router quiet 203.0.113.1 silent\n"
	    "router tunnel 203.0.113.2 hidden\n"
	    "router slow 203.0.113.3 limit 1/s burst 2\n"
	    "router other 203.0.113.4 reply-from 203.0.113.99\n"
	    "host web 192.0.2.80\n"
	    "link me quiet\nlink quiet tunnel\nlink tunnel slow\n"
	    "link slow other\nlink other web\n");
	struct probe p = lab_udp("192.0.2.80", 1);
	assert_int_equal(lab_ask(&lab, &p), 0);
	p.ttl = 2;
	lab.received = 0;
	for (int i = 0; i < 5; i++)
		lab_send(&lab, &p);
	lab_run(&lab, NS_PER_S / 2);
	assert_int_equal(lab.received, 2);
	lab_from(&lab, "203.0.113.3"); /* the hidden one does not count */
	lab_run(&lab, NS_PER_S);
	assert_int_equal(lab_ask(&lab, &p), 1);
	p.ttl = 3;
	assert_int_equal(lab_ask(&lab, &p), 1);
	lab_from(&lab, "203.0.113.99");
	lab_close(&lab);
}

static void refusals_say_why(void **state)
{
	(void)state;
	struct lab lab;
	lab_open(&lab, "vantage me 198.51.100.10 2001:db8:1::10\n"
	    "router r1 203.0.113.1 2001:db8:2::1\n"
	    "router wall 203.0.113.2 deny udp drop tcp\n"
	    "host web 192.0.2.80\nhost gone 192.0.2.81 down\n"
	    "link me r1\nlink r1 wall mtu 100\nlink wall web\n"
	    "link wall gone\nroute r1 192.0.2.96/27 drop\n");
	static const struct {
		const char *dst;
		uint8_t proto;
		uint16_t len;
		unsigned replies;
		uint8_t type, code;
	} cases[] = {
	    {"192.0.2.80", PACKET_UDP, 8, 1, 3, 13},
	    {"192.0.2.80", PACKET_TCP, 0, 0, 0, 0},
	    {"192.0.2.81", PACKET_ICMP, 8, 1, 3, 1},
	    {"192.0.2.80", PACKET_ICMP, 80, 1, 3, 4},
	    {"192.0.2.80", PACKET_ICMP, 72, 1, 0, 0},
	    {"192.0.2.90", PACKET_ICMP, 8, 1, 3, 0},
	    {"192.0.2.97", PACKET_ICMP, 8, 0, 0, 0},
	    {"2001:db8:9::9", PACKET_ICMP, 8, 1, 1, 0},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct probe p = lab_echo(cases[i].dst, 64);
		p.proto = cases[i].proto;
		p.payload_len = cases[i].len;
		p.tcp_flags = PACKET_TCP_SYN;
		assert_int_equal(lab_ask(&lab, &p), cases[i].replies);
		if (cases[i].replies == 0)
			continue;
		assert_int_equal(lab.packet.icmp_type, cases[i].type);
		assert_int_equal(lab.packet.icmp_code, cases[i].code);
		lab_checksums(&lab);
	}
	lab_close(&lab);
}

static void a_static_route_can_make_a_loop(void **state)
{
	(void)state;
	struct lab lab;
	lab_open(&lab, "vantage me 198.51.100.10\n"
	    "router r1 203.0.113.1\nrouter r2 203.0.113.2\n"
	    "host web 192.0.2.80\nlink me r1\nlink r1 r2\nlink r2 web\n"
	    "route r2 192.0.2.0/24 via r1\n");
	static const char *const from[] = {
	    "203.0.113.1", "203.0.113.2", "203.0.113.1", "203.0.113.2"};
	for (uint8_t ttl = 1; ttl <= 4; ttl++) {
		struct probe p = lab_udp("192.0.2.80", ttl);
		assert_int_equal(lab_ask(&lab, &p), 1);
		lab_from(&lab, from[ttl - 1]);
	}
	lab_close(&lab);
}

/* How many distinct routers answer at the second hop, over 64 probes. */
static unsigned width(const char *ecmp, void (*vary)(struct probe *, unsigned),
    const char *dst)
{
	struct lab lab;
	char text[1024];
	unsigned seen = 0;
	snprintf(text, sizeof(text), "vantage me 198.51.100.10 2001:db8:1::10\n"
	    "router a 203.0.113.1 2001:db8:2::1 ecmp %s\n"
	    "router b 203.0.113.2 2001:db8:2::2\n"
	    "host web 192.0.2.80 2001:db8:80::1\nlink me a\nlink b web\n"
	    "generate diamond d from a to b width 4 length 1 "
	    "addresses 10.0.0.0/24 2001:db8:d::/64\n", ecmp);
	lab_open(&lab, text);
	for (unsigned i = 0; i < 64; i++) {
		struct probe p = lab_udp(dst, 2);
		vary(&p, i);
		assert_int_equal(lab_ask(&lab, &p), 1);
		seen |= 1u << (lab.packet.src.bytes[
		    addr_len(&lab.packet.src) - 1] & 7);
	}
	lab_close(&lab);
	return (unsigned)__builtin_popcount(seen);
}

static void vary_nothing(struct probe *p, unsigned i)
{
	p->ip_id = (uint16_t)(i + 1);
}

static void vary_port(struct probe *p, unsigned i)
{
	p->dport = (uint16_t)(33434 + i);
}

static void vary_echo_checksum(struct probe *p, unsigned i)
{
	p->proto = PACKET_ICMP;
	p->icmp_seq = (uint16_t)i;
}

static void vary_flow_label(struct probe *p, unsigned i)
{
	p->flow_label = i;
}

static void vary_tos(struct probe *p, unsigned i)
{
	p->tos = (uint8_t)(i << 2);
}

static void balancers_hash_what_they_say(void **state)
{
	(void)state;
	static const struct {
		const char *ecmp;
		void (*vary)(struct probe *, unsigned);
		const char *dst;
		unsigned width;
	} cases[] = {
	    {"5-tuple", vary_nothing, "192.0.2.80", 1},
	    {"5-tuple", vary_port, "192.0.2.80", 4},
	    {"5-tuple", vary_port, "2001:db8:80::1", 4},
	    {"5-tuple", vary_echo_checksum, "192.0.2.80", 1},
	    {"5-tuple", vary_flow_label, "2001:db8:80::1", 1},
	    {"5-tuple", vary_tos, "192.0.2.80", 1},
	    {"5-tuple+flow-label", vary_flow_label, "2001:db8:80::1", 4},
	    {"5-tuple+tos", vary_tos, "192.0.2.80", 4},
	    {"first-4-octets", vary_echo_checksum, "192.0.2.80", 4},
	    {"first-4-octets", vary_port, "192.0.2.80", 4},
	    {"src-dst", vary_port, "192.0.2.80", 1},
	    {"per-packet", vary_nothing, "192.0.2.80", 4},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		assert_int_equal(
		    width(cases[i].ecmp, cases[i].vary, cases[i].dst),
		    cases[i].width);
}

/* Loss, duplicates and jitter of 2000 pings, as one number. */
static uint64_t fate(const char *seed, unsigned *received)
{
	struct lab lab;
	char text[512];
	uint64_t sum = 0;
	snprintf(text, sizeof(text), "seed %s\nvantage me 198.51.100.10\n"
	    "host web 192.0.2.80\n"
	    "link me web delay 5ms jitter 2ms loss 20%% duplicate 5%%\n",
	    seed);
	lab_open(&lab, text);
	*received = 0;
	for (unsigned i = 0; i < 2000; i++) {
		struct probe p = lab_echo("192.0.2.80", 64);
		*received += lab_ask(&lab, &p);
		sum = sum * 31 + (uint64_t)(lab.at_ns - lab.sent_ns);
	}
	lab_close(&lab);
	return sum;
}

static void chance_follows_the_seed(void **state)
{
	(void)state;
	unsigned a, b, c;
	uint64_t first = fate("5", &a), same = fate("5", &b);
	uint64_t other = fate("6", &c);
	assert_int_equal(first, same);
	assert_int_equal(a, b);
	assert_int_not_equal(first, other);
	/* 2000 * 0.8^2 * 1.05^2 = 1411; four standard deviations are 100. */
	assert_in_range(a, 1311, 1511);
	assert_in_range(c, 1311, 1511);
}

static void a_slow_link_queues_and_overflows(void **state)
{
	(void)state;
	struct lab lab;
	lab_open(&lab, "vantage me 198.51.100.10\nhost web 192.0.2.80\n"
	    "link me web delay 1ms rate 1M queue 2500 back rate 1G\n");
	struct probe p = lab_echo("192.0.2.80", 64);
	p.payload_len = 972; /* 1000 octets are 8 ms at 1 Mbit/s */
	assert_int_equal(lab_ask(&lab, &p), 1);
	int64_t alone_ns = lab.at_ns - lab.sent_ns;
	assert_in_range(alone_ns, 10 * NS_PER_MS, 10100000);
	lab.received = 0;
	for (int i = 0; i < 10; i++)
		lab_send(&lab, &p);
	lab_run(&lab, NS_PER_S);
	/* One in service, and as many as find at most 2500 octets waiting. */
	assert_int_equal(lab.received, 3);
	assert_in_range(
	    lab.at_ns - lab.sent_ns, 26 * NS_PER_MS, 26100000);
	lab_close(&lab);
}

static void a_shared_counter_shows_in_ip_ids(void **state)
{
	(void)state;
	struct lab lab;
	lab_open(&lab, "vantage me 198.51.100.10\n"
	    "router r 203.0.113.1 203.0.113.2 ip-id shared\n"
	    "host z 203.0.113.9 ip-id zero\nlink me r\nlink r z\n");
	uint16_t last = 0;
	for (int i = 0; i < 6; i++) {
		struct probe p =
		    lab_echo(i % 2 ? "203.0.113.1" : "203.0.113.2", 64);
		assert_int_equal(lab_ask(&lab, &p), 1);
		if (i > 0)
			assert_int_equal(
			    (uint16_t)(lab.packet.ip_id - last), 1);
		last = lab.packet.ip_id;
	}
	struct probe p = lab_echo("203.0.113.9", 64);
	assert_int_equal(lab_ask(&lab, &p), 1);
	assert_int_equal(lab.packet.ip_id, 0);
	lab_close(&lab);
}

static void the_vantage_knows_its_own(void **state)
{
	(void)state;
	struct lab lab;
	struct addr a;
	lab_open(&lab, line);
	a = addr("198.51.100.10");
	assert_true(net_sim.is_own(lab.net, &a));
	a = addr("198.51.100.11");
	assert_false(net_sim.is_own(lab.net, &a));
	assert_false(net_sim.is_broadcast(lab.net, &a));
	a = addr("198.51.100.255");
	assert_true(net_sim.is_broadcast(lab.net, &a));
	assert_int_equal(net_sim.resolve(lab.net, "web", 6, &a), 0);
	assert_int_equal(a.family, 6);
	assert_int_equal(
	    net_sim.resolve(lab.net, "nobody", 0, &a), ERR_NOT_FOUND);
	lab_close(&lab);
}

static void a_hundred_thousand_routers_load(void **state)
{
	(void)state;
	struct lab lab;
	lab_open(&lab, "vantage me 198.51.100.10\nrouter top 203.0.113.1\n"
	    "link me top\n"
	    "generate mesh m at top count 50000 degree 2 "
	    "addresses 10.0.0.0/8 ecmp 5-tuple delay 1ms..5ms\n"
	    "generate tree t at top fanout 36 depth 3 "
	    "addresses 11.0.0.0/8 delay 1ms\n");
	struct addr last;
	assert_int_equal(
	    net_sim.resolve(lab.net, "m.50000", 4, &last), 0);
	struct probe p = lab_echo("11.0.180.0", 64);
	assert_int_equal(lab_ask(&lab, &p), 1);
	p.dst = last;
	assert_int_equal(lab_ask(&lab, &p), 1);
	lab_close(&lab);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(each_router_answers_when_the_ttl_ends),
	    cmocka_unit_test(the_same_in_ipv6),
	    cmocka_unit_test(hosts_answer_echo_and_tcp),
	    cmocka_unit_test(mpls_labels_come_in_an_extension),
	    cmocka_unit_test(silent_hidden_and_limited_routers),
	    cmocka_unit_test(refusals_say_why),
	    cmocka_unit_test(a_static_route_can_make_a_loop),
	    cmocka_unit_test(balancers_hash_what_they_say),
	    cmocka_unit_test(chance_follows_the_seed),
	    cmocka_unit_test(a_slow_link_queues_and_overflows),
	    cmocka_unit_test(a_shared_counter_shows_in_ip_ids),
	    cmocka_unit_test(the_vantage_knows_its_own),
	    cmocka_unit_test(a_hundred_thousand_routers_load),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
