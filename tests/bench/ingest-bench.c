/* SPDX-License-Identifier: ISC */
/*
 * The same records three ways; prints the records a second.  Making them is
 * not counted.
 *
 * ours     the collector: signature, unpacking, every check, exactly once,
 *          every index and rollup
 * indexed  a loop of inserts into the collector's own table of records with
 *          its five indices: rows unpacked beforehand, no check, no rollup
 * bare     a loop of inserts of number and bytes into a table with one key
 *
 * The loops are one thread, one statement prepared once, 500 records a
 * transaction, in WAL with synchronous = FULL, as the collector's writer is.
 *
 * usage: ingest-bench ours|indexed|bare FOLDER [BATCHES]
 */
#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "collector/core/config.h"
#include "collector/collector.h"
#include "collector/fleet/enrol.h"
#include "collector/ingest/ingest.h"
#include "lib/base/addr.h"
#include "lib/base/reader.h"
#include "lib/record/record.h"
#include "lib/base/xalloc.h"
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
	return (ProtobufCBinaryData){ addr_len(addr), addr->bytes };
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
		    (i < 4          ? who
			    : i < 7 ? to % 10
				    : to));
		replies[i].probe_ttl = i + 1;
		replies[i].attempt = 1;
		replies[i].from = bytes_of(&hops[i]);
		replies[i].tx_wall_ns = at_ns;
		replies[i].rtt_ns =
		    (i + 1) * 1000000 + (uint64_t)random() % 300000;
		replies[i].rx_wall_ns = at_ns + (int64_t)replies[i].rtt_ns;
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
		int64_t at_ns = start_ns +
		    600 * NS_PER_S / (int64_t)load->batches *
			(int64_t)(i % load->batches);
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

static const struct principal admin = { .account = "bench",
	.roles = ROLE_ADMIN };

static void enrol_all(struct collector *c, struct load *load)
{
	struct errmsg msg = { "" };
	for (unsigned i = 0; i < AGENTS; i++) {
		char name[16];
		json_t *token = NULL, *answer = NULL;
		snprintf(name, sizeof(name), "agent-%u", i);
		if (enrol_token_new(c, &admin, NULL, &token, &msg) < 0)
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
		collector_ingest(
		    s->c, s->batches[i].data, s->batches[i].len, answered, s);
		pthread_mutex_lock(&s->lock);
		while (!s->answered)
			pthread_cond_wait(&s->wake, &s->lock);
		pthread_mutex_unlock(&s->lock);
	}
	return NULL;
}

