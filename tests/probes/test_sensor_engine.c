/* SPDX-License-Identifier: ISC */
/* Frames in, findings out: what a source's packets together are taken for. */
#include <pcap/dlt.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "probes/sensor/engine.h"
#include "tests/probes/frames.h"

#define FOUND_MAX 4096

struct world {
	struct engine *engine;
	struct finding found[FOUND_MAX];
	size_t count;
	int64_t now_ns;
	struct buf bytes;
};
static struct world world;

static void on_finding(void *arg, const struct finding *f)
{
	struct world *w = arg;
	assert_true(w->count < FOUND_MAX);
	w->found[w->count++] = *f;
}

static void start(uint32_t max_sources, const char *home)
{
	struct prefix prefix;
	if (home)
		assert_int_equal(prefix_parse(&prefix, home, NULL), 0);
	engine_free(world.engine);
	world.count = 0;
	world.now_ns = INT64_C(1700000000) * NS_PER_S;
	world.engine = engine_new(&(struct engine_config){
	    .max_sources = max_sources,
	    .max_counters = 16,
	    .max_payloads = 16,
	    .max_payload_bytes = 16384,
	    .homes = home ? &prefix : NULL,
	    .home_count = home ? 1 : 0,
	    .finding = on_finding,
	    .arg = &world,
	});
}

/* after_ms: since the packet before. */
static void send(struct frame f, int64_t after_ms)
{
	f.src = f.src ? f.src : "203.0.113.9";
	f.dst = f.dst ? f.dst : "198.51.100.7";
	world.now_ns += after_ms * NS_PER_MS;
	buf_clear(&world.bytes);
	frame_put(&world.bytes, &f);
	engine_packet(world.engine, DLT_RAW, world.bytes.data,
	    world.bytes.len, world.bytes.len,
	    (struct walltime){world.now_ns});
}

static const struct finding *only(void)
{
	engine_flush(world.engine);
	assert_int_equal(world.count, 1);
	return &world.found[0];
}

static void expect(enum verdict verdict, enum signature signature)
{
	const struct finding *f = only();
	assert_string_equal(verdict_name(f->verdict), verdict_name(verdict));
	assert_int_equal(f->signature, signature);
}

/* To a number of addresses and ports, count times each. */
static void sweep(struct frame f, int addresses, int ports, int count)
{
	char dst[32];
	for (int i = 0; i < addresses * ports * count; i++) {
		snprintf(dst, sizeof(dst), "198.51.100.%d",
		    1 + i % addresses);
		f.dst = dst;
		f.dport = (uint16_t)(f.dport + (ports > 1 ? 1 : 0));
		f.ip_id = (uint16_t)(f.ip_id + 7919);
		f.seq += 12345;
		send(f, 1000);
	}
}

static const struct frame syn = {.proto = PACKET_TCP, .dport = 23};
static const struct frame ping = {.proto = PACKET_ICMP, .icmp_type = 8};
static const struct frame udp = {.proto = PACKET_UDP, .dport = 5060};

static void several_targets_or_ports_are_a_scan(void **state)
{
	(void)state;
	const struct frame kinds[] = {syn, ping, udp};
	for (size_t i = 0; i < 3; i++) {
		start(100, NULL);
		sweep(kinds[i], 5, 1, 3);
		expect(VERDICT_SCAN, SIGNATURE_NONE);
		assert_int_equal(world.found[0].packets, 15);
		assert_int_equal(world.found[0].targets, 5);
	}
	start(100, NULL);
	sweep(syn, 1, 40, 1);
	expect(VERDICT_SCAN, SIGNATURE_NONE);
	assert_int_equal(world.found[0].targets, 1);
	start(100, NULL);
	sweep(syn, 1, 2000, 1);
	expect(VERDICT_SCAN, SIGNATURE_NONE);
	assert_int_equal(world.found[0].packets, 2000);
}

