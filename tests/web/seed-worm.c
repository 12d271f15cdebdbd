/* SPDX-License-Identifier: ISC */
/* Counts are Poisson; the worm's are logistic in time.  Payloads are the
 * octets that a signature looks for, and filler that does nothing. */

#include "tests/web/seed-worm.h"

#include <math.h>
#include <sodium.h>
#include <string.h>

#include "lib/base/clock.h"
#include "lib/base/hash.h"
#include "lib/sketch/census.h"

enum {
	OUTBREAK_S = 70 * 60, /* before the end */
	SLAMMER_OCTETS = 376,
	MOST_INFECTED = 140 /* probes of distinct sources a minute */
};

static const struct kind {
	const char *verdict, *signature;
	uint8_t proto;
	uint16_t dport;
	double per_minute; /* distinct sources, on average */
	uint32_t pool;     /* of so many */
	bool has_payload, spoofable;
	const char *rule;
	uint64_t odds; /* 0: none */
} kinds[] = {
	{ "worm", "slammer", 17, 1434, 4, 300, true, true, "worm-signature",
	    0 },
	{ "worm", "mirai", 6, 23, 7, 2000, false, false, "worm-signature", 0 },
	{ "scan", "masscan", 6, 443, 2, 60, false, false, "tool-fingerprint",
	    UINT64_C(1) << 40 },
	{ "scan", "zmap", 6, 22, 1.5, 40, false, false, "tool-fingerprint",
	    UINT64_C(1) << 24 },
	{ "backscatter", "", 6, 80, 0.7, 500, false, true, "unasked-answer",
	    0 },
};

static void slammer_octets(uint8_t to[static SLAMMER_OCTETS])
{
	memset(to, 'A', SLAMMER_OCTETS);
	memset(to, 0x01, 97);
	to[0] = 0x04;
}

static void slammer_hash(uint8_t to[static 16])
{
	uint8_t octets[SLAMMER_OCTETS];
	slammer_octets(octets);
	crypto_generichash(to, 16, octets, sizeof(octets), NULL, 0);
}

static double sources(const struct kind *kind, const struct net_when *when)
{
	double since_s = (double)(OUTBREAK_S - when->before_end_s);
	if (!kind->has_payload || since_s < 0)
		return kind->per_minute;
	return kind->per_minute +
	    MOST_INFECTED / (1 + exp(-(since_s - 1500) / 300));
}

/* As the sensor's records have it; the targets are a few neighbours. */
static void add_verdict(Sonde__Sighting *s, const struct kind *kind,
    uint32_t source, struct census *census)
{
	for (uint32_t i = 0; i < s->targets; i++)
		census_add(
		    census, (uint32_t)hash_mix((source + i) % 24, kind->dport));
	s->census = (ProtobufCBinaryData){ census_len(census), census->bytes };
	s->rule = (char *)(uintptr_t)kind->rule;
	s->rule_version = 1;
	SIGHTING_SET(s, PORTS, ports, 1);
	SIGHTING_SET(s, ATTEMPTS, attempts, s->packets);
	if (kind->odds)
		SIGHTING_SET(s, ODDS, odds, kind->odds);
}

/* The first 28 octets of what such a source sends. */
static void add_evidence(struct synth *by, const struct kind *kind,
    const Sonde__Record *frame, uint32_t source)
{
	uint8_t src[4] = { 203, 0, (uint8_t)(source >> 8), (uint8_t)source };
	uint8_t packet[28] = { 0x45, 0, 0, 40, 0, 1, 0, 0, 52, kind->proto, 0,
		0, src[0], src[1], src[2], src[3], 198, 51, 100, 9, 0x9c, 0x40,
		(uint8_t)(kind->dport >> 8), (uint8_t)kind->dport };
	Sonde__Evidence e = SONDE__EVIDENCE__INIT;
	e.src = (ProtobufCBinaryData){ 4, src };
	e.verdict = (char *)(uintptr_t)kind->verdict;
	e.signature = (char *)(uintptr_t)kind->signature;
	e.rule = (char *)(uintptr_t)kind->rule;
	e.rule_version = 1;
	e.packet_wall_ns = frame->wall_ns - 30 * NS_PER_S;
	e.size_bytes = kind->has_payload ? 404 : 40;
	e.packet = (ProtobufCBinaryData){ sizeof(packet), packet };
	Sonde__Record record = *frame;
	record.body_case = SONDE__RECORD__BODY_EVIDENCE;
	record.evidence = &e;
	synth_add(by, &record);
}