static int64_t run_ours(struct load *load, const char *folder)
{
	struct errmsg msg = { "" };
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
		pthread_create(&senders[i].thread, NULL, send_all, &senders[i]);
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

/* What an indexed row has beside the number and the bytes. */
struct row {
	int64_t wall_ns;
	int kind;
	struct addr src, dst;
	const uint8_t *body;
	size_t len;
};

static void read_row(struct row *row, struct reader *r)
{
	struct errmsg msg;
	Sonde__Record *record;
	row->len = reader_be32(r);
	row->body = reader_bytes(r, row->len);
	if (record_unpack(&record, row->body, row->len, &msg) < 0)
		die("record", msg.text);
	row->wall_ns = record->wall_ns;
	row->kind = (int)record->body_case;
	ProtobufCBinaryData src = record->body_case == SONDE__RECORD__BODY_TRACE
	    ? record->trace->src
	    : record->sighting->src;
	row->src = addr_from_bytes(src.data, src.len);
	if (record->body_case == SONDE__RECORD__BODY_TRACE)
		row->dst = addr_from_bytes(
		    record->trace->dst.data, record->trace->dst.len);
	record_free(record);
}

static struct row *read_rows(const struct load *load)
{
	size_t count = AGENTS * load->batches;
	struct row *rows = xcalloc(count * BATCH, sizeof(*rows));
	for (size_t i = 0; i < count; i++) {
		struct reader r =
		    reader_init(load->raw[i].data, load->raw[i].len);
		for (size_t k = 0; k < BATCH; k++)
			read_row(&rows[i * BATCH + k], &r);
	}
	return rows;
}

static void bind_addr(sqlite3_stmt *insert, int at, const struct addr *addr)
{
	if (addr->family)
		sqlite3_bind_blob(insert, at, addr->bytes, (int)addr_len(addr),
		    SQLITE_STATIC);
	else
		sqlite3_bind_null(insert, at);
}

static void insert_row(sqlite3_stmt *insert, const struct row *row,
    int64_t agent, int64_t seq, bool indexed)
{
	sqlite3_bind_int64(insert, 1, agent);
	sqlite3_bind_int64(insert, 2, 1);
	sqlite3_bind_int64(insert, 3, seq);
	sqlite3_bind_blob(insert, 4, row->body, (int)row->len, SQLITE_STATIC);
	if (indexed) {
		sqlite3_bind_int64(insert, 5, row->wall_ns);
		sqlite3_bind_int64(insert, 6, row->kind);
		bind_addr(insert, 7, &row->src);
		bind_addr(insert, 8, &row->dst);
	}
	if (sqlite3_step(insert) != SQLITE_DONE)
		die("insert", "failed");
	sqlite3_reset(insert);
}

static int64_t insert_all(
    sqlite3 *db, const struct load *load, const char *sql, bool indexed)
{
	sqlite3_stmt *insert;
	struct row *rows = read_rows(load);
	if (sqlite3_prepare_v2(db, sql, -1, &insert, NULL) != SQLITE_OK)
		die(sql, sqlite3_errmsg(db));
	struct monotime start = monotime_now();
	for (size_t i = 0; i < load->batches; i++)
		for (size_t a = 0; a < AGENTS; a++) {
			const struct row *batch =
			    &rows[(a * load->batches + i) * BATCH];
			script(db, "BEGIN IMMEDIATE");
			for (size_t k = 0; k < BATCH; k++)
				insert_row(insert, &batch[k], (int64_t)a,
				    (int64_t)(i * BATCH + k), indexed);
			script(db, "COMMIT");
		}
	int64_t took_ns = monotime_diff(monotime_now(), start);
	sqlite3_finalize(insert);
	free(rows);
	return took_ns;
}

static sqlite3 *open_database(const char *folder, const char *name)
{
	sqlite3 *db;
	char *path = xasprintf("%s/%s", folder, name);
	if (sqlite3_open(path, &db) != SQLITE_OK)
		die(path, sqlite3_errmsg(db));
	script(db, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL");
	free(path);
	return db;
}

static int64_t run_bare(const struct load *load, const char *folder)
{
	sqlite3 *db = open_database(folder, "bare.db");
	script(db,
	    "CREATE TABLE records (agent INTEGER, epoch INTEGER,"
	    " seq INTEGER, body BLOB, PRIMARY KEY (agent, epoch, seq))");
	int64_t took_ns = insert_all(
	    db, load, "INSERT INTO records VALUES (?, ?, ?, ?)", false);
	sqlite3_close(db);
	return took_ns;
}

/* The collector makes its tables and ends; the loop fills them. */
static int64_t run_indexed(const struct load *load, const char *folder)
{
	struct errmsg msg = { "" };
	struct collector *c;
	struct collector_config config = collector_defaults;
	config.state_dir = folder;
	if (collector_open(&c, &config, &msg) < 0)
		die("collector", msg.text);
	collector_close(c);
	sqlite3 *db = open_database(folder, "sonde.db");
	int64_t took_ns = insert_all(db, load,
	    "INSERT INTO records (agent, epoch, seq, body, wall_ns, kind,"
	    " src, dst, received_ns, run)"
	    " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?5, 0)",
	    true);
	sqlite3_close(db);
	return took_ns;
}

int main(int argc, char **argv)
{
	struct load load = { .batches = 50 };
	if (argc < 3)
		die("usage", "ingest-bench ours|indexed|bare FOLDER [BATCHES]");
	if (argc > 3)
		load.batches = strtoul(argv[3], NULL, 10);
	srandom(5);
	for (int i = 0; i < AGENTS; i++)
		synth_new(&load.agents[i]);
	make_load(&load);
	int64_t took_ns = strcmp(argv[1], "ours") == 0
	    ? run_ours(&load, argv[2])
	    : strcmp(argv[1], "indexed") == 0 ? run_indexed(&load, argv[2])
					      : run_bare(&load, argv[2]);
	printf("%.0f\n",
	    (double)(AGENTS * BATCH * load.batches) * (double)NS_PER_S /
		(double)took_ns);
	return 0;
}