static void one_probe_is_a_scan_and_repeating_it_is_not(void **state)
{
	(void)state;
	start(100, NULL);
	send(syn, 0);
	expect(VERDICT_SCAN, SIGNATURE_NONE);
	start(100, NULL);
	sweep(syn, 1, 1, 3);
	expect(VERDICT_MISCONFIGURATION, SIGNATURE_NONE);
	start(100, NULL);
	sweep(udp, 1, 1, 50);
	expect(VERDICT_MISCONFIGURATION, SIGNATURE_NONE);
}

static void many_at_once_for_one_target_are_a_flood(void **state)
{
	(void)state;
	const struct frame kinds[] = {syn, ping, udp};
	for (size_t i = 0; i < 3; i++) {
		start(100, NULL);
		for (int n = 0; n < 200; n++)
			send(kinds[i], 50);
		expect(VERDICT_FLOOD, SIGNATURE_NONE);
		start(100, NULL);
		for (int n = 0; n < 99; n++)
			send(kinds[i], 50);
		expect(VERDICT_MISCONFIGURATION, SIGNATURE_NONE);
	}
	/* Many ports, each once or a few times, is a scan however fast. */
	struct frame f = syn;
	start(100, NULL);
	for (int n = 0; n < 120; n++) {
		f.dport = (uint16_t)(100 + n % 40);
		send(f, 10);
	}
	expect(VERDICT_SCAN, SIGNATURE_NONE);
	start(100, NULL);
	for (int n = 0; n < 2000; n++, f.dport++)
		send(f, 1);
	expect(VERDICT_SCAN, SIGNATURE_NONE);
}

static void a_flood_from_forged_sources_is_one_too(void **state)
{
	(void)state;
	char src[32];
	struct frame f = syn;
	start(4000, NULL);
	for (int n = 0; n < 3000; n++) {
		snprintf(src, sizeof(src), "10.%d.%d.1", n / 250, n % 250);
		f.src = src;
		send(f, 1);
	}
	engine_flush(world.engine);
	assert_int_equal(world.count, 3000);
	for (size_t i = 0; i < world.count; i++)
		assert_int_equal(world.found[i].verdict, VERDICT_FLOOD);
	/* The same number, spread over the addresses, is none. */
	start(4000, NULL);
	char dst[32];
	for (int n = 0; n < 3000; n++) {
		snprintf(src, sizeof(src), "10.%d.%d.1", n / 250, n % 250);
		snprintf(dst, sizeof(dst), "198.51.100.%d", 1 + n % 200);
		f.src = src;
		f.dst = dst;
		send(f, 1);
	}
	engine_flush(world.engine);
	for (size_t i = 0; i < world.count; i++)
		assert_int_equal(world.found[i].verdict, VERDICT_SCAN);
}

static void answers_make_victims_never_attackers(void **state)
{
	(void)state;
	static const uint8_t flags[] = {PACKET_TCP_SYN | PACKET_TCP_ACK,
	    PACKET_TCP_RST, PACKET_TCP_RST | PACKET_TCP_ACK};
	static const uint8_t types[] = {0, 3, 4, 5, 11, 12, 14, 16, 18};
	struct frame f = {.proto = PACKET_TCP, .sport = 80, .dport = 4444};
	for (size_t i = 0; i < sizeof(flags); i++) {
		start(100, NULL);
		f.flags = flags[i];
		sweep(f, 50, 1, 10);
		expect(VERDICT_BACKSCATTER, SIGNATURE_NONE);
	}
	for (size_t i = 0; i < sizeof(types); i++) {
		start(100, NULL);
		sweep((struct frame){.proto = PACKET_ICMP,
		    .icmp_type = types[i]}, 50, 1, 10);
		expect(VERDICT_BACKSCATTER, SIGNATURE_NONE);
	}
	start(100, NULL);
	sweep((struct frame){.proto = PACKET_UDP, .sport = 53, .dport = 99},
	    9, 9, 1);
	expect(VERDICT_BACKSCATTER, SIGNATURE_NONE);
	/* Whatever it looks like: a RST with a worm's sequence number. */
	start(100, NULL);
	f.flags = PACKET_TCP_RST;
	f.seq = 0xc6336407;
	send(f, 0);
	expect(VERDICT_BACKSCATTER, SIGNATURE_NONE);
}