static void add_sighting(struct synth *by, const struct kind *kind,
    const Sonde__Record *frame, uint32_t source, struct dice *dice)
{
	/* Documentation and benchmark networks only. */
	uint8_t src[4] = { 203, 0, (uint8_t)(source >> 8), (uint8_t)source };
	uint8_t hash[16];
	struct census census = { { 0 } };
	Sonde__Sighting s = SONDE__SIGHTING__INIT;
	s.src = (ProtobufCBinaryData){ 4, src };
	s.verdict = (char *)(uintptr_t)kind->verdict;
	s.signature = (char *)(uintptr_t)kind->signature;
	s.proto = kind->proto;
	s.dport = kind->dport;
	s.packets = 1 + dice_poisson(dice, 4);
	s.targets = (uint32_t)s.packets;
	s.size_bytes = s.packets * (kind->has_payload ? 404 : 40);
	s.first_wall_ns =
	    frame->wall_ns - 60000000000 + (int64_t)(dice_unit(dice) * 30e9);
	s.last_wall_ns = s.first_wall_ns + (int64_t)(dice_unit(dice) * 29e9);
	s.interval_s = 60;
	s.ttl_min = 40 + source % 20;
	s.ttl_max = s.ttl_min;
	s.spoofable = kind->spoofable;
	add_verdict(&s, kind, source, &census);
	if (!strcmp(kind->verdict, "backscatter"))
		s.victim = s.src;
	if (kind->has_payload) {
		slammer_hash(hash);
		s.payload_hash = (ProtobufCBinaryData){ 16, hash };
	}
	Sonde__Record record = *frame;
	record.body_case = SONDE__RECORD__BODY_SIGHTING;
	record.sighting = &s;
	synth_add(by, &record);
}

void worm_minute(struct synth *by, unsigned agent, const Sonde__Record *frame,
    const struct net_when *when, struct dice *dice)
{
	for (size_t k = 0; k < sizeof(kinds) / sizeof(*kinds); k++) {
		const struct kind *kind = &kinds[k];
		double mean = sources(kind, when) * (0.8 + 0.1 * agent);
		uint32_t n = dice_poisson(dice, mean);
		uint32_t pool = kind->pool + 20 * n;
		/* Distinct ones: a walk through the pool. */
		uint32_t at = (uint32_t)(dice_unit(dice) * pool);
		uint32_t base = (uint32_t)k * 8192;
		for (uint32_t i = 0; i < n; i++)
			add_sighting(by, kind, frame,
			    (at + i * 7919) % pool + base, dice);
		if (n > 0)
			add_evidence(by, kind, frame, at % pool + base);
	}
}

void worm_payloads(struct synth *by, const Sonde__Record *frame)
{
	uint8_t octets[SLAMMER_OCTETS], hash[16];
	Sonde__Payload payload = SONDE__PAYLOAD__INIT;
	slammer_octets(octets);
	slammer_hash(hash);
	payload.hash = (ProtobufCBinaryData){ 16, hash };
	payload.octets = (ProtobufCBinaryData){ SLAMMER_OCTETS, octets };
	payload.size_bytes = SLAMMER_OCTETS;
	Sonde__Record record = *frame;
	record.body_case = SONDE__RECORD__BODY_PAYLOAD;
	record.payload = &payload;
	synth_add(by, &record);
}

void worm_heartbeat(struct synth *by, unsigned agent,
    const Sonde__Record *frame, uint64_t minute, struct dice *dice)
{
	static const char *const names[] = { "sensor.captured",
		"sensor.dropped", "guardian.sent", "guardian.denied.private",
		"spool.bytes" };
	enum { COUNT = sizeof(names) / sizeof(*names) };
	const uint64_t values[COUNT] = { minute * 900 + UINT64_C(17) * agent,
		agent == 3 ? minute / 40 : 0, minute * 140, minute / 30,
		(uint64_t)(2e5 + 1e5 * dice_unit(dice)) };
	Sonde__Counter counters[COUNT];
	Sonde__Counter *list[COUNT];
	uint8_t addr[4];
	ProtobufCBinaryData addresses[] = { { 4, addr } };
	net_agent_addr(agent, addr);
	Sonde__Heartbeat beat = SONDE__HEARTBEAT__INIT;
	for (size_t i = 0; i < COUNT; i++) {
		sonde__counter__init(&counters[i]);
		counters[i].name = (char *)(uintptr_t)names[i];
		counters[i].value = values[i];
		list[i] = &counters[i];
	}
	beat.n_counters = COUNT;
	beat.counters = list;
	beat.uptime_ns = minute * 60 * (uint64_t)NS_PER_S;
	beat.version = (char *)(uintptr_t)SONDE_VERSION;
	beat.n_addresses = 1;
	beat.addresses = addresses;
	Sonde__Record record = *frame;
	record.body_case = SONDE__RECORD__BODY_HEARTBEAT;
	record.heartbeat = &beat;
	synth_add(by, &record);
}
