/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "tests/collector/store/sqlite/rollup/gather-world.h"

#include "collector/ingest/kinds/ingest-kind.h"
#include "lib/base/xalloc.h"

unsigned world_pick(unsigned n)
{
	return (unsigned)random() % n;
}

const char *const world_verdicts[] = { "worm", "worm", "scan" };
const char *const world_signatures[] = { "slammer", "mirai", "" };

static int64_t random_time(void)
{
	/* Most of it late in the span, some much earlier. */
	int64_t s = world_pick(4) ? SPAN_S - 7200 + (int64_t)world_pick(7200)
				  : (int64_t)world_pick(SPAN_S);
	return (START_S + s) * NS_PER_S + (int64_t)world_pick(1000000000);
}

struct addr world_source(unsigned i)
{
	struct addr addr;
	char text[64];
	snprintf(text, sizeof(text), i % 5 ? "198.51.%u.%u" : "2001:db8::%x:%x",
	    i % 3, i);
	assert_int_equal(addr_parse(&addr, text), ERR_OK);
	return addr;
}

void world_pack(struct prepared_batch *batch, const Sonde__Record *record)
{
	struct buf body = { 0 };
	assert_int_equal(record_pack(record, &body, NULL), ERR_OK);
	buf_be32(&batch->raw, (uint32_t)body.len);
	buf_bytes(&batch->raw, body.data, body.len);
	buf_fini(&body);
	batch->header.count++;
}

ProtobufCBinaryData world_octets(const void *data, size_t len)
{
	return (ProtobufCBinaryData){ len, (uint8_t *)(uintptr_t)data };
}

static void add_sighting(struct world *w, struct prepared_batch *batch)
{
	Sonde__Record record = SONDE__RECORD__INIT;
	Sonde__Sighting s = SONDE__SIGHTING__INIT;
	unsigned class = world_pick(3);
	struct addr src = world_source(world_pick(SOURCES) * world_pick(2));
	int64_t at = random_time();
	s.src = world_octets(src.bytes, addr_len(&src));
	s.verdict = (char *)(uintptr_t)world_verdicts[class];
	s.signature = (char *)(uintptr_t)world_signatures[class];
	s.proto = world_pick(2) ? 6 : 17;
	s.dport = 20 + world_pick(2);
	s.first_wall_ns = at;
	s.last_wall_ns = at + (int64_t)world_pick(1000000000);
	/* Long tails make heavy and light ones. */
	s.packets = 1 + world_pick(3) * world_pick(3) * world_pick(30);
	s.targets = 1 + world_pick(5);
	s.spoofable = world_pick(2);
	record.wall_ns = at;
	record.body_case = SONDE__RECORD__BODY_SIGHTING;
	record.sighting = &s;
	world_pack(batch, &record);
	w->sightings = xreallocarray(
	    w->sightings, w->sighting_count + 1, sizeof(*w->sightings));
	w->sightings[w->sighting_count++] = (struct sent_sighting){
		.agent = batch->agent_row,
		.bin = at / NS_PER_S,
		.first_ns = at,
		.last_ns = s.last_wall_ns,
		.src = src,
		.verdict = s.verdict,
		.signature = s.signature,
		.proto = s.proto,
		.dport = s.dport,
		.packets = s.packets,
		.targets = s.targets,
	};
}

static void add_trace(struct world *w, struct prepared_batch *batch)
{
	Sonde__Record record = SONDE__RECORD__INIT;
	Sonde__Trace trace = SONDE__TRACE__INIT;
	Sonde__Reply replies[8], *pointers[8];
	unsigned route = world_pick(ROUTES), n = 2 + route % 4;
	struct addr src = addr_v4(0x0a000000 + (uint32_t)batch->agent_row);
	struct addr hops[8], dst = addr_v4(0xc6336400 + route);
	uint8_t campaign[16] = { 7, (uint8_t)world_pick(2) };
	int64_t at = random_time();
	for (unsigned i = 0; i < n; i++) {
		Sonde__Reply *r = &replies[i];
		sonde__reply__init(r);
		hops[i] = i + 1 == n
		    ? dst
		    : addr_v4(0xc0000200 + i * 8 + route % (i + 1));
		r->probe_ttl = i + 1;
		r->attempt = 1;
		r->tx_wall_ns = at;
		if (world_pick(12)) {
			r->from = world_octets(hops[i].bytes, 4);
			REPLY_SET(r, RTT_NS, rtt_ns,
			    (i + 1) * 1000000 + world_pick(400000));
			r->rx_wall_ns = at + (int64_t)r->rtt_ns;
		}
		pointers[i] = r;
	}
	trace.src = world_octets(src.bytes, 4);
	trace.dst = world_octets(dst.bytes, 4);
	trace.method = (char *)(uintptr_t) "udp";
	trace.stop_reason = (char *)(uintptr_t) "completed";
	trace.replies = pointers;
	trace.n_replies = n;
	record.wall_ns = at;
	record.campaign = world_octets(campaign, 16);
	record.run = 1 + world_pick(3);
	record.body_case = SONDE__RECORD__BODY_TRACE;
	record.trace = &trace;
	world_pack(batch, &record);
	if (campaign[1] == 0)
		w->run_records[batch->agent_row][record.run]++;
	w->traces =
	    xreallocarray(w->traces, w->trace_count + 1, sizeof(*w->traces));
	struct sent_trace *sent = &w->traces[w->trace_count++];
	*sent = (struct sent_trace){ .agent = batch->agent_row, .at_ns = at };
	path_from_trace(&sent->path, &trace, at);
	path_digest(&sent->path, sent->digest);
}