static void the_victim_of_an_icmp_error_is_in_its_quote(void **state)
{
	(void)state;
	uint8_t slammer[376];
	struct buf quote = {0};
	frame_slammer(slammer, sizeof(slammer));
	struct frame inner = {.src = "198.51.100.7", .dst = "192.0.2.80",
	    .proto = PACKET_UDP, .dport = 1434, .payload = slammer,
	    .payload_len = sizeof(slammer)};
	frame_put(&quote, &inner);
	start(100, NULL);
	send((struct frame){.proto = PACKET_ICMP, .icmp_type = 3,
	    .icmp_code = 1, .payload = quote.data,
	    .payload_len = quote.len}, 0);
	/* The octets of the frame are gone before it is counted. */
	memset(world.bytes.data, 0, world.bytes.len);
	expect(VERDICT_BACKSCATTER, SIGNATURE_NONE);
	char text[ADDR_TEXT_LEN];
	assert_string_equal(
	    addr_text(&world.found[0].victim, text), "192.0.2.80");
	assert_int_equal(world.found[0].icmp, 3 << 8 | 1);
	buf_fini(&quote);
}

static void a_worm_packet_is_enough(void **state)
{
	(void)state;
	uint8_t payload[376];
	frame_slammer(payload, sizeof(payload));
	struct frame f = {.proto = PACKET_UDP, .dport = 1434,
	    .payload = payload, .payload_len = sizeof(payload)};
	start(100, NULL);
	send(f, 0);
	expect(VERDICT_WORM, SIGNATURE_SLAMMER);
	assert_true(world.found[0].has_hash);
	assert_int_equal(world.found[0].dport, 1434);
	f = syn;
	f.seq = 0xc6336407;
	start(100, NULL);
	send(f, 0);
	expect(VERDICT_WORM, SIGNATURE_MIRAI);
	assert_false(world.found[0].has_hash);
	f.fragment = 0x2000;
	start(100, NULL);
	send(f, 0);
	expect(VERDICT_OTHER, SIGNATURE_NONE);
	assert_int_equal(engine_counts(world.engine)->fragments, 1);
}

static struct frame masscan(uint32_t n)
{
	struct frame f = syn;
	f.seq = n * 2654435761u;
	f.ip_id = (uint16_t)(0xc6336407 ^ f.dport ^ f.seq);
	f.ttl = 252;
	f.window = 1024;
	return f;
}

static void a_tool_needs_two_packets_and_all_of_them(void **state)
{
	(void)state;
	start(100, NULL);
	send(masscan(1), 0);
	expect(VERDICT_SCAN, SIGNATURE_NONE);
	start(100, NULL);
	send(masscan(1), 0);
	send(masscan(2), 0);
	expect(VERDICT_SCAN, SIGNATURE_MASSCAN);
	start(100, NULL);
	send(masscan(1), 0);
	send(masscan(2), 0);
	struct frame f = masscan(3);
	f.ip_id++;
	send(f, 0);
	engine_flush(world.engine);
	assert_int_equal(world.found[0].signature, SIGNATURE_NONE);

	f = syn;
	f.ip_id = 54321;
	f.ttl = 245;
	f.window = 65535;
	start(100, NULL);
	send(f, 0);
	expect(VERDICT_SCAN, SIGNATURE_NONE);
	start(100, NULL);
	send(f, 0);
	f.dst = "198.51.100.8";
	send(f, 0);
	expect(VERDICT_SCAN, SIGNATURE_ZMAP);
}

static void chance_matches_among_many_packets_are_no_tool(void **state)
{
	(void)state;
	struct frame f = syn;
	start(100, NULL);
	for (unsigned i = 0; i < 1000; i++) {
		f.dport = (uint16_t)(i % 10);
		f.seq = i * 2654435761u;
		f.ip_id = (uint16_t)(i * 40503);
		if (i == 500 || i == 700)
			f.ip_id = (uint16_t)(0xc6336407 ^ f.dport ^ f.seq);
		send(f, 1);
	}
	engine_flush(world.engine);
	for (size_t i = 0; i < world.count; i++)
		assert_int_equal(world.found[i].signature, SIGNATURE_NONE);
}

