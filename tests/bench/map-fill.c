/* SPDX-License-Identifier: ISC */
/*
 * usage: map-fill STATE-DIR [crowd]
 * Fills a collector's folder with the traces of the last minutes behind a map
 * of NODES places: five agents, 245 core routers, 5,000 access routers with
 * one destination each.  Every agent traces every destination once.
 *
 * crowd: as much of everything as a hostile fleet may send.  Sixteen agents
 * trace 5,000 destinations each that no other traces, sight 256 classes each,
 * from 20 sources, and log 25 texts of 40,000 octets.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "collector/collector.h"
#include "collector/fleet/enrol.h"
#include "collector/ingest/ingest.h"
#include "lib/base/clock.h"
#include "tests/web/synth.h"

enum {
	AGENTS = 5,
	CORE = 245,
	ACCESS = 5000,
	NODES = AGENTS + CORE + 2 * ACCESS,
	HOPS = 5,
	BATCH = 500,
	CROWD_AGENTS = 16,
	CROWD_CLASSES = 256,
	CROWD_SOURCES = 20,
	CROWD_LOGS = 25,
	CROWD_LOG_LEN = 40000
};

static _Atomic unsigned waiting;

static void die(const char *what, const char *why)
{
	fprintf(stderr, "map-fill: %s: %s\n", what, why);
	exit(1);
}

static void batch_is_done(void *ctx, const struct ingest_answer *answer)
{
	(void)ctx;
	if (answer->result != INGEST_STORED)
		die("batch", answer->detail.text);
	waiting--;
}

static void ship(struct collector *c, struct synth *agent)
{
	struct buf body = { 0 };
	if (!synth_seal(agent, &body))
		return;
	while (waiting > 8)
		usleep(1000);
	waiting++;
	collector_ingest(c, body.data, body.len, batch_is_done, NULL);
	buf_fini(&body);
}

/* 10.x.y.z by what stands there. */
static void place(uint8_t to[static 4], unsigned kind, unsigned number)
{
	to[0] = 10;
	to[1] = (uint8_t)kind;
	to[2] = (uint8_t)(number >> 8);
	to[3] = (uint8_t)number;
}

/* area: of the access routers and destinations. */
static void add_trace(struct synth *agent, unsigned from, unsigned area,
    unsigned to, int64_t wall_ns)
{
	uint8_t at[HOPS + 1][4];
	Sonde__Reply replies[HOPS], *list[HOPS];
	Sonde__Trace trace = SONDE__TRACE__INIT;
	Sonde__Record record = SONDE__RECORD__INIT;
	place(at[0], 0, from);
	place(at[1], 1, from * 9); /* the agent's own */
	place(at[2], 1, (from * 9 + to / 625 + 1) % CORE);
	place(at[3], 1, to % CORE);
	place(at[4], 2 + 2 * area, to);
	place(at[5], 3 + 2 * area, to);
	for (unsigned i = 0; i < HOPS; i++) {
		Sonde__Reply reply = SONDE__REPLY__INIT;
		reply.probe_ttl = reply.attempt = 1;
		reply.probe_ttl = i + 1;
		reply.from = (ProtobufCBinaryData){ 4, at[i + 1] };
		reply.tx_wall_ns = wall_ns;
		REPLY_SET(&reply, RTT_NS, rtt_ns,
		    (i + 1) * 4000000u + to % 97 * 10000u);
		reply.rx_wall_ns = wall_ns + (int64_t)reply.rtt_ns;
		reply.icmp_type = i + 1 == HOPS ? 3 : 11;
		reply.icmp_code = i + 1 == HOPS ? 3 : 0;
		replies[i] = reply;
		list[i] = &replies[i];
	}
	trace.src = (ProtobufCBinaryData){ 4, at[0] };
	trace.dst = (ProtobufCBinaryData){ 4, at[HOPS] };
	trace.method = (char *)"udp";
	trace.stop_reason = (char *)"completed";
	trace.first_ttl = 1;
	trace.max_ttl = HOPS;
	trace.n_replies = HOPS;
	trace.replies = list;
	record.wall_ns = record.mono_ns = wall_ns;
	record.body_case = SONDE__RECORD__BODY_TRACE;
	record.trace = &trace;
	synth_add(agent, &record);
}

