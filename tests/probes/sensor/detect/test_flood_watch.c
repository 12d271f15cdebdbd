/* SPDX-License-Identifier: ISC */
/* Simulated truths: what was sent is known, and so is what is right. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "lib/base/hash.h"
#include "probes/sensor/detect/flood-watch.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define SECRET 0x1234567890abcdef
#define MS INT64_C(1000000)
#define S (1000 * MS)
/* Not at a window's beginning: floods straddle windows. */
#define T0 (INT64_C(1760000000) * S + 8500 * MS)

static struct addr addr_of(const char *text)
{
	struct addr a;
	assert_int_equal(addr_parse(&a, text), 0);
	return a;
}

struct seen {
	unsigned count;
	struct flood flood; /* the last */
};

static void keep(void *arg, const struct flood *flood)
{
	struct seen *s = arg;
	s->count++;
	s->flood = *flood;
}

static struct seen give(struct flood_watch *w, int64_t now_ns)
{
	struct seen s = { 0 };
	flood_watch_give(w, now_ns, keep, &s);
	return s;
}

static bool covers(const struct flood_watch *w, uint64_t key, int64_t at_ns)
{
	struct flood f;
	return flood_watch_find(w, FLOOD_DIRECT, key, at_ns, &f) &&
	    f.key == key;
}

static struct flood_watch *watch_new(double watched)
{
	return flood_watch_new(&(struct flood_watch_config){
	    .cells = 1024, .events = 64, .watched = watched });
}

/* One packet of src, as the engine tells it. */
static void tell(struct flood_watch *w, const struct packet *p, int64_t at_ns)
{
	struct message m;
	struct flood_sight sights[2];
	message_read(p, &m);
	size_t n = flood_sights_of(sights, p, &m, NULL);
	for (size_t i = 0; i < n; i++) {
		bool back = sights[i].kind == FLOOD_BACKSCATTER;
		const struct addr *other = back ? &p->dst : &p->src;
		sights[i].key = addr_hash(&sights[i].victim, SECRET);
		sights[i].source = (uint32_t)addr_hash(other, SECRET + 1);
		sights[i].at_ns = at_ns;
		flood_watch_packet(w, &sights[i]);
	}
}

static struct packet syn(const struct addr *dst, uint16_t dport)
{
	return (struct packet){ .proto = PACKET_TCP,
		.dst = *dst,
		.ip_len = 40,
		.dport = dport,
		.has_tcp_flags = true,
		.tcp_flags = PACKET_TCP_SYN,
		.tcp_header_len = 20 };
}

static struct packet datagram(const struct addr *dst, uint16_t sport,
    uint16_t dport, const void *payload, size_t len)
{
	return (struct packet){ .proto = PACKET_UDP,
		.dst = *dst,
		.ip_len = (uint16_t)(28 + len),
		.sport = sport,
		.dport = dport,
		.payload = payload,
		.payload_len = len,
		.payload_wire_len = len };
}

/* The n-th address of 2^32, or of as many /64. */
static struct addr drawn_addr(uint8_t family, uint64_t n)
{
	uint64_t draw = hash_mix(family, n);
	struct addr a = { .family = family };
	if (family == 4)
		return addr_v4((uint32_t)draw);
	memcpy(a.bytes, "\x20\x01\x0d\xb8", 4);
	memcpy(a.bytes + 4, &draw, 4);
	a.bytes[15] = 1;
	return a;
}

static struct addr client_addr(uint32_t n)
{
	return addr_v4(0xcb000000 + n * 77);
}