const struct world_unsent world_unsent[WORLD_UNSENT] = {
	{ SONDE__OUTCOME__OUTCOME_NOT_SENT, "network is down: wan0", "wan0",
	    "network is down" },
	{ SONDE__OUTCOME__OUTCOME_NOT_SENT, "network is down: wan1", "wan1",
	    "network is down" },
	{ SONDE__OUTCOME__OUTCOME_NOT_SENT, "message too long for wan0", "wan0",
	    "message too long" },
	{ SONDE__OUTCOME__OUTCOME_DENIED, "private", "", "private" },
	{ SONDE__OUTCOME__OUTCOME_DENIED, "rate-budget", "", "rate-budget" },
};

/* Its last replies may have been left out; sums are of all. */
static void add_ping(struct world *w, struct prepared_batch *batch)
{
	Sonde__Record record = SONDE__RECORD__INIT;
	Sonde__Ping ping = SONDE__PING__INIT;
	Sonde__Reply replies[8], *pointers[8];
	unsigned what = world_pick(WORLD_UNSENT), n = 1 + world_pick(8);
	unsigned left_out = world_pick(n);
	const struct world_unsent *why = &world_unsent[what];
	bool denied = why->outcome == SONDE__OUTCOME__OUTCOME_DENIED;
	struct addr dst = addr_v4(0xc6336400);
	for (unsigned i = 0; i < n; i++) {
		sonde__reply__init(&replies[i]);
		replies[i].attempt = i + 1;
		replies[i].outcome = why->outcome;
		*(denied ? &replies[i].denied : &replies[i].error) =
		    (char *)(uintptr_t)why->text;
		pointers[i] = &replies[i];
	}
	ping.dst = world_octets(dst.bytes, 4);
	ping.method = (char *)(uintptr_t) "icmp";
	ping.device = (char *)(uintptr_t)why->device;
	ping.error = (char *)(uintptr_t)(denied ? "" : why->text);
	*(denied ? &ping.denied : &ping.not_sent) = n;
	ping.replies = pointers;
	ping.n_replies = n - left_out;
	ping.replies_left_out = left_out;
	record.wall_ns = random_time();
	record.body_case = SONDE__RECORD__BODY_PING;
	record.ping = &ping;
	world_pack(batch, &record);
	w->unsent[batch->agent_row][what] += n;
}

static void add_gap(struct world *w, struct prepared_batch *batch)
{
	Sonde__Record record = SONDE__RECORD__INIT;
	Sonde__Gap gap = SONDE__GAP__INIT;
	gap.epoch = 1;
	gap.from_seq = 5;
	gap.to_seq = 5 + world_pick(9);
	gap.reason = (char *)(uintptr_t) "spool-full";
	record.wall_ns = random_time();
	record.body_case = SONDE__RECORD__BODY_GAP;
	record.gap = &gap;
	world_pack(batch, &record);
	w->gap_records += gap.to_seq - gap.from_seq + 1;
}

static void make_batch(struct world *w)
{
	struct prepared_batch *batch = xcalloc(1, sizeof(*batch));
	batch->agent_row = 1 + world_pick(AGENTS);
	batch->header.agent[0] = (uint8_t)batch->agent_row;
	batch->received.ns = (START_S + SPAN_S) * NS_PER_S;
	unsigned n = 1 + world_pick(40);
	for (unsigned i = 0; i < n; i++) {
		unsigned what = world_pick(20);
		if (what < 11)
			add_sighting(w, batch);
		else if (what < 18)
			add_trace(w, batch);
		else if (what < 19)
			add_ping(w, batch);
		else
			add_gap(w, batch);
	}
	struct errmsg msg = { "" };
	if (prepared_batch_open(batch, ingest_prepare_record, &msg) < 0)
		fail_msg("%s", msg.text);
	w->batches[w->batch_count++] = batch;
}