static void enrol(struct collector *c, struct synth *agent, unsigned number)
{
	static const struct principal admin = { .account = "bench",
		.roles = ROLE_ADMIN };
	struct errmsg msg = { "" };
	json_t *token = NULL, *answer = NULL;
	char name[16];
	snprintf(name, sizeof(name), "agent-%u", number);
	synth_new(agent);
	if (enrol_token_new(c, &admin, NULL, &token, &msg) < 0)
		die("token", msg.text);
	json_t *body = synth_enrol_body(
	    agent, json_string_value(json_object_get(token, "token")), name);
	if (enrol_agent(c, body, &answer, &msg) < 0)
		die("enrol", msg.text);
	json_decref(token);
	json_decref(body);
	json_decref(answer);
}

static void add_sighting(struct synth *agent, unsigned from, unsigned class,
    unsigned source, int64_t wall_ns)
{
	uint8_t src[4] = { 11, (uint8_t)from, (uint8_t) class,
		(uint8_t)source };
	char signature[32];
	Sonde__Sighting sighting = SONDE__SIGHTING__INIT;
	Sonde__Record record = SONDE__RECORD__INIT;
	snprintf(signature, sizeof(signature), "signature-%u-%u", from, class);
	sighting.src = (ProtobufCBinaryData){ 4, src };
	sighting.verdict = (char *)"worm";
	sighting.signature = signature;
	sighting.proto = 17;
	sighting.dport = 1434;
	sighting.packets = 1;
	sighting.targets = 1;
	sighting.first_wall_ns = sighting.last_wall_ns = wall_ns;
	record.wall_ns = record.mono_ns = wall_ns;
	record.body_case = SONDE__RECORD__BODY_SIGHTING;
	record.sighting = &sighting;
	synth_add(agent, &record);
}

static void add_log(struct synth *agent, int64_t wall_ns)
{
	static char text[CROWD_LOG_LEN + 1];
	Sonde__Log log = SONDE__LOG__INIT;
	Sonde__Record record = SONDE__RECORD__INIT;
	for (size_t i = 0; i < CROWD_LOG_LEN; i++)
		text[i] = (char)('a' + random() % 26);
	log.text = text;
	record.wall_ns = record.mono_ns = wall_ns;
	record.body_case = SONDE__RECORD__BODY_LOG;
	record.log = &log;
	synth_add(agent, &record);
}

static void add_crowd(
    struct collector *c, struct synth *agent, unsigned from, int64_t end_ns)
{
	for (unsigned class = 0; class < CROWD_CLASSES; class ++)
		for (unsigned i = 0; i < CROWD_SOURCES; i++)
			add_sighting(agent, from, class, i,
			    end_ns - (int64_t)i * 100 * NS_PER_S);
	ship(c, agent);
	for (unsigned i = 0; i < CROWD_LOGS; i++) {
		add_log(agent, end_ns - (int64_t)i * NS_PER_S);
		if (i % 25 == 24)
			ship(c, agent);
	}
}

int main(int argc, char **argv)
{
	struct collector_config config = collector_defaults;
	struct collector *c;
	struct errmsg msg = { "" };
	bool crowd = argc == 3 && strcmp(argv[2], "crowd") == 0;
	if (argc != 2 && !crowd)
		die("usage", "map-fill STATE-DIR [crowd]");
	config.state_dir = argv[1];
	config.no_alarm_thread = true;
	if (collector_open(&c, &config, &msg) < 0)
		die(argv[1], msg.text);
	int64_t end_ns = walltime_now().ns - 60 * NS_PER_S;
	for (unsigned i = 0; i < (crowd ? CROWD_AGENTS : AGENTS); i++) {
		struct synth agent;
		enrol(c, &agent, i);
		for (unsigned to = 0; to < ACCESS; to++) {
			add_trace(&agent, i, crowd ? i : 0, to,
			    end_ns - (int64_t)(ACCESS - to) * 100000000);
			if (to % BATCH == BATCH - 1)
				ship(c, &agent);
		}
		ship(c, &agent);
		if (crowd)
			add_crowd(c, &agent, i, end_ns);
		synth_fini(&agent);
	}
	while (waiting > 0)
		usleep(1000);
	collector_close(c);
	if (!crowd)
		printf("%d\n", NODES);
	return 0;
}