static void a_forged_flood_is_one_event(void **state)
{
	(void)state;
	static const char *const victims[] = { "2001:db8:ff::77",
		"198.51.100.7" };
	for (size_t v = 0; v < COUNT(victims); v++) {
		struct flood_watch *w = watch_new(0);
		struct addr victim = addr_of(victims[v]);
		uint64_t key = addr_hash(&victim, SECRET);
		for (uint32_t i = 0; i < 1500; i++) {
			struct packet p = syn(&victim, 80);
			p.src = drawn_addr(victim.family, i);
			p.sport = (uint16_t)(1024 + i * 7);
			p.tcp_seq = (uint32_t)hash_mix(3, i);
			tell(w, &p, T0 + i * 2 * MS);
		}
		assert_true(covers(w, key, T0 + S));
		assert_false(covers(w, key + 1, T0 + S));
		assert_false(covers(w, key, T0 + 60 * S));
		struct seen s = give(w, T0 + 4 * S);
		assert_int_equal(s.count, 1);
		const struct flood *f = &s.flood;
		assert_int_equal(f->kind, FLOOD_DIRECT);
		assert_true(addr_equal(&f->victim, &victim));
		assert_int_equal(f->port, 80);
		assert_int_equal(f->ports, 1);
		assert_int_equal(f->packets, 1500);
		assert_int_equal(f->forged, FLOOD_FORGED);
		assert_in_range(f->sources, 1300, 1500);
		assert_int_equal(f->first_ns, T0);
		assert_int_equal(f->last_ns, T0 + 1499 * 2 * MS);
		assert_in_range(f->peak_packets, 1000, 1600);
		assert_true(f->scale == 1);
		/* Nothing is said twice, and it ends. */
		assert_int_equal(give(w, T0 + 5 * S).count, 0);
		assert_int_equal(flood_watch_stats(w).events, 1);
		give(w, T0 + 400 * S);
		assert_int_equal(flood_watch_stats(w).events, 0);
		flood_watch_free(w);
	}
}

/* What goes on is given again with what is fresh, and its beginning. */
static void a_flood_that_goes_on_is_the_same_event(void **state)
{
	(void)state;
	struct flood_watch *w = watch_new(0);
	struct addr victim = addr_of("198.51.100.7");
	for (uint32_t i = 0; i < 60000; i++) {
		struct packet p = syn(&victim, 443);
		p.src = drawn_addr(4, i);
		tell(w, &p, T0 + i * MS * 2);
		if (i == 29999) {
			struct seen s = give(w, T0 + 60 * S);
			assert_int_equal(s.count, 1);
			assert_int_equal(s.flood.fresh_packets, 30000);
		}
	}
	struct seen s = give(w, T0 + 120 * S);
	assert_int_equal(s.count, 1);
	assert_int_equal(s.flood.packets, 60000);
	assert_int_equal(s.flood.fresh_packets, 30000);
	assert_true(s.flood.first_ns < T0 + S);
	/* Some addresses drawn from all of 2^32 are no host's. */
	assert_in_range(s.flood.unrouted, 60000 / 10, 60000 / 5);
	flood_watch_free(w);
}

/* 3,000 clients in ten seconds, each with a handshake that is completed. */
static void a_crowd_that_is_served_is_no_flood(void **state)
{
	(void)state;
	struct flood_watch *w = watch_new(0);
	struct addr server = addr_of("198.51.100.7");
	uint64_t key = addr_hash(&server, SECRET);
	for (uint32_t i = 0; i < 6000; i++) {
		struct packet p = syn(&server, 443);
		p.src = client_addr(i);
		tell(w, &p, T0 + i * 3 * MS);
		if (i >= 30) /* a round trip later */
			flood_watch_completed(w, key, T0 + i * 3 * MS);
	}
	assert_int_equal(give(w, T0 + 20 * S).count, 0);
	assert_false(covers(w, key, T0 + 5 * S));
	flood_watch_free(w);
}

/* The server is dead: each client's stack repeats its SYN after 1, 3, 7 s. */
static void a_crowd_before_a_dead_server_is_no_forged_flood(void **state)
{
	(void)state;
	struct flood_watch *w = watch_new(0);
	struct addr server = addr_of("198.51.100.7");
	static const int64_t repeats[] = { 0, 1, 3, 7 };
	/* In order of time: every 5 ms a client begins, others repeat. */
	for (int64_t tick = 0; tick < 8000; tick++)
		for (size_t k = 0; k < COUNT(repeats); k++) {
			int64_t n = tick - repeats[k] * 200;
			if (n < 0 || n >= 4000)
				continue;
			struct packet p = syn(&server, 443);
			p.src = client_addr((uint32_t)n);
			p.tcp_seq = (uint32_t)n;
			tell(w, &p, T0 + tick * 5 * MS);
		}
	assert_int_equal(give(w, T0 + 60 * S).count, 0);
	flood_watch_free(w);
}

