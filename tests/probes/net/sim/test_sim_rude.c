/* SPDX-License-Identifier: ISC */
/* A simulated internet that is rude: each packet as its statement says. */
#include "tests/probes/net/sim/sim-lab.h"

static void advice_comes_beside_the_answer(void **state)
{
	(void)state;
	struct lab lab;
	struct packet quoted;
	lab_open(&lab,
	    "vantage me 198.51.100.10 2001:db8::10\n"
	    "router r 203.0.113.1 2001:db8::1 redirect 203.0.113.9 "
	    "redirect 2001:db8::9 quench\n"
	    "host web 192.0.2.80 2001:db8::80\n"
	    "link me r\nlink r web\n");
	struct probe p = lab_echo("192.0.2.80", 64);
	lab.received = 0;
	lab_send(&lab, &p);
	lab_run(&lab, 3 * NS_PER_MS);
	assert_int_equal(lab.received, 2);
	assert_int_equal(lab.packet.icmp_type, 4); /* the later of the two */
	assert_int_equal(packet_decode_quote(&quoted, &lab.packet), 0);
	assert_int_equal(quoted.icmp_seq, 2);
	lab_from(&lab, "203.0.113.1");
	lab_checksums(&lab);
	lab_run(&lab, NS_PER_S);
	assert_int_equal(lab.received, 3);
	assert_int_equal(lab.packet.icmp_type, 0);
	p = lab_udp("2001:db8::80", 64);
	lab.received = 0;
	lab_send(&lab, &p);
	lab_run(&lab, 3 * NS_PER_MS);
	assert_int_equal(lab.received, 1);
	assert_int_equal(lab.packet.icmp_type, 137);
	lab_checksums(&lab);
	lab_close(&lab);
}

static void assert_rejected(
    struct lab *lab, const char *dst, const char *from, int code)
{
	struct probe p = lab_udp(dst, 64);
	assert_int_equal(lab_ask(lab, &p), 1);
	lab_from(lab, from);
	assert_int_equal(
	    lab->packet.icmp_type, lab->packet.src.family == 4 ? 3 : 1);
	assert_int_equal(lab->packet.icmp_code, code);
	lab_checksums(lab);
}

static void rejections_have_the_code_and_source_that_is_stated(void **state)
{
	(void)state;
	struct lab lab;
	lab_open(&lab,
	    "vantage me 198.51.100.10 2001:db8::10\n"
	    "router a 203.0.113.1 2001:db8::1 reject udp "
	    "reject-with admin-prohibited\n"
	    "router b 203.0.113.2 2001:db8::2 reject udp,tcp "
	    "reject-with 200 reject-as-target\n"
	    "router c 203.0.113.3 reject tcp,udp reject-with tcp-reset\n"
	    "router gw 203.0.113.4 2001:db8::4\n"
	    "host ha 192.0.2.1 2001:db8::81\nhost hb 192.0.2.2\n"
	    "host hc 192.0.2.3\n"
	    "link me gw\nlink gw a\nlink gw b\nlink gw c\nlink a ha\n"
	    "link b hb\nlink c hc\n");
	assert_rejected(&lab, "192.0.2.1", "203.0.113.1", 13);
	assert_rejected(&lab, "2001:db8::81", "2001:db8::1", 1);
	assert_rejected(&lab, "192.0.2.2", "192.0.2.2", 200);
	assert_rejected(&lab, "192.0.2.3", "203.0.113.3", 3);
	struct probe p = lab_udp("192.0.2.1", 2);
	assert_int_equal(lab_ask(&lab, &p), 1);
	assert_int_equal(lab.packet.icmp_type, 11);
	p = (struct probe){ .dst = addr("192.0.2.3"),
		.proto = PACKET_TCP,
		.ttl = 64,
		.sport = 5000,
		.dport = 80,
		.tcp_seq = 9,
		.tcp_flags = PACKET_TCP_SYN };
	assert_int_equal(lab_ask(&lab, &p), 1);
	lab_from(&lab, "192.0.2.3");
	assert_int_equal(lab.packet.tcp_flags, PACKET_TCP_RST | PACKET_TCP_ACK);
	assert_int_equal(lab.packet.tcp_ack, 10);
	assert_int_equal(lab.packet.ttl, 254);
	lab_close(&lab);
}

/* How many of count probes, one a step, are answered. */
static unsigned ask_often(
    struct lab *lab, const struct probe *p, int count, int64_t step_ns)
{
	lab->received = 0;
	for (int i = 0; i < count; i++) {
		lab_send(lab, p);
		lab_run(lab, step_ns);
	}
	lab_run(lab, 100 * NS_PER_MS);
	return lab->received;
}

