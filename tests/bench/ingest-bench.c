/* SPDX-License-Identifier: ISC */
/*
 * The same records into the collector (signature, unpacking, exactly once,
 * every rollup) and into one bare SQLite table by a loop of inserts, with the
 * same durability and the same number of records a transaction.  Prints the
 * records a second; making the records is not counted.
 *
 * usage: ingest-bench ours|bare FOLDER [BATCHES]
 */
#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "collector/collector.h"
#include "collector/enrol.h"
#include "collector/ingest.h"
#include "lib/addr.h"
#include "lib/reader.h"
#include "lib/xalloc.h"
#include "tests/web/synth.h"

#define AGENTS 4
#define BATCH 500
#define HOPS 10
#define DESTINATIONS 100

struct load {
	struct synth agents[AGENTS];
	size_t batches;           /* of each agent */
	struct buf *sealed, *raw; /* agent by agent */
};

static void die(const char *what, const char *why)
{
	fprintf(stderr, "ingest-bench: %s: %s\n", what, why);
	exit(1);
}

static ProtobufCBinaryData bytes_of(struct addr *addr)
{
	return (ProtobufCBinaryData){addr_len(addr), addr->bytes};
}

static void add_trace(struct synth *agent, unsigned who, int64_t at_ns)
{
	Sonde__Record record = SONDE__RECORD__INIT;
	Sonde__Trace trace = SONDE__TRACE__INIT;
	Sonde__Reply replies[HOPS], *pointers[HOPS];
	struct addr src = addr_v4(0x0a000001 + who), hops[HOPS];
	uint32_t to = (uint32_t)random() % DESTINATIONS;
	for (uint32_t i = 0; i < HOPS; i++) {
		sonde__reply__init(&replies[i]);
		hops[i] = addr_v4(0x0b000000 + (i << 16) +
		    (i < 4 ? who : i < 7 ? to % 10 : to));
		replies[i].probe_ttl = i + 1;
		replies[i].attempt = 1;
		replies[i].from = bytes_of(&hops[i]);
		replies[i].tx_wall_ns = at_ns;
		replies[i].rtt_ns =
		    (i + 1) * 1000000 + (uint64_t)random() % 300000;
		replies[i].rx_wall_ns =
		    at_ns + (int64_t)replies[i].rtt_ns;
		replies[i].icmp_type = 11;
		pointers[i] = &replies[i];
	}
	trace.src = bytes_of(&src);
	trace.dst = bytes_of(&hops[HOPS - 1]);
	trace.method = (char *)"udp";
	trace.stop_reason = (char *)"completed";
	trace.replies = pointers;
	trace.n_replies = HOPS;
	record.wall_ns = at_ns;
	record.body_case = SONDE__RECORD__BODY_TRACE;
	record.trace = &trace;
	synth_add(agent, &record);
}

static void add_sighting(struct synth *agent, int64_t at_ns)
{
	Sonde__Record record = SONDE__RECORD__INIT;
	Sonde__Sighting sighting = SONDE__SIGHTING__INIT;
	struct addr src = addr_v4(0xc6336400 + (uint32_t)random() % 5000);
	sighting.src = bytes_of(&src);
	sighting.verdict = (char *)"worm";
	sighting.signature = (char *)(random() % 3 ? "slammer" : "mirai");
	sighting.proto = 17;
	sighting.dport = 1434;
	sighting.first_wall_ns = at_ns;
	sighting.last_wall_ns = at_ns + NS_PER_S;
	sighting.packets = 3;
	sighting.targets = 2;
	record.wall_ns = at_ns;
	record.body_case = SONDE__RECORD__BODY_SIGHTING;
	record.sighting = &sighting;
	synth_add(agent, &record);
}

/* Half sightings, half traces, ten minutes of them. */
static void make_load(struct load *load)
{
	int64_t start_ns = walltime_now().ns - 600 * NS_PER_S;
	size_t count = AGENTS * load->batches;
	load->sealed = xcalloc(count, sizeof(*load->sealed));
	load->raw = xcalloc(count, sizeof(*load->raw));
	for (size_t i = 0; i < count; i++) {
		unsigned who = (unsigned)(i / load->batches);
		struct synth *agent = &load->agents[who];
		int64_t at_ns = start_ns + 600 * NS_PER_S /
		    (int64_t)load->batches * (int64_t)(i % load->batches);
		for (int k = 0; k < BATCH; k++) {
			if (k % 2)
				add_trace(agent, who, at_ns);
			else
				add_sighting(agent, at_ns);
		}
		buf_bytes(&load->raw[i], agent->raw.data, agent->raw.len);
		synth_seal(agent, &load->sealed[i]);
	}
}

static void enrol_all(struct collector *c, struct load *load)
{
	struct errmsg msg = {""};
	for (unsigned i = 0; i < AGENTS; i++) {
		char name[16];
		json_t *token = NULL, *answer = NULL;
		snprintf(name, sizeof(name), "agent-%u", i);
		if (enrol_token_new(c, NULL, &token, &msg) < 0)
			die("token", msg.text);
		json_t *body = synth_enrol_body(&load->agents[i],
		    json_string_value(json_object_get(token, "token")), name);
		if (enrol_agent(c, body, &answer, &msg) < 0)
			die("enrol", msg.text);
		json_decref(token);
		json_decref(body);
		json_decref(answer);
	}
}