static void a_port_with_one_match_is_no_tool_either(void **state)
{
	(void)state;
	struct frame f = syn;
	for (int zmap = 0; zmap < 2; zmap++) {
		start(100, NULL);
		for (unsigned i = 0; i < 12; i++) {
			f.dport = (uint16_t)(i + 1);
			f.seq = i * 2654435761u;
			f.ip_id = (uint16_t)(i * 40503);
			if (i % 6 == 0)
				f.ip_id = zmap ? 54321
				    : (uint16_t)(0xc6336407 ^ f.dport ^ f.seq);
			send(f, 1);
		}
		expect(VERDICT_SCAN, SIGNATURE_NONE);
	}
}

static void a_high_ttl_is_odd_unless_a_tool_makes_it(void **state)
{
	(void)state;
	struct frame f = syn;
	f.ttl = 230;
	f.window = 512;
	start(100, NULL);
	send(f, 0);
	expect(VERDICT_OTHER, SIGNATURE_NONE);
	static const uint16_t windows[] = {1024, 1025, 65535};
	for (size_t i = 0; i < 3; i++) {
		f.window = windows[i];
		start(100, NULL);
		send(f, 0);
		expect(VERDICT_SCAN, SIGNATURE_NONE);
	}
	/* Who asks several is no forger, whatever his TTL. */
	f.window = 512;
	start(100, NULL);
	sweep(f, 4, 1, 1);
	expect(VERDICT_SCAN, SIGNATURE_NONE);
}

static void odd_flags_scan_when_they_go_round(void **state)
{
	(void)state;
	struct frame f = syn;
	f.flags = PACKET_TCP_FIN | PACKET_TCP_PSH | PACKET_TCP_URG;
	start(100, NULL);
	send(f, 0);
	expect(VERDICT_OTHER, SIGNATURE_NONE);
	start(100, NULL);
	sweep(f, 1, 10, 1);
	expect(VERDICT_SCAN, SIGNATURE_NONE);
	/* Data without a handshake is neither. */
	f.flags = PACKET_TCP_ACK | PACKET_TCP_PSH;
	start(100, NULL);
	sweep(f, 10, 10, 1);
	expect(VERDICT_OTHER, SIGNATURE_NONE);
}

static void lost_chatter_is_misconfiguration(void **state)
{
	(void)state;
	static const uint16_t ports[] = {67, 137, 138, 1900, 5353, 5355};
	struct frame f = udp;
	for (size_t i = 0; i < sizeof(ports) / sizeof(ports[0]); i++) {
		start(100, NULL);
		f.dport = ports[i];
		send(f, 0);
		expect(VERDICT_MISCONFIGURATION, SIGNATURE_NONE);
	}
	start(100, NULL);
	f = udp;
	f.payload = "d1:ad2:id20:";
	f.payload_len = 12;
	sweep(f, 20, 1, 1);
	expect(VERDICT_MISCONFIGURATION, SIGNATURE_NONE);
	/* Asking everybody for NetBIOS names is not chatter. */
	f = udp;
	f.dport = 137;
	start(100, NULL);
	char dst[32];
	for (int i = 1; i < 20; i++) {
		snprintf(dst, sizeof(dst), "198.51.100.%d", i);
		f.dst = dst;
		send(f, 10);
	}
	expect(VERDICT_SCAN, SIGNATURE_NONE);
	start(100, NULL);
	send((struct frame){.src = "0.0.0.0", .dst = "255.255.255.255",
	    .proto = PACKET_UDP, .sport = 68, .dport = 67}, 0);
	expect(VERDICT_MISCONFIGURATION, SIGNATURE_NONE);
}

static void neighbours_are_no_scanners(void **state)
{
	(void)state;
	struct frame f = {.src = "fe80::1", .dst = "ff02::1",
	    .proto = PACKET_ICMP6, .icmp_type = 135};
	start(100, NULL);
	send(f, 0);
	expect(VERDICT_OTHER, SIGNATURE_NONE);
	start(100, NULL);
	f.src = "2001:db8::1";
	f.icmp_type = 128;
	f.dst = "2001:db8:1::1";
	send(f, 0);
	f.dst = "2001:db8:1::2";
	send(f, 0);
	expect(VERDICT_SCAN, SIGNATURE_NONE);
	start(100, NULL);
	f.icmp_type = 1;
	send(f, 0);
	expect(VERDICT_BACKSCATTER, SIGNATURE_NONE);
}

