/* SPDX-License-Identifier: ISC */
/* The captures are of nmap 7.93 and masscan 1.3.2 between two namespaces: what
 * 192.0.2.1 sent, with the RSTs of its kernel. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <pcap/pcap.h>
#include <cmocka.h>

#include "lib/base/hash.h"
#include "probes/sensor/detect/tools.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static enum fingerprint match_of(const struct packet *p)
{
	struct message m;
	message_read(p, &m);
	return tools_match(p, &m);
}

static void each_scan_is_known_by_its_packets(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		struct {
			enum fingerprint fingerprint;
			unsigned packets;
		} expected[3];
	} captures[] = {
		{ "masscan-tcp", { { FINGERPRINT_MASSCAN, 3 } } },
		{ "masscan-udp", { { FINGERPRINT_MASSCAN_UDP, 5 } } },
		{ "nmap-ack", { { FINGERPRINT_NMAP_ACK, 3 } } },
		{ "nmap-connect", { { FINGERPRINT_NONE, 5 } } },
		{ "nmap-fin", { { FINGERPRINT_NMAP_FIN, 4 } } },
		{ "nmap-maimon", { { FINGERPRINT_NMAP_MAIMON, 3 } } },
		{ "nmap-null", { { FINGERPRINT_NMAP_NULL, 4 } } },
		{ "nmap-os", { { FINGERPRINT_NMAP_OS, 22 } } },
		{ "nmap-ping",
		    { { FINGERPRINT_NMAP_PING, 2 }, { FINGERPRINT_NMAP_SYN, 1 },
			{ FINGERPRINT_NMAP_ACK, 1 } } },
		{ "nmap-proto",
		    { { FINGERPRINT_PROTOCOL, 7 },
			{ FINGERPRINT_NMAP_SCTP, 1 } } },
		{ "nmap-sctp", { { FINGERPRINT_NMAP_SCTP, 3 } } },
		{ "nmap-sctp-cookie", { { FINGERPRINT_NMAP_COOKIE, 3 } } },
		{ "nmap-syn", { { FINGERPRINT_NMAP_SYN, 3 } } },
		{ "nmap-udp", { { FINGERPRINT_NMAP_UDP, 6 } } },
		{ "nmap-window", { { FINGERPRINT_NMAP_ACK, 3 } } },
		{ "nmap-xmas", { { FINGERPRINT_NMAP_XMAS, 4 } } },
	};
	for (size_t i = 0; i < COUNT(captures); i++) {
		char path[128], error[PCAP_ERRBUF_SIZE];
		unsigned seen[FINGERPRINTS] = { 0 };
		snprintf(path, sizeof(path), "tests/fixtures/tools/%s.pcap",
		    captures[i].name);
		pcap_t *c = pcap_open_offline(path, error);
		if (!c)
			fail_msg("%s", error);
		struct pcap_pkthdr *h;
		const u_char *bytes;
		while (pcap_next_ex(c, &h, &bytes) == 1) {
			struct packet p;
			assert_int_equal(
			    packet_decode_link(
				&p, pcap_datalink(c), bytes, h->caplen, h->len),
			    0);
			seen[match_of(&p)]++;
		}
		pcap_close(c);
		/* And nothing else, but for what bears nothing. */
		unsigned others = 0;
		for (size_t f = 1; f < FINGERPRINTS; f++)
			others += seen[f];
		for (size_t e = 0; e < COUNT(captures[i].expected); e++) {
			enum fingerprint f =
			    captures[i].expected[e].fingerprint;
			unsigned packets = captures[i].expected[e].packets;
			if (packets > 0 && seen[f] != packets)
				fail_msg("%s: %u %s", path, seen[f],
				    fingerprint_fact(f)->name);
			others -= f == FINGERPRINT_NONE ? 0 : packets;
		}
		if (others != 0)
			fail_msg("%s: %u others", path, others);
	}
}

static struct packet syn_packet(void)
{
	return (struct packet){ .proto = PACKET_TCP,
		.src = { 4, { 203, 0, 113, 9 } },
		.dst = { 4, { 198, 51, 100, 7 } },
		.ip_len = 40,
		.ttl = 250,
		.sport = 40000,
		.dport = 23,
		.tcp_seq = 0x12345678,
		.has_tcp_flags = true,
		.tcp_flags = PACKET_TCP_SYN,
		.tcp_header_len = 20 };
}

