/* SPDX-License-Identifier: ISC */
/* Made by one pseudo-random sequence: the same file each time, but for the
 * agents' keys. */
#include "tests/bench/load.h"

#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/addr.h"
#include "lib/record/record.h"
#include "lib/sketch/census.h"
#include "tests/web/synth.h"

#define SOURCES 1000000u
#define DESTINATIONS 3400u
#define HOPS 10
#define AGENT_BYTES (32 + 64 + 16)
#define HEAD (8 + 8 + LOAD_AGENTS * AGENT_BYTES)

static uint64_t state = 88172645463325252u;
static uint64_t rnd(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}
static double uniform(void)
{
	return (double)(rnd() >> 11) * 0x1p-53;
}
static uint64_t mix(uint64_t x)
{
	x = (x ^ (x >> 31)) * 0x7fb5d329728ea185u;
	x = (x ^ (x >> 27)) * 0x81dadef4bc2dd44du;
	return x ^ (x >> 33);
}
static ProtobufCBinaryData bytes_of(struct addr *addr)
{
	return (ProtobufCBinaryData){ addr_len(addr), addr->bytes };
}

static const struct {
	const char *verdict, *signature;
	uint32_t proto, port;
	int payload;
} classes[] = {
	{ "worm", "slammer", 17, 1434, 1 },
	{ "worm", "mirai", 6, 23, 0 },
	{ "worm", "mirai", 6, 2323, 0 },
	{ "worm", "wannacry", 6, 445, 1 },
	{ "worm", "conficker", 6, 445, 1 },
	{ "scan", "masscan", 6, 80, 0 },
	{ "scan", "masscan", 6, 443, 0 },
	{ "scan", "zmap", 6, 22, 0 },
	{ "scan", "", 6, 3389, 0 },
	{ "scan", "", 6, 8080, 0 },
	{ "scan", "", 17, 53, 1 },
	{ "backscatter", "", 6, 0, 0 },
	{ "other", "", 6, 0, 0 },
	{ "misconfiguration", "", 17, 0, 0 },
};

static void stamp(Sonde__Record *record, int64_t at_ns, bool full)
{
	record->wall_ns = at_ns;
	if (!full)
		return;
	record->mono_ns =
	    at_ns - 1700000000ll * 1000000000 + (int64_t)(rnd() % 2000);
	record->clock_state = SONDE__CLOCK_STATE__CLOCK_STATE_SYNCHRONISED;
	record->clock_error_ns = 500000 + rnd() % 16 * 1000;
}