static void limits_are_those_of_linux(void **state)
{
	(void)state;
	struct lab lab;
	lab_open(&lab,
	    "vantage me 198.51.100.10 2001:db8::10\n"
	    "host web 192.0.2.80 2001:db8::80 limit linux\n"
	    "host big 192.0.2.81 limit 2 burst 3 limit-echo\n"
	    "router gw 203.0.113.1 2001:db8::1\n"
	    "link me gw\nlink gw web\nlink gw big\n");
	struct probe p = lab_udp("192.0.2.80", 64);
	assert_int_equal(ask_often(&lab, &p, 20, NS_PER_MS), 6);
	/* One a second from then on. */
	lab_run(&lab, 1100 * NS_PER_MS);
	assert_int_equal(ask_often(&lab, &p, 20, NS_PER_MS), 1);
	p = lab_echo("192.0.2.80", 64);
	assert_int_equal(ask_often(&lab, &p, 100, NS_PER_MS), 100);
	/* The other family has its own: 6 and one in 62 ms. */
	p = lab_udp("2001:db8::80", 64);
	assert_int_equal(ask_often(&lab, &p, 20, NS_PER_MS), 6);
	lab_run(&lab, 300 * NS_PER_MS);
	assert_int_equal(ask_often(&lab, &p, 20, NS_PER_US), 6);
	p = lab_echo("192.0.2.81", 64);
	assert_int_equal(ask_often(&lab, &p, 20, NS_PER_MS), 3);
	lab_close(&lab);
}

static void a_global_bucket_bounds_all_destinations(void **state)
{
	(void)state;
	struct lab lab;
	struct addr src = addr("198.51.100.1");
	lab_open(&lab,
	    "vantage me 198.51.100.10\nhost nat 198.51.0.0/16\n"
	    "host web 192.0.2.80 limit linux\nrouter gw 203.0.113.1\n"
	    "link me gw\nlink gw web\nlink gw nat\n"
	    "route gw 198.51.0.0/16 via me\n");
	/* What comes to other addresses is not ours: count what the world
	 * would send by asking as many sources as there are. */
	struct probe p = lab_udp("192.0.2.80", 64);
	assert_int_equal(ask_often(&lab, &p, 1, 0), 1);
	for (int i = 0; i < 60; i++) {
		uint8_t bytes[1600];
		src.bytes[3] = (uint8_t)(100 + i);
		int len = probe_build(
		    lab.builder, &p, &src, bytes, sizeof(bytes), NULL);
		struct net_send packet = { .bytes = bytes, .len = (size_t)len };
		assert_int_equal(net_sim.send(lab.net, &packet, 1), 1);
	}
	lab_run(&lab, 100 * NS_PER_US);
	/* 1 and 60 of 50: ours, which has a token left, is not answered. */
	lab.received = 0;
	lab_send(&lab, &p);
	lab_run(&lab, NS_PER_S);
	assert_int_equal(lab.received, 0);
	lab_close(&lab);
}

static uint16_t ask_id(struct lab *lab, const char *dst)
{
	struct probe p = lab_echo(dst, 64);
	lab_send(lab, &p);
	lab_run(lab, 10 * NS_PER_MS);
	return lab->packet.ip_id;
}

static void ip_ids_count_as_stated(void **state)
{
	(void)state;
	struct lab lab;
	lab_open(&lab,
	    "vantage me 198.51.100.10\n"
	    "router gw 203.0.113.1\n"
	    "router one 203.0.113.2 203.0.113.3 ip-id shared\n"
	    "router two 203.0.113.4 203.0.113.5 ip-id per-address\n"
	    "router swap 203.0.113.6 ip-id-swapped\n"
	    "router dest 203.0.113.7 203.0.113.8 ip-id per-destination\n"
	    "router busy 203.0.113.9 ip-id-rate 1000\n"
	    "router none 203.0.113.10 ip-id zero\n"
	    "link me gw\nlink gw one\nlink gw two\nlink gw swap\n"
	    "link gw dest\nlink gw busy\nlink gw none\n");
	uint16_t a = ask_id(&lab, "203.0.113.2");
	assert_int_equal(ask_id(&lab, "203.0.113.3"), (uint16_t)(a + 1));
	a = ask_id(&lab, "203.0.113.4");
	uint16_t b = ask_id(&lab, "203.0.113.5");
	assert_int_not_equal(b, (uint16_t)(a + 1));
	assert_int_equal(ask_id(&lab, "203.0.113.4"), (uint16_t)(a + 1));
	assert_int_equal(ask_id(&lab, "203.0.113.5"), (uint16_t)(b + 1));
	a = ask_id(&lab, "203.0.113.6");
	b = ask_id(&lab, "203.0.113.6");
	assert_int_equal((uint16_t)(b << 8 | b >> 8),
	    (uint16_t)((uint16_t)(a << 8 | a >> 8) + 1));
	a = ask_id(&lab, "203.0.113.7");
	assert_int_equal(ask_id(&lab, "203.0.113.8"), (uint16_t)(a + 1));
	a = ask_id(&lab, "203.0.113.9");
	b = ask_id(&lab, "203.0.113.9");
	assert_in_range((uint16_t)(b - a), 10, 12); /* 10 ms later */
	assert_int_equal(ask_id(&lab, "203.0.113.10"), 0);
	lab_close(&lab);
}