static void home_is_left_out_and_so_are_its_answers(void **state)
{
	(void)state;
	start(100, "198.51.100.0/24");
	struct frame out = {.src = "198.51.100.7", .dst = "192.0.2.80",
	    .proto = PACKET_TCP, .sport = 5555, .dport = 80};
	struct frame in = {.src = "192.0.2.80", .dst = "198.51.100.7",
	    .proto = PACKET_TCP, .sport = 80, .dport = 5555,
	    .flags = PACKET_TCP_SYN | PACKET_TCP_ACK};
	send(out, 0);
	send(in, 10);
	engine_flush(world.engine);
	assert_int_equal(world.count, 0);
	assert_int_equal(engine_counts(world.engine)->home, 1);
	assert_int_equal(engine_counts(world.engine)->replies, 1);
	/* The same answer on another port, or too late, is backscatter. */
	in.dport = 5556;
	send(in, 10);
	engine_flush(world.engine);
	assert_int_equal(world.count, 1);
	in.dport = 5555;
	send(in, 601000);
	engine_flush(world.engine);
	assert_int_equal(world.count, 2);
	assert_int_equal(world.found[1].verdict, VERDICT_BACKSCATTER);
}

static void errors_about_what_home_sent_are_its_own(void **state)
{
	(void)state;
	struct buf quote = {0};
	struct frame out = {.src = "198.51.100.7", .dst = "192.0.2.80",
	    .proto = PACKET_UDP, .sport = 5555, .dport = 33434};
	start(100, "198.51.100.7/32");
	send(out, 0);
	frame_put(&quote, &out);
	struct frame in = {.src = "203.0.113.1", .proto = PACKET_ICMP,
	    .icmp_type = 11, .payload = quote.data,
	    .payload_len = quote.len};
	send(in, 10);
	engine_flush(world.engine);
	assert_int_equal(world.count, 0);
	quote.data[20] ^= 1; /* another source port */
	send(in, 10);
	engine_flush(world.engine);
	assert_int_equal(world.count, 1);
	buf_fini(&quote);
}

static void a_refusal_of_home_opens_no_door(void **state)
{
	(void)state;
	start(100, "198.51.100.0/24");
	sweep(syn, 3, 1, 1);
	struct frame rst = {.src = "198.51.100.1", .dst = "203.0.113.9",
	    .proto = PACKET_TCP, .sport = 23, .dport = 40000,
	    .flags = PACKET_TCP_RST | PACKET_TCP_ACK};
	send(rst, 1);
	sweep(syn, 3, 1, 1);
	expect(VERDICT_SCAN, SIGNATURE_NONE);
	assert_int_equal(world.found[0].packets, 6);
}

static void a_client_of_a_home_server_is_no_scanner(void **state)
{
	(void)state;
	start(100, "198.51.100.0/24");
	struct frame in = syn;
	in.dport = 443;
	send(in, 0);
	send((struct frame){.src = "198.51.100.7", .dst = "203.0.113.9",
	    .proto = PACKET_TCP, .sport = 443, .dport = 40000,
	    .flags = PACKET_TCP_SYN | PACKET_TCP_ACK}, 1);
	in.flags = PACKET_TCP_ACK;
	send(in, 1);
	expect(VERDICT_OTHER, SIGNATURE_NONE);
	assert_int_equal(world.found[0].packets, 1);
}

static void a_worm_is_one_even_in_a_flow_of_home(void **state)
{
	(void)state;
	uint8_t payload[376];
	frame_slammer(payload, sizeof(payload));
	start(100, "198.51.100.0/24");
	send((struct frame){.src = "198.51.100.7", .dst = "203.0.113.9",
	    .proto = PACKET_UDP, .sport = 1434, .dport = 40000}, 0);
	send((struct frame){.proto = PACKET_UDP, .dport = 1434,
	    .payload = payload, .payload_len = sizeof(payload)}, 1);
	expect(VERDICT_WORM, SIGNATURE_SLAMMER);
}