static void add_trace(struct synth *agent, unsigned who, uint32_t to,
    uint64_t run, int64_t at_ns, bool full)
{
	Sonde__Record record = SONDE__RECORD__INIT;
	Sonde__Trace trace = SONDE__TRACE__INIT;
	Sonde__Reply replies[HOPS], *pointers[HOPS];
	uint8_t campaign[16] = "campaign of all";
	struct addr src = addr_v4(0x0a000001 + who), hops[HOPS];
	int64_t tx = at_ns - 400000000;
	for (uint32_t i = 0; i < HOPS; i++) {
		Sonde__Reply *r = &replies[i];
		sonde__reply__init(r);
		uint32_t node = i < 4 ? who : i < 7 ? to % 50 : to;
		hops[i] =
		    addr_v4((uint32_t)mix(i * 65536 + node + 1) % 0xd0000000u +
			0x0b000000);
		uint64_t base =
		    (i + 1) * 2000000 + mix(i * 77 + node) % 3000000;
		r->probe_ttl = i + 1;
		r->attempt = 1;
		r->from = bytes_of(&hops[i]);
		REPLY_SET(r, RTT_NS, rtt_ns,
		    full ? base + (uint64_t)(-log(uniform() + 1e-12) * 300000)
			 : (i + 1) * 1000000 + rnd() % 300000);
		r->tx_wall_ns = full ? tx : at_ns;
		tx += 20000000 + (int64_t)(rnd() % 60000);
		r->rx_wall_ns = r->tx_wall_ns + (int64_t)r->rtt_ns;
		REPLY_SET(r, ICMP_TYPE, icmp_type, 11);
		if (full) {
			r->probe_id = i + 1;
			r->tx_clock = r->rx_clock =
			    SONDE__CLOCK__CLOCK_KERNEL_SOFTWARE;
			REPLY_SET(r, REPLY_TTL, reply_ttl, 255 - i);
			REPLY_SET(r, REPLY_SIZE_BYTES, reply_size_bytes, 56);
			REPLY_SET(r, QUOTED_TTL, quoted_ttl, 1);
			REPLY_SET(r, REPLY_IP_ID, reply_ip_id,
			    node % 3 ? (uint32_t)(rnd() & 0xffff) : 0);
			if (i == HOPS - 1) {
				REPLY_SET(r, ICMP_TYPE, icmp_type, 3);
				REPLY_SET(r, ICMP_CODE, icmp_code, 3);
			}
		}
		pointers[i] = r;
	}
	trace.src = bytes_of(&src);
	trace.dst = bytes_of(&hops[HOPS - 1]);
	trace.method = (char *)"udp";
	trace.stop_reason = (char *)"completed";
	trace.replies = pointers;
	trace.n_replies = HOPS;
	if (full) {
		trace.sport = 33000 + to % 1000;
		trace.dport = 33434;
		trace.flow_id = mix(to * 4 + who);
		trace.first_ttl = 1;
		trace.max_ttl = 30;
		record.campaign = (ProtobufCBinaryData){ 16, campaign };
		record.run = run;
	}
	stamp(&record, at_ns, full);
	record.body_case = SONDE__RECORD__BODY_TRACE;
	record.trace = &trace;
	synth_add(agent, &record);
}

/* What a sighting's verdict stands on; the source asks the same few hundred
 * addresses again. */
static void add_verdict(Sonde__Sighting *s, uint32_t who, struct census *census)
{
	bool worm = s->verdict[0] == 'w';
	for (uint32_t i = 0; i < s->targets; i++)
		census_add(census, (uint32_t)mix(rnd() % 512));
	s->census = (ProtobufCBinaryData){ census_len(census), census->bytes };
	SIGHTING_SET(s, PORTS, ports, 1);
	SIGHTING_SET(s, ATTEMPTS, attempts, s->packets + mix(who) % 4);
	s->rule = (char *)(worm ? "worm-signature" : "failed-contacts");
	s->rule_version = 1;
	if (!worm)
		SIGHTING_SET(s, ODDS, odds,
		    UINT64_C(1) << (2 * s->targets < 60 ? 2 * s->targets : 60));
}

static void add_sighting(struct synth *agent, int64_t at_ns, bool full)
{
	Sonde__Record record = SONDE__RECORD__INIT;
	Sonde__Sighting s = SONDE__SIGHTING__INIT;
	uint32_t who = (uint32_t)(rnd() % SOURCES);
	struct addr src =
	    addr_v4((uint32_t)mix(who + 9999999) % 0xd0000000u + 0x01000000);
	unsigned class =
	    who % 10 < 8 ? (unsigned)(mix(who) % 14) : (unsigned)(rnd() % 14);
	uint8_t hash[16];
	struct census census = { { 0 } };
	s.src = bytes_of(&src);
	s.verdict = (char *)classes[class].verdict;
	s.signature = (char *)classes[class].signature;
	s.proto = classes[class].proto;
	s.dport = classes[class].port ? classes[class].port
				      : (uint32_t)(rnd() % 2000 + 1024);
	s.first_wall_ns = at_ns - 1000000000 - (int64_t)(rnd() % 50000000000u);
	s.packets = (uint64_t)(1 + pow(uniform() + 1e-9, -0.7));
	s.last_wall_ns = s.first_wall_ns +
	    (s.packets > 1 ? (int64_t)(rnd() % 9000000000u) : 0);
	s.targets = 1 + (uint32_t)(s.packets / 2);
	if (full) {
		s.size_bytes =
		    s.packets * (classes[class].proto == 17 ? 404 : 40);
		s.ttl_min = s.ttl_max = 40 + (uint32_t)(mix(who) % 80);
		s.interval_s = 60;
		s.spoofable = classes[class].proto == 17;
		if (classes[class].payload) {
			uint64_t h[2] = { mix(class * 8 + rnd() % 3),
				mix(class) };
			memcpy(hash, h, 16);
			s.payload_hash = (ProtobufCBinaryData){ 16, hash };
		}
		add_verdict(&s, who, &census);
	}
	stamp(&record, at_ns, full);
	record.body_case = SONDE__RECORD__BODY_SIGHTING;
	record.sighting = &s;
	synth_add(agent, &record);
}