static void a_path_that_takes_less_may_say_nothing(void **state)
{
	(void)state;
	struct lab lab;
	lab_open(&lab,
	    "vantage me 198.51.100.10\nrouter r 203.0.113.1\n"
	    "host a 192.0.2.1\nhost b 192.0.2.2\nlink me r\n"
	    "link r a mtu 1000\nlink r b mtu 1000 black-hole\n");
	struct probe p = lab_echo("192.0.2.1", 64);
	p.payload_len = 1000;
	assert_int_equal(lab_ask(&lab, &p), 1);
	assert_int_equal(packet_next_hop_mtu(&lab.packet), 1000);
	p.dst = addr("192.0.2.2");
	assert_int_equal(lab_ask(&lab, &p), 0);
	p.payload_len = 972;
	assert_int_equal(lab_ask(&lab, &p), 1);
	lab_close(&lab);
}

/* Whatever a translator makes of a packet, its checksums are right. */
static void translators_keep_checksums_right(void **state)
{
	(void)state;
	struct lab lab;
	struct packet quoted;
	static const char *const dsts[] = { "192.0.2.80", "2001:db8:80::1" };
	lab_open(&lab,
	    "vantage me 10.0.0.2 2001:db8:1::10\n"
	    "router nat 10.0.0.1 2001:db8:1::1 nat 198.51.100.1 "
	    "nat 2001:db8:9::1\n"
	    "router far 203.0.113.1 2001:db8:2::1\n"
	    "host web 192.0.2.80 2001:db8:80::1 tcp 80\n"
	    "link me nat\nlink nat far\nlink far web\n");
	for (size_t i = 0; i < 2; i++) {
		struct addr own = addr(i ? "2001:db8:1::10" : "10.0.0.2");
		struct probe p = lab_echo(dsts[i], 64);
		assert_int_equal(lab_ask(&lab, &p), 1);
		lab_checksums(&lab);
		assert_int_equal(lab.packet.icmp_id, 0x1111);
		p.ttl = 2;
		assert_int_equal(lab_ask(&lab, &p), 1);
		lab_checksums(&lab);
		p = lab_udp(dsts[i], 2);
		assert_int_equal(lab_ask(&lab, &p), 1);
		lab_checksums(&lab);
		assert_true(addr_equal(&lab.packet.dst, &own));
		assert_int_equal(packet_decode_quote(&quoted, &lab.packet), 0);
		assert_true(addr_equal(&quoted.src, &own));
		assert_int_equal(quoted.sport, 40000);
		p = (struct probe){ .dst = addr(dsts[i]),
			.proto = PACKET_TCP,
			.ttl = 64,
			.sport = 5000,
			.dport = 80,
			.tcp_seq = 9,
			.tcp_flags = PACKET_TCP_SYN };
		assert_int_equal(lab_ask(&lab, &p), 1);
		lab_checksums(&lab);
		assert_int_equal(lab.packet.dport, 5000);
	}
	lab_close(&lab);
}

static void a_web_server_answers_one_request(void **state)
{
	(void)state;
	struct lab lab;
	static const uint8_t request[] = "GET / HTTP/1.1\r\n\r\n";
	lab_open(&lab,
	    "vantage me 198.51.100.10\nhost web 192.0.2.80 serve http:8080\n"
	    "link me web\n");
	struct probe p = { .dst = addr("192.0.2.80"),
		.proto = PACKET_TCP,
		.ttl = 64,
		.sport = 5000,
		.dport = 8080,
		.tcp_seq = 9,
		.tcp_flags = PACKET_TCP_SYN };
	assert_int_equal(lab_ask(&lab, &p), 1);
	assert_int_equal(lab.packet.tcp_flags, PACKET_TCP_SYN | PACKET_TCP_ACK);
	p.tcp_flags = PACKET_TCP_ACK | PACKET_TCP_PSH;
	p.tcp_seq = 10;
	p.tcp_ack = lab.packet.tcp_seq + 1;
	p.payload = request;
	p.payload_len = sizeof(request) - 1;
	assert_int_equal(lab_ask(&lab, &p), 1);
	lab_checksums(&lab);
	assert_int_equal(lab.packet.tcp_ack, 10 + sizeof(request) - 1);
	assert_int_equal(lab.packet.tcp_seq, p.tcp_ack);
	assert_true(lab.packet.tcp_flags & PACKET_TCP_FIN);
	assert_memory_equal(lab.packet.payload, "HTTP/1.1 200 OK\r\n", 17);
	/* It takes the acknowledgement, and no second request. */
	struct probe again = p;
	p.tcp_flags = PACKET_TCP_ACK;
	p.tcp_seq += p.payload_len;
	p.tcp_ack += (uint32_t)lab.packet.payload_wire_len + 1;
	p.payload_len = 0;
	assert_int_equal(lab_ask(&lab, &p), 0);
	assert_int_equal(lab_ask(&lab, &again), 1);
	assert_int_equal(lab.packet.tcp_flags, PACKET_TCP_RST);
	lab_close(&lab);
}