void world_check(int err, const struct errmsg *msg)
{
	if (err < 0)
		fail_msg("%d: %s", err, msg->text);
}

void world_open(struct world *w)
{
	struct errmsg msg = { "" };
	uint64_t applied;
	world_check(
	    gather_open(&w->gather, &w->config, w->path, &applied, &msg), &msg);
	for (size_t i = applied; i < w->batch_count; i++)
		gather_batch(w->gather, w->batches[i], 0, i + 1, NULL);
}

void world_work(struct world *w)
{
	struct errmsg msg = { "" };
	int err = 1, most = 40;
	while (err == 1 && most-- > 0) {
		w->gather->work = true;
		world_check(err = gather_step(w->gather, &msg), &msg);
	}
}

void world_run(struct world *w, unsigned seed)
{
	struct errmsg msg = { "" };
	*w = (struct world){ .dir = "/tmp/sonde-gather.XXXXXX" };
	assert_non_null(mkdtemp(w->dir));
	snprintf(w->path, sizeof(w->path), "%s/rollup.db", w->dir);
	memcpy(w->config.levels, (uint32_t[]){ 10, 60, 3600, 86400 }, 16);
	srandom(seed);
	world_open(w);
	for (size_t b = 0; b < BATCHES; b++) {
		struct store_outcome outcome = { 0 };
		make_batch(w);
		gather_batch(w->gather, w->batches[b], 0, b + 1, &outcome);
		w->news += outcome.new_source_count;
		free(outcome.new_sources);
		/* Frozen, it waits while others are gathered. */
		if (world_pick(3) == 0) {
			pthread_mutex_lock(&w->gather->lock);
			gather_freeze(w->gather);
			pthread_mutex_unlock(&w->gather->lock);
		}
		if (world_pick(3) == 0)
			world_check(gather_flush(w->gather, &msg), &msg);
		if (world_pick(6) == 0)
			world_work(w);
		if (world_pick(10) == 0) {
			gather_close(w->gather);
			world_open(w);
		}
	}
}

void world_end(struct world *w)
{
	static const char *const suffixes[] = { "", "-wal", "-shm" };
	gather_close(w->gather);
	for (size_t i = 0; i < BATCHES; i++)
		prepared_batch_free(w->batches[i]);
	for (size_t i = 0; i < w->trace_count; i++)
		path_fini(&w->traces[i].path);
	free(w->traces);
	free(w->sightings);
	for (size_t i = 0; i < 3; i++) {
		char name[100];
		snprintf(name, sizeof(name), "%s%s", w->path, suffixes[i]);
		unlink(name);
	}
	rmdir(w->dir);
}

struct prepared_batch *world_batch(int64_t agent)
{
	struct prepared_batch *batch = xcalloc(1, sizeof(*batch));
	batch->agent_row = agent;
	batch->header.agent[0] = (uint8_t)agent;
	batch->received.ns = (START_S + SPAN_S) * NS_PER_S;
	return batch;
}

void world_gather(struct world *w, struct prepared_batch *batch)
{
	struct errmsg msg = { "" };
	if (prepared_batch_open(batch, ingest_prepare_record, &msg) < 0)
		fail_msg("%s", msg.text);
	gather_batch(w->gather, batch, 0, ++w->batch_count, NULL);
	world_check(gather_flush(w->gather, &msg), &msg);
	prepared_batch_free(batch);
}

void world_begin(struct world *w)
{
	*w = (struct world){ .dir = "/tmp/sonde-gather.XXXXXX" };
	assert_non_null(mkdtemp(w->dir));
	snprintf(w->path, sizeof(w->path), "%s/rollup.db", w->dir);
	memcpy(w->config.levels, (uint32_t[]){ 60, 3600, 86400, 0 }, 16);
	world_open(w);
}

uint64_t world_bounded(struct world *w)
{
	struct store_stats stats = { 0 };
	gather_stats(w->gather, &stats);
	return stats.bounded;
}

int64_t world_rows(struct world *w, const char *sql)
{
	int64_t value;
	struct db db;
	struct errmsg msg = { "" };
	world_check(db_open(&db, w->path, true, &msg), &msg);
	world_check(db_integer(&db, &value, 0, sql, ""), &msg);
	db_close(&db);
	return value;
}