static void the_longest_silent_gives_way_and_speaks_first(void **state)
{
	(void)state;
	struct frame f = syn;
	char src[32];
	start(10, NULL);
	for (int n = 0; n < 10; n++) {
		snprintf(src, sizeof(src), "10.0.0.%d", n);
		f.src = src;
		send(f, 1);
	}
	f.src = "10.0.0.0"; /* seen again: no longer the oldest */
	send(f, 1);
	f.src = "10.0.1.1";
	send(f, 1);
	engine_settle(world.engine);
	assert_int_equal(world.count, 1);
	assert_true(world.found[0].evicted);
	assert_string_equal(addr_text(&world.found[0].src,
	    (char[ADDR_TEXT_LEN]){0}), "10.0.0.1");
	engine_flush(world.engine);
	assert_int_equal(world.count, 11);
	struct table_stats stats = engine_table_stats(world.engine);
	assert_int_equal(stats.evicted, 1);
	assert_int_equal(stats.sources, 10);
	assert_int_equal(stats.sources_ever, 11);
}

/* While nobody gives way, a source has one finding of each class. */
static void expect_no_twins(size_t from)
{
	for (size_t i = from; i < world.count; i++)
		for (size_t n = i + 1; n < world.count; n++) {
			const struct finding *f = &world.found[i];
			const struct finding *g = &world.found[n];
			assert_false(addr_equal(&f->src, &g->src) &&
			    f->verdict == g->verdict &&
			    f->signature == g->signature &&
			    f->proto == g->proto);
		}
}

static void a_source_is_found_again_whoever_left(void **state)
{
	(void)state;
	uint32_t random = 1;
	char src[32];
	struct frame f = syn;
	f.src = src;
	start(62, NULL); /* of 128 places in the hash */
	for (int i = 0; i < 20000; i++) {
		random = random * 1664525 + 1013904223;
		snprintf(src, sizeof(src), "10.0.0.%u", random >> 24 & 127);
		send(f, 1);
		if (i % 50 != 49)
			continue;
		engine_settle(world.engine);
		size_t from = world.count;
		engine_flush(world.engine);
		expect_no_twins(from);
		world.count = 0;
	}
}

static void every_packet_is_in_exactly_one_finding(void **state)
{
	(void)state;
	uint32_t random = 1;
	char src[32], dst[32];
	uint64_t sent = 50000, found = 0;
	start(40, NULL);
	for (uint64_t i = 0; i < sent; i++) {
		random = random * 1664525 + 1013904223;
		static const uint8_t protos[] = {1, 6, 17, 47};
		struct frame f = {
		    .src = src,
		    .dst = dst,
		    .proto = protos[random >> 30],
		    .dport = (uint16_t)(random >> 9 & 63),
		    .flags = (uint8_t)(random >> 16 & 31),
		    .icmp_type = (uint8_t)(random >> 20 & 15),
		    .payload = "payload",
		    .payload_len = random >> 8 & 7,
		};
		snprintf(src, sizeof(src), "10.0.0.%u", random >> 24 & 127);
		snprintf(dst, sizeof(dst), "198.51.100.%u",
		    random >> 12 & 255);
		send(f, 1);
		for (size_t n = 0; n < world.count; n++)
			found += world.found[n].packets;
		world.count = 0;
		if (i % 10000 == 0)
			engine_flush(world.engine);
	}
	engine_flush(world.engine);
	for (size_t n = 0; n < world.count; n++)
		found += world.found[n].packets;
	assert_int_equal(found, sent);
	assert_int_equal(engine_counts(world.engine)->decoded, sent);
}

static void an_interval_starts_at_zero_and_remembers_the_source(void **state)
{
	(void)state;
	start(100, NULL);
	send(masscan(1), 0);
	send(masscan(2), 1000);
	engine_flush(world.engine);
	send(masscan(3), 60000);
	engine_flush(world.engine);
	engine_flush(world.engine);
	assert_int_equal(world.count, 2);
	assert_int_equal(world.found[1].packets, 1);
	assert_int_equal(world.found[1].targets, 1);
	assert_int_equal(world.found[1].signature, SIGNATURE_MASSCAN);
	assert_int_equal(world.found[1].first.ns, world.now_ns);
	engine_expire(world.engine, (struct walltime){world.now_ns + 1});
	assert_int_equal(engine_table_stats(world.engine).sources, 0);
}