static void tcp_knows_its_conversations(void **state)
{
	(void)state;
	struct lab lab;
	lab_open(&lab,
	    "vantage me 198.51.100.10\nhost web 192.0.2.80 tcp 22\n"
	    "link me web\n");
	struct probe p = { .dst = addr("192.0.2.80"),
		.proto = PACKET_TCP,
		.ttl = 64,
		.sport = 5000,
		.dport = 22,
		.tcp_seq = 9,
		.tcp_ack = 7,
		.tcp_flags = PACKET_TCP_ACK };
	assert_int_equal(lab_ask(&lab, &p), 1); /* of none */
	assert_int_equal(lab.packet.tcp_flags, PACKET_TCP_RST);
	p.tcp_flags = PACKET_TCP_SYN;
	assert_int_equal(lab_ask(&lab, &p), 1);
	uint32_t first = lab.packet.tcp_seq;
	assert_int_equal(lab_ask(&lab, &p), 1); /* again: the same one */
	assert_int_equal(lab.packet.tcp_seq, first);
	p.tcp_flags = PACKET_TCP_ACK;
	p.tcp_seq = 10;
	p.tcp_ack = first + 1;
	assert_int_equal(lab_ask(&lab, &p), 0);
	p.payload_len = 5;
	assert_int_equal(lab_ask(&lab, &p), 1); /* a receipt */
	lab_checksums(&lab);
	assert_int_equal(lab.packet.tcp_flags, PACKET_TCP_ACK);
	assert_int_equal(lab.packet.tcp_ack, 15);
	p.sport++; /* another's */
	assert_int_equal(lab_ask(&lab, &p), 1);
	assert_int_equal(lab.packet.tcp_flags, PACKET_TCP_RST);
	p.sport--;
	p.tcp_flags = PACKET_TCP_RST;
	assert_int_equal(lab_ask(&lab, &p), 0);
	p.tcp_flags = PACKET_TCP_ACK; /* forgotten */
	assert_int_equal(lab_ask(&lab, &p), 1);
	assert_int_equal(lab.packet.tcp_flags, PACKET_TCP_RST);
	lab_close(&lab);
}

/* A queue that others half fill holds packets up as an M/M/1 queue does. */
static void load_makes_packets_wait(void **state)
{
	(void)state;
	struct lab lab;
	lab_open(&lab,
	    "vantage me 198.51.100.10\nhost web 192.0.2.80\n"
	    "link me web delay 1ms rate 1M queue 10M load 50% back load 0\n");
	struct probe p = lab_echo("192.0.2.80", 64);
	double sum_ms = 0;
	enum { PROBES = 2000 };
	for (int i = 0; i < PROBES; i++) {
		assert_int_equal(lab_ask(&lab, &p), 1);
		sum_ms += (double)(lab.at_ns - lab.sent_ns) / 1e6;
	}
	/* 2 ms, twice 36 octets at 1 Mbit/s, and load / (1 - load) times 12 ms
	 * of service; the spread of a wait is about twice its mean. */
	double wait_ms = sum_ms / PROBES - 2 - 2 * 36 * 8e-3;
	assert_true(wait_ms > 12 - 2 && wait_ms < 12 + 2);
	lab_close(&lab);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(advice_comes_beside_the_answer),
		cmocka_unit_test(
		    rejections_have_the_code_and_source_that_is_stated),
		cmocka_unit_test(limits_are_those_of_linux),
		cmocka_unit_test(a_global_bucket_bounds_all_destinations),
		cmocka_unit_test(ip_ids_count_as_stated),
		cmocka_unit_test(translators_keep_checksums_right),
		cmocka_unit_test(a_web_server_answers_one_request),
		cmocka_unit_test(tcp_knows_its_conversations),
		cmocka_unit_test(load_makes_packets_wait),
		cmocka_unit_test(a_path_that_takes_less_may_say_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