static void zmap_is_all_of_its_facts(void **state)
{
	(void)state;
	struct packet p = syn_packet();
	p.ip_id = 54321;
	p.tcp_window = 65535;
	assert_int_equal(match_of(&p), FINGERPRINT_ZMAP);
	/* One packet is enough: odds of 2^-32 and no less. */
	assert_true(fingerprint_fact(FINGERPRINT_ZMAP)->bits >= 32);
	p.tcp_window = 64240;
	assert_int_equal(match_of(&p), FINGERPRINT_ZMAP_ID);
	p.tcp_window = 65535;
	p.tcp_header_len = 40;
	assert_int_equal(match_of(&p), FINGERPRINT_ZMAP_ID);
	p.tcp_header_len = 20;
	p.ip_id++;
	assert_int_equal(match_of(&p), FINGERPRINT_NONE);
	p.ip_id = 54321;
	p.ip_damaged = true;
	assert_int_equal(match_of(&p), FINGERPRINT_NONE);
	p.ip_damaged = false;
	p.fragment = p.first_fragment = true;
	assert_int_equal(match_of(&p), FINGERPRINT_NONE);
}

static void masscan_has_its_sum_and_its_window(void **state)
{
	(void)state;
	static const uint8_t mss[] = { 2, 4, 5, 0xb4 };
	struct packet p = syn_packet();
	p.ip_id = 0x6407 ^ 23 ^ 0x5678;
	p.tcp_window = 1024;
	assert_int_equal(match_of(&p), FINGERPRINT_MASSCAN);
	p.tcp_window = 1025;
	assert_int_equal(match_of(&p), FINGERPRINT_MASSCAN_ID);
	p.tcp_header_len = 24;
	p.tcp_options = mss;
	assert_int_equal(match_of(&p), FINGERPRINT_MASSCAN);
	p.ip_id ^= 1;
	assert_int_equal(match_of(&p), FINGERPRINT_NONE);
	/* A term of IPv6 there is none. */
	p.ip_id ^= 1;
	p.src.family = p.dst.family = 6;
	assert_int_equal(match_of(&p), FINGERPRINT_NONE);
}

static void a_scan_in_a_third_hosts_name_may_be_forged(void **state)
{
	(void)state;
	static const uint8_t mss[] = { 2, 4, 5, 0xb4 };
	struct packet p = syn_packet();
	p.tcp_window = 1024;
	p.tcp_header_len = 24;
	p.tcp_options = mss;
	assert_int_equal(match_of(&p), FINGERPRINT_NMAP_SYN);
	assert_false(fingerprint_fact(FINGERPRINT_NMAP_SYN)->maybe_forged);
	/* IPv6 too. */
	p.src.family = p.dst.family = 6;
	assert_int_equal(match_of(&p), FINGERPRINT_NMAP_SYN);
	p.sport = 80;
	assert_int_equal(match_of(&p), FINGERPRINT_NMAP_IDLE);
	assert_true(fingerprint_fact(FINGERPRINT_NMAP_IDLE)->maybe_forged);
	/* Another segment size is another system's. */
	static const uint8_t other[] = { 2, 4, 5, 0x78 };
	p.tcp_options = other;
	assert_int_equal(match_of(&p), FINGERPRINT_NONE);
}

static void flags_alone_are_named_without_a_tool(void **state)
{
	(void)state;
	static const struct {
		uint8_t flags;
		enum fingerprint fingerprint;
	} cases[] = {
		{ PACKET_TCP_FIN, FINGERPRINT_FIN },
		{ 0, FINGERPRINT_NULL },
		{ PACKET_TCP_FIN | PACKET_TCP_PSH | PACKET_TCP_URG,
		    FINGERPRINT_XMAS },
		{ PACKET_TCP_SYN | PACKET_TCP_FIN, FINGERPRINT_FLAGS },
		{ PACKET_TCP_ACK, FINGERPRINT_NONE },
		{ PACKET_TCP_ACK | PACKET_TCP_FIN, FINGERPRINT_NONE },
		{ PACKET_TCP_SYN | PACKET_TCP_ACK, FINGERPRINT_NONE },
		{ PACKET_TCP_RST, FINGERPRINT_NONE },
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct packet p = syn_packet();
		p.tcp_flags = cases[i].flags;
		p.tcp_window = 65535;
		assert_int_equal(match_of(&p), cases[i].fingerprint);
	}
}