static void a_source_is_proven_by_ttl_and_ids_over_a_minute(void **state)
{
	(void)state;
	struct frame f = syn;
	for (int forged = 0; forged < 2; forged++) {
		start(100, NULL);
		for (int i = 0; i < 5; i++) {
			f.ip_id = (uint16_t)(f.ip_id + (forged ? 9999 : 3));
			send(f, 20000);
		}
		assert_int_equal(only()->spoofable, forged);
	}
	start(100, NULL);
	for (int i = 0; i < 5; i++) {
		f.ttl = (uint8_t)(50 + i);
		send(f, 20000);
	}
	assert_true(only()->spoofable);
}

static void what_is_not_decoded_is_counted_by_reason(void **state)
{
	(void)state;
	static const uint8_t arp[] = {0x08, 0x06};
	uint8_t bytes[44] = {0x45, 0, 0, 44, [9] = PACKET_TCP, [32] = 0x50};
	struct walltime at = {0};
	start(100, NULL);
	engine_packet(world.engine, DLT_RAW, bytes, 30, 44, at);
	bytes[32] = 0x10;
	engine_packet(world.engine, DLT_RAW, bytes, 44, 44, at);
	engine_packet(world.engine, DLT_RAW, arp, 2, 2, at);
	const struct engine_counts *c = engine_counts(world.engine);
	assert_int_equal(c->packets, 3);
	assert_int_equal(c->truncated, 1);
	assert_int_equal(c->malformed, 1);
	assert_int_equal(c->unsupported, 1);
	assert_int_equal(c->decoded, 0);
}

static int finish(void **state)
{
	(void)state;
	engine_free(world.engine);
	buf_fini(&world.bytes);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(several_targets_or_ports_are_a_scan),
	    cmocka_unit_test(one_probe_is_a_scan_and_repeating_it_is_not),
	    cmocka_unit_test(many_at_once_for_one_target_are_a_flood),
	    cmocka_unit_test(a_flood_from_forged_sources_is_one_too),
	    cmocka_unit_test(answers_make_victims_never_attackers),
	    cmocka_unit_test(the_victim_of_an_icmp_error_is_in_its_quote),
	    cmocka_unit_test(a_worm_packet_is_enough),
	    cmocka_unit_test(a_tool_needs_two_packets_and_all_of_them),
	    cmocka_unit_test(chance_matches_among_many_packets_are_no_tool),
	    cmocka_unit_test(a_port_with_one_match_is_no_tool_either),
	    cmocka_unit_test(a_high_ttl_is_odd_unless_a_tool_makes_it),
	    cmocka_unit_test(odd_flags_scan_when_they_go_round),
	    cmocka_unit_test(lost_chatter_is_misconfiguration),
	    cmocka_unit_test(neighbours_are_no_scanners),
	    cmocka_unit_test(home_is_left_out_and_so_are_its_answers),
	    cmocka_unit_test(errors_about_what_home_sent_are_its_own),
	    cmocka_unit_test(a_refusal_of_home_opens_no_door),
	    cmocka_unit_test(a_client_of_a_home_server_is_no_scanner),
	    cmocka_unit_test(a_worm_is_one_even_in_a_flow_of_home),
	    cmocka_unit_test(the_longest_silent_gives_way_and_speaks_first),
	    cmocka_unit_test(a_source_is_found_again_whoever_left),
	    cmocka_unit_test(every_packet_is_in_exactly_one_finding),
	    cmocka_unit_test(
		an_interval_starts_at_zero_and_remembers_the_source),
	    cmocka_unit_test(a_source_is_proven_by_ttl_and_ids_over_a_minute),
	    cmocka_unit_test(what_is_not_decoded_is_counted_by_reason),
	};
	return cmocka_run_group_tests(tests, NULL, finish);
}