int load_make(const char *path, uint64_t records, bool full)
{
	struct synth agents[LOAD_AGENTS];
	uint64_t batches = records / LOAD_BATCH, traced[LOAD_AGENTS] = { 0 };
	int64_t start =
	    1795300000ll * 1000000000 / 86400000000000ll * 86400000000000ll;
	int64_t step = (int64_t)LOAD_SPAN_S * 1000000000 / (int64_t)records;
	FILE *f = fopen(path, "w");
	if (!f)
		return -1;
	fwrite(&batches, 8, 1, f);
	fwrite(&start, 8, 1, f);
	for (int i = 0; i < LOAD_AGENTS; i++) {
		synth_new(&agents[i]);
		fwrite(agents[i].public, 32, 1, f);
		fwrite(agents[i].secret, 64, 1, f);
		fwrite(agents[i].id, 16, 1, f);
	}
	for (uint64_t b = 0; b < batches; b++) {
		unsigned who = (unsigned)(b % LOAD_AGENTS);
		struct buf sealed = { 0 };
		/* Four agents' batches cover the same stretch of time. */
		int64_t at = start +
		    (int64_t)(b / LOAD_AGENTS * LOAD_AGENTS * LOAD_BATCH) *
			step;
		for (int k = 0; k < LOAD_BATCH; k++) {
			int64_t now = at + k * LOAD_AGENTS * step +
			    (int64_t)(rnd() % 1000000);
			if (k % 2) {
				uint64_t n = traced[who]++;
				uint32_t to =
				    (uint32_t)(n * 1597 % DESTINATIONS);
				add_trace(&agents[who], who, to,
				    n / DESTINATIONS + 1, now, full);
			} else {
				add_sighting(&agents[who], now, full);
			}
		}
		synth_seal(&agents[who], &sealed);
		uint32_t len = (uint32_t)sealed.len;
		fwrite(&len, 4, 1, f);
		fwrite(sealed.data, len, 1, f);
		buf_fini(&sealed);
	}
	return fclose(f);
}

int load_open(struct load *load, const char *path)
{
	struct stat st;
	int fd = open(path, O_RDONLY);
	if (fd < 0 || fstat(fd, &st) < 0)
		return -1;
	load->data =
	    mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);
	load->len = (size_t)st.st_size;
	close(fd);
	if (load->data == MAP_FAILED || load->len < HEAD)
		return -1;
	memcpy(&load->batches, load->data, 8);
	memcpy(&load->start_ns, load->data + 8, 8);
	for (int i = 0; i < LOAD_AGENTS; i++) {
		const uint8_t *at = load->data + 16 + i * AGENT_BYTES;
		memcpy(load->agents[i].public, at, 32);
		memcpy(load->agents[i].secret, at + 32, 64);
		memcpy(load->agents[i].id, at + 96, 16);
	}
	load->at = HEAD;
	return 0;
}

int load_next(
    struct load *load, unsigned *who, const uint8_t **batch, size_t *len)
{
	uint32_t n;
	if (load->at + 4 > load->len)
		return 0;
	memcpy(&n, load->data + load->at, 4);
	*who = (unsigned)(load->given++ % LOAD_AGENTS);
	*batch = load->data + load->at + 4;
	*len = n;
	load->at += 4 + (size_t)n;
	return 1;
}