static const uint8_t rtp[172] = { 0x80, 0x08, 0x12, 0x34 };

/* One direction of media, whatever its rate, is what any capture may show; both
 * directions are a conversation and are not told at all. */
static void a_stream_of_one_source_is_no_flood(void **state)
{
	(void)state;
	static const struct {
		const void *payload;
		size_t len;
		int64_t every_ns;
		uint16_t sport, dport;
	} streams[] = {
		{ rtp, sizeof(rtp), 20 * MS, 16384, 16500 }, /* a call */
		{ rtp, 172, 2 * MS, 30000, 30002 },          /* video */
		{ "\x43qqqqqqqqqqqqqqqqqqq", 20, MS / 10, 443, 51000 },
		{ "\x02\x00\x02\x80\x08\x00\x01\0\0\0", 10, MS, 2222, 2222 },
	};
	for (size_t i = 0; i < COUNT(streams); i++) {
		struct flood_watch *w = watch_new(0);
		struct addr dst = addr_of("198.51.100.7");
		for (int64_t n = 0; n < 60000; n++) {
			uint8_t payload[256];
			memcpy(payload, streams[i].payload, streams[i].len);
			payload[3] = (uint8_t)n; /* all differ */
			struct packet p = datagram(&dst, streams[i].sport,
			    streams[i].dport, payload, streams[i].len);
			p.src = addr_of("203.0.113.30");
			tell(w, &p, T0 + n * streams[i].every_ns);
		}
		assert_int_equal(give(w, T0 + 2000 * S).count, 0);
		flood_watch_free(w);
	}
}

static void questions_of_one_source_are_a_flood(void **state)
{
	(void)state;
	struct flood_watch *w = watch_new(0);
	struct addr dst = addr_of("198.51.100.7");
	for (uint32_t n = 0; n < 4000; n++) {
		struct packet p = syn(&dst, 80);
		p.src = addr_of("203.0.113.30");
		p.sport = (uint16_t)(1024 + n);
		p.tcp_seq = (uint32_t)hash_mix(5, n);
		tell(w, &p, T0 + n * 5 * MS);
	}
	struct seen s = give(w, T0 + 30 * S);
	assert_int_equal(s.count, 1);
	assert_int_equal(s.flood.sources, 1);
	assert_int_equal(s.flood.forged, FLOOD_CANNOT_TELL);
	flood_watch_free(w);
	/* The same question again and again is a client that got no answer. */
	w = watch_new(0);
	for (uint32_t n = 0; n < 4000; n++) {
		struct packet p = syn(&dst, 80);
		p.src = addr_of("203.0.113.30");
		p.tcp_seq = 7;
		tell(w, &p, T0 + n * 5 * MS);
	}
	assert_int_equal(give(w, T0 + 30 * S).count, 0);
	flood_watch_free(w);
}

/* A scan of many addresses makes none of them a victim, however fast. */
static void a_fast_scan_is_no_flood(void **state)
{
	(void)state;
	struct flood_watch *w = watch_new(0);
	for (uint32_t n = 0; n < 200000; n++) {
		struct addr dst = addr_v4(0xc6336400 + n % 1024);
		struct packet p = syn(&dst, 23);
		p.src = addr_of("203.0.113.30");
		p.tcp_seq = n;
		tell(w, &p, T0 + n * MS);
	}
	assert_int_equal(give(w, T0 + 300 * S).count, 0);
	flood_watch_free(w);
}

/* A server under a SYN flood in forged names, of which a /24 is watched: it
 * sends one of 2^24 its SYN+ACKs here.  At its own scale it is known. */