/* What Linux, Windows, macOS and a small embedded stack send. */
static void ordinary_packets_bear_nothing(void **state)
{
	(void)state;
	static const struct {
		uint16_t window, id;
		size_t len;
		const char *options;
	} stacks[] = {
		{ 64240, 0, 20,
		    "\x02\x04\x05\xb4\x04\x02\x08\x0a\x01\x02\x03\x04\0\0\0\0"
		    "\x01\x03\x03\x07" },
		{ 65535, 7, 20,
		    "\x02\x04\x05\xb4\x01\x03\x03\x06\x01\x01\x08\x0a\x01\x02"
		    "\x03\x04\0\0\0\0" },
		{ 64240, 9, 12,
		    "\x02\x04\x05\xb4\x01\x03\x03\x08\x01\x01\x04\x02" },
		{ 2144, 9, 4, "\x02\x04\x02\x18" },
		{ 1024, 9, 8, "\x02\x04\x05\xb4\x01\x01\x04\x02" },
		{ 8192, 9, 0, "" },
	};
	for (size_t i = 0; i < COUNT(stacks); i++) {
		struct packet p = syn_packet();
		p.tcp_window = stacks[i].window;
		p.ip_id = stacks[i].id;
		p.tcp_header_len = (uint8_t)(20 + stacks[i].len);
		p.tcp_options = (const uint8_t *)stacks[i].options;
		assert_int_equal(match_of(&p), FINGERPRINT_NONE);
		/* The end of a connection. */
		p.tcp_flags = PACKET_TCP_FIN | PACKET_TCP_ACK;
		assert_int_equal(match_of(&p), FINGERPRINT_NONE);
	}
}

#define DRAWS (1 << 21)

/* Headers filled at random bear a fingerprint as rarely as is stated: of SYNs
 * without options and with the window that each tool has. */
static void chance_bears_a_fingerprint_as_rarely_as_stated(void **state)
{
	(void)state;
	unsigned seen[FINGERPRINTS] = { 0 };
	for (uint64_t i = 0; i < DRAWS; i++) {
		uint64_t a = hash_mix(1, i), b = hash_mix(2, i);
		struct packet p = syn_packet();
		p.tcp_seq = (uint32_t)a;
		p.ip_id = (uint16_t)(a >> 32);
		p.dport = (uint16_t)(a >> 48);
		p.dst = addr_v4((uint32_t)b);
		p.tcp_window = (uint16_t)(b >> 32);
		seen[match_of(&p)]++;
		p.tcp_flags = PACKET_TCP_ACK;
		p.tcp_window = 1024;
		seen[match_of(&p)]++;
	}
	/* 2^21 draws of 2^-16 are 32 expected. */
	assert_in_range(seen[FINGERPRINT_ZMAP_ID], 8, 70);
	assert_in_range(seen[FINGERPRINT_MASSCAN_ID], 8, 70);
	assert_int_equal(seen[FINGERPRINT_ZMAP], 0);
	assert_int_equal(seen[FINGERPRINT_MASSCAN], 0);
	assert_int_equal(seen[FINGERPRINT_NMAP_ACK], 0);
	for (size_t f = 1; f < FINGERPRINTS; f++) {
		const struct fingerprint_fact *fact =
		    fingerprint_fact((enum fingerprint)f);
		assert_non_null(fact->name);
		assert_true(fact->bits > 0);
		if (fact->tool != SIGNATURE_NONE)
			assert_non_null(signature_name(fact->tool));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_scan_is_known_by_its_packets),
		cmocka_unit_test(zmap_is_all_of_its_facts),
		cmocka_unit_test(masscan_has_its_sum_and_its_window),
		cmocka_unit_test(a_scan_in_a_third_hosts_name_may_be_forged),
		cmocka_unit_test(flags_alone_are_named_without_a_tool),
		cmocka_unit_test(ordinary_packets_bear_nothing),
		cmocka_unit_test(
		    chance_bears_a_fingerprint_as_rarely_as_stated),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
