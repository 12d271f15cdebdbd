/* SPDX-License-Identifier: ISC */
/* One engine, what it is given and what it finds; finish goes last of all. */
#pragma once

#include <pcap/dlt.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "probes/sensor/sensor-engine.h"
#include "tests/lib/packet/frames.h"

#define FOUND_MAX 4096

struct world {
	struct engine *engine;
	struct finding found[FOUND_MAX];
	size_t count;
	int64_t now_ns;
	struct buf bytes;
};
static struct world world;

static inline void on_finding(void *arg, const struct finding *f)
{
	struct world *w = arg;
	assert_true(w->count < FOUND_MAX);
	w->found[w->count++] = *f;
}

static inline void start_with(
    uint32_t max_sources, const char *home, uint32_t first_sights)
{
	struct prefix prefix;
	if (home)
		assert_int_equal(prefix_parse(&prefix, home, NULL), 0);
	engine_free(world.engine);
	world.count = 0;
	world.now_ns = INT64_C(1700000000) * NS_PER_S;
	world.engine = engine_new(&(struct engine_config){
	    .max_sources = max_sources,
	    .memory = (size_t)8 << 20,
	    .max_payloads = 16,
	    .max_payload_bytes = 16384,
	    .homes = home ? &prefix : NULL,
	    .home_count = home ? 1 : 0,
	    .first_sights = first_sights,
	    .finding = on_finding,
	    .arg = &world,
	});
}

static inline void start(uint32_t max_sources, const char *home)
{
	start_with(max_sources, home, 0);
}

/* after_ms: since the packet before. */
static inline void send(struct frame f, int64_t after_ms)
{
	f.src = f.src ? f.src : "203.0.113.9";
	f.dst = f.dst ? f.dst : "198.51.100.7";
	world.now_ns += after_ms * NS_PER_MS;
	buf_clear(&world.bytes);
	frame_put(&world.bytes, &f);
	engine_packet(world.engine, DLT_RAW, world.bytes.data, world.bytes.len,
	    world.bytes.len, (struct walltime){ world.now_ns });
}

static inline const struct finding *only(void)
{
	engine_flush(world.engine);
	assert_int_equal(world.count, 1);
	return &world.found[0];
}

static inline void expect(enum verdict verdict, enum signature signature)
{
	const struct finding *f = only();
	assert_string_equal(verdict_name(f->verdict), verdict_name(verdict));
	assert_int_equal(f->signature, signature);
}

/* To a number of addresses and ports, count times each. */
static inline void sweep(struct frame f, int addresses, int ports, int count)
{
	char dst[32];
	for (int i = 0; i < addresses * ports * count; i++) {
		snprintf(dst, sizeof(dst), "198.51.100.%d", 1 + i % addresses);
		f.dst = dst;
		f.dport = (uint16_t)(f.dport + (ports > 1 ? 1 : 0));
		f.ip_id = (uint16_t)(f.ip_id + 7919);
		f.seq += 12345;
		send(f, 1000);
	}
}

static const struct frame syn = { .proto = PACKET_TCP, .dport = 23 };
static const struct frame ping = { .proto = PACKET_ICMP, .icmp_type = 8 };
static const struct frame udp = { .proto = PACKET_UDP, .dport = 5060 };

static inline struct frame masscan(uint32_t n)
{
	struct frame f = syn;
	f.seq = n * 2654435761u;
	f.ip_id = (uint16_t)(0xc6336407 ^ f.dport ^ f.seq);
	f.ttl = 252;
	f.window = 1024;
	return f;
}

static inline int finish(void **state)
{
	(void)state;
	engine_free(world.engine);
	buf_fini(&world.bytes);
	return 0;
}