static void backscatter_names_the_victim_at_its_scale(void **state)
{
	(void)state;
	static const struct {
		double watched, scale;
	} cases[] = { { 256, 16777216 }, { 0, 0 } };
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct flood_watch *w = watch_new(cases[i].watched);
		struct addr server = addr_of("203.0.113.80");
		/* 2 packets a second for three minutes. */
		for (uint32_t n = 0; n < 360; n++) {
			struct addr dark =
			    addr_v4(0xc6336400 + (hash_mix(9, n) & 255));
			struct packet p = syn(&dark, (uint16_t)(1024 + n * 7));
			p.src = server;
			p.sport = 80;
			p.tcp_flags = PACKET_TCP_SYN | PACKET_TCP_ACK;
			tell(w, &p, T0 + n * 500 * MS);
		}
		struct seen s = give(w, T0 + 200 * S);
		assert_int_equal(s.count, 1);
		assert_int_equal(s.flood.kind, FLOOD_BACKSCATTER);
		assert_true(addr_equal(&s.flood.victim, &server));
		assert_int_equal(s.flood.port, 80);
		assert_int_equal(s.flood.forged, FLOOD_FORGED);
		assert_true(s.flood.scale == cases[i].scale);
		assert_in_range(s.flood.sources, 150, 256);
		flood_watch_free(w);
	}
}

/* The thresholds of Corsaro: 25 packets, 60 s, 30 in a minute. */
static void less_backscatter_is_no_flood(void **state)
{
	(void)state;
	static const struct {
		uint32_t packets;
		int64_t every_ns;
		bool is_flood;
	} cases[] = {
		{ 24, 3 * S, false }, { 60, S / 2, false }, /* 30 s */
		{ 90, 2500 * MS, false },                   /* 24 a minute */
		{ 150, 1500 * MS, true },                   /* 40 a minute */
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct flood_watch *w = watch_new(0);
		for (uint32_t n = 0; n < cases[i].packets; n++) {
			struct addr dark =
			    addr_v4(0xc6336400 + (hash_mix(9, n) & 255));
			struct packet p = syn(&dark, 4000);
			p.src = addr_of("203.0.113.80");
			p.tcp_flags = PACKET_TCP_RST;
			tell(w, &p, T0 + n * cases[i].every_ns);
		}
		assert_int_equal(
		    give(w, T0 + 300 * S).count, cases[i].is_flood);
		flood_watch_free(w);
	}
}

/* A capture of one direction shows a server's SYN+ACKs, and its data. */
static void a_server_seen_from_one_side_is_no_victim(void **state)
{
	(void)state;
	struct flood_watch *w = watch_new(0);
	struct addr server = addr_of("203.0.113.80");
	for (uint32_t n = 0; n < 2000; n++) {
		struct addr client = addr_v4(0xc6336400 + n % 50);
		struct packet p = syn(&client, (uint16_t)(1024 + n));
		p.src = server;
		p.sport = 443;
		p.tcp_flags = PACKET_TCP_SYN | PACKET_TCP_ACK;
		tell(w, &p, T0 + n * 100 * MS);
		flood_watch_completed(
		    w, addr_hash(&server, SECRET), T0 + n * 100 * MS + MS);
	}
	assert_int_equal(give(w, T0 + 250 * S).count, 0);
	flood_watch_free(w);
	/* A resolver: its answers go to few, many each. */
	static const uint8_t dns[33] = "\xab\xcd\x81\x80\0\1\0\0\0\0\0\0"
				       "\3www\7example\3org\0\0\1\0";
	w = watch_new(0);
	for (uint32_t n = 0; n < 5000; n++) {
		struct addr client = addr_v4(0xc6336400 + n % 50);
		uint8_t answer[33];
		memcpy(answer, dns, 33);
		answer[32] = 1;
		struct packet p =
		    datagram(&client, 53, (uint16_t)(1024 + n), answer, 33);
		p.src = addr_of("203.0.113.53");
		tell(w, &p, T0 + n * 50 * MS);
	}
	assert_int_equal(give(w, T0 + 300 * S).count, 0);
	flood_watch_free(w);
}