/* An agent sends its next batch when the last one is answered. */
struct sender {
	pthread_mutex_t lock;
	pthread_cond_t wake;
	bool answered;
	struct collector *c;
	const struct buf *batches;
	size_t count;
	pthread_t thread;
};

static void answered(void *ctx, const struct ingest_answer *answer)
{
	struct sender *s = ctx;
	if (answer->result != INGEST_STORED)
		die(ingest_result_name(answer->result), answer->detail.text);
	pthread_mutex_lock(&s->lock);
	s->answered = true;
	pthread_cond_signal(&s->wake);
	pthread_mutex_unlock(&s->lock);
}

static void *send_all(void *arg)
{
	struct sender *s = arg;
	for (size_t i = 0; i < s->count; i++) {
		s->answered = false;
		collector_ingest(s->c, s->batches[i].data, s->batches[i].len,
		    answered, s);
		pthread_mutex_lock(&s->lock);
		while (!s->answered)
			pthread_cond_wait(&s->wake, &s->lock);
		pthread_mutex_unlock(&s->lock);
	}
	return NULL;
}

static int64_t run_ours(struct load *load, const char *folder)
{
	struct errmsg msg = {""};
	struct collector *c;
	struct collector_config config = collector_defaults;
	struct sender senders[AGENTS];
	config.state_dir = folder;
	if (collector_open(&c, &config, &msg) < 0)
		die("collector", msg.text);
	enrol_all(c, load);
	struct monotime start = monotime_now();
	for (size_t i = 0; i < AGENTS; i++) {
		senders[i] = (struct sender){
		    .lock = PTHREAD_MUTEX_INITIALIZER,
		    .wake = PTHREAD_COND_INITIALIZER,
		    .c = c,
		    .batches = load->sealed + i * load->batches,
		    .count = load->batches,
		};
		pthread_create(
		    &senders[i].thread, NULL, send_all, &senders[i]);
	}
	for (size_t i = 0; i < AGENTS; i++)
		pthread_join(senders[i].thread, NULL);
	int64_t took_ns = monotime_diff(monotime_now(), start);
	collector_close(c);
	return took_ns;
}

static void script(sqlite3 *db, const char *sql)
{
	if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
		die(sql, sqlite3_errmsg(db));
}

static void insert_batch(sqlite3_stmt *insert, const struct buf *raw,
    int64_t agent, int64_t first)
{
	struct reader r = reader_init(raw->data, raw->len);
	for (int64_t seq = first; reader_left(&r) > 0; seq++) {
		uint32_t len = reader_be32(&r);
		sqlite3_bind_int64(insert, 1, agent);
		sqlite3_bind_int64(insert, 2, 1);
		sqlite3_bind_int64(insert, 3, seq);
		sqlite3_bind_blob(insert, 4, reader_bytes(&r, len), (int)len,
		    SQLITE_STATIC);
		if (sqlite3_step(insert) != SQLITE_DONE)
			die("insert", "failed");
		sqlite3_reset(insert);
	}
}

static int64_t run_bare(struct load *load, const char *folder)
{
	sqlite3 *db;
	sqlite3_stmt *insert;
	char *path = xasprintf("%s/bare.db", folder);
	if (sqlite3_open(path, &db) != SQLITE_OK)
		die(path, sqlite3_errmsg(db));
	script(db, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
	    "CREATE TABLE records (agent INTEGER, epoch INTEGER, seq INTEGER,"
	    " body BLOB, PRIMARY KEY (agent, epoch, seq))");
	sqlite3_prepare_v2(db, "INSERT INTO records VALUES (?, ?, ?, ?)", -1,
	    &insert, NULL);
	struct monotime start = monotime_now();
	for (size_t i = 0; i < load->batches; i++)
		for (size_t a = 0; a < AGENTS; a++) {
			script(db, "BEGIN IMMEDIATE");
			insert_batch(insert,
			    &load->raw[a * load->batches + i], (int64_t)a,
			    (int64_t)i * BATCH);
			script(db, "COMMIT");
		}
	int64_t took_ns = monotime_diff(monotime_now(), start);
	sqlite3_finalize(insert);
	sqlite3_close(db);
	free(path);
	return took_ns;
}

int main(int argc, char **argv)
{
	struct load load = {.batches = 50};
	if (argc < 3)
		die("usage", "ingest-bench ours|bare FOLDER [BATCHES]");
	if (argc > 3)
		load.batches = strtoul(argv[3], NULL, 10);
	srandom(5);
	for (int i = 0; i < AGENTS; i++)
		synth_new(&load.agents[i]);
	make_load(&load);
	int64_t took_ns = strcmp(argv[1], "ours") == 0
	    ? run_ours(&load, argv[2]) : run_bare(&load, argv[2]);
	printf("%.0f\n", (double)(AGENTS * BATCH * load.batches) *
	    (double)NS_PER_S / (double)took_ns);
	return 0;
}