static void reflectors_flood_their_receiver(void **state)
{
	(void)state;
	static const uint8_t monlist[440] = { 0xd7, 0, 3, 0x2a, 0, 6, 0, 0x48 };
	struct flood_watch *w = watch_new(0);
	struct addr victim = addr_of("198.51.100.5");
	for (uint32_t n = 0; n < 5000; n++) {
		struct packet p =
		    datagram(&victim, 123, 80, monlist, sizeof(monlist));
		p.src = client_addr(n % 400);
		tell(w, &p, T0 + n * 4 * MS);
	}
	struct seen s = give(w, T0 + 30 * S);
	assert_int_equal(s.count, 1);
	assert_int_equal(s.flood.kind, FLOOD_REFLECTED);
	assert_true(addr_equal(&s.flood.victim, &victim));
	assert_int_equal(s.flood.forged, FLOOD_TRUE_SOURCES);
	assert_in_range(s.flood.sources, 360, 440);
	flood_watch_free(w);
}

/* An ICMP error is about whom it quotes, not of whom it comes from. */
static void an_error_names_the_quoted_victim(void **state)
{
	(void)state;
	struct packet error = { .proto = PACKET_ICMP,
		.src = addr_of("192.0.2.1"),
		.dst = addr_of("198.51.100.9"),
		.icmp_type = 3,
		.icmp_code = 1 };
	struct packet quoted =
	    syn(&(struct addr){ 4, { 203, 0, 113, 80 } }, 80);
	struct flood_sight sights[2];
	struct message m;
	message_read(&error, &m);
	assert_int_equal(flood_sights_of(sights, &error, &m, &quoted), 1);
	assert_int_equal(sights[0].kind, FLOOD_BACKSCATTER);
	assert_true(addr_equal(&sights[0].victim, &quoted.dst));
	assert_int_equal(sights[0].port, 80);
	assert_int_equal(flood_sights_of(sights, &error, &m, NULL), 0);
}

/* Memory is what was asked for; a large flood stays in sight among 200,000
 * victims that get a packet or two. */
static void many_victims_do_not_hide_a_flood(void **state)
{
	(void)state;
	struct flood_watch *w = flood_watch_new(
	    &(struct flood_watch_config){ .cells = 256, .events = 8 });
	struct addr victim = addr_of("198.51.100.7");
	for (uint32_t i = 0; i < 200000; i++) {
		struct addr dst = drawn_addr(4, 1000000 + i / 2);
		struct packet p = syn(&dst, 80);
		p.src = drawn_addr(4, i);
		tell(w, &p, T0 + i * MS / 10);
		if (i % 10 != 0)
			continue;
		p = syn(&victim, 80);
		p.src = drawn_addr(4, 5000000 + i);
		tell(w, &p, T0 + i * MS / 10);
	}
	struct seen s = give(w, T0 + 21 * S);
	assert_int_equal(s.count, 1);
	assert_true(addr_equal(&s.flood.victim, &victim));
	assert_in_range(s.flood.packets, 19000, 20000);
	flood_watch_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_forged_flood_is_one_event),
		cmocka_unit_test(a_flood_that_goes_on_is_the_same_event),
		cmocka_unit_test(a_crowd_that_is_served_is_no_flood),
		cmocka_unit_test(
		    a_crowd_before_a_dead_server_is_no_forged_flood),
		cmocka_unit_test(a_stream_of_one_source_is_no_flood),
		cmocka_unit_test(questions_of_one_source_are_a_flood),
		cmocka_unit_test(a_fast_scan_is_no_flood),
		cmocka_unit_test(backscatter_names_the_victim_at_its_scale),
		cmocka_unit_test(less_backscatter_is_no_flood),
		cmocka_unit_test(a_server_seen_from_one_side_is_no_victim),
		cmocka_unit_test(reflectors_flood_their_receiver),
		cmocka_unit_test(an_error_names_the_quoted_victim),
		cmocka_unit_test(many_victims_do_not_hide_a_flood),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
