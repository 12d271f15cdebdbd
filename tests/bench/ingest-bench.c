/* SPDX-License-Identifier: ISC */
/*
 * Records into the collector and into SQLite; prints the records a second.
 * Making them is not counted.
 *
 * ours   the collector: signature, unpacking, every check, exactly once, every
 *        posting and rollup
 * bare   the same records by a loop of inserts of number and bytes into a table
 *        with one key: one thread, one statement prepared once, 500 records a
 *        transaction, in WAL with synchronous = FULL
 * mixed  the collector with a load of real cardinality (tests/bench/load.h),
 *        which `make` wrote; prints a line for every million too
 *
 * usage: ingest-bench ours|bare FOLDER [BATCHES]
 *        ingest-bench make FILE RECORDS full|lean
 *        ingest-bench mixed FOLDER FILE [RECORDS]
 */
#include <pthread.h>
#include <sodium.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "collector/core/config.h"
#include "collector/collector.h"
#include "collector/fleet/enrol.h"
#include "collector/ingest/ingest.h"
#include "lib/base/addr.h"
#include "lib/base/reader.h"
#include "lib/record/record.h"
#include "tests/bench/load.h"
#include "lib/base/xalloc.h"
#include "tests/web/synth.h"

#define AGENTS 4
#define BATCH 500
#define HOPS 10
#define DESTINATIONS 100

struct small_load {
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
		REPLY_SET(&replies[i], RTT_NS, rtt_ns,
		    (i + 1) * 1000000 + (uint64_t)random() % 300000);
		replies[i].rx_wall_ns = at_ns + (int64_t)replies[i].rtt_ns;
		REPLY_SET(&replies[i], ICMP_TYPE, icmp_type, 11);
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
static void make_load(struct small_load *load)
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

static void enrol_all(struct collector *c, const struct synth *agents)
{
	struct errmsg msg = { "" };
	for (unsigned i = 0; i < AGENTS; i++) {
		char name[16];
		json_t *token = NULL, *answer = NULL;
		snprintf(name, sizeof(name), "agent-%u", i);
		if (enrol_token_new(c, &admin, NULL, &token, &msg) < 0)
			die("token", msg.text);
		json_t *body = synth_enrol_body(&agents[i],
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

static int64_t run_ours(struct small_load *load, const char *folder)
{
	struct errmsg msg = { "" };
	struct collector *c;
	struct collector_config config = collector_defaults;
	struct sender senders[AGENTS];
	config.state_dir = folder;
	if (collector_open(&c, &config, &msg) < 0)
		die("collector", msg.text);
	enrol_all(c, load->agents);
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

struct row {
	const uint8_t *body;
	size_t len;
};

static struct row *read_rows(const struct small_load *load)
{
	size_t count = AGENTS * load->batches;
	struct row *rows = xcalloc(count * BATCH, sizeof(*rows));
	for (size_t i = 0; i < count; i++) {
		struct reader r =
		    reader_init(load->raw[i].data, load->raw[i].len);
		for (size_t k = 0; k < BATCH; k++) {
			struct row *row = &rows[i * BATCH + k];
			row->len = reader_be32(&r);
			row->body = reader_bytes(&r, row->len);
		}
	}
	return rows;
}

static void insert_row(
    sqlite3_stmt *insert, const struct row *row, int64_t agent, int64_t seq)
{
	sqlite3_bind_int64(insert, 1, agent);
	sqlite3_bind_int64(insert, 2, 1);
	sqlite3_bind_int64(insert, 3, seq);
	sqlite3_bind_blob(insert, 4, row->body, (int)row->len, SQLITE_STATIC);
	if (sqlite3_step(insert) != SQLITE_DONE)
		die("insert", "failed");
	sqlite3_reset(insert);
}

static int64_t insert_all(
    sqlite3 *db, const struct small_load *load, const char *sql)
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
				    (int64_t)(i * BATCH + k));
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

static int64_t run_bare(const struct small_load *load, const char *folder)
{
	sqlite3 *db = open_database(folder, "bare.db");
	script(db,
	    "CREATE TABLE records (agent INTEGER, epoch INTEGER,"
	    " seq INTEGER, body BLOB, PRIMARY KEY (agent, epoch, seq))");
	int64_t took_ns =
	    insert_all(db, load, "INSERT INTO records VALUES (?, ?, ?, ?)");
	sqlite3_close(db);
	return took_ns;
}

/* --- the mixed load --- */
struct mixed_sender {
	pthread_mutex_t lock;
	pthread_cond_t wake;
	bool answered;
	struct collector *c;
	const struct piece {
		const uint8_t *data;
		size_t len;
	} * pieces;
	size_t count;
	_Atomic uint64_t *stored;
	pthread_t thread;
};

static void mixed_answered(void *ctx, const struct ingest_answer *answer)
{
	struct mixed_sender *s = ctx;
	if (answer->result != INGEST_STORED)
		die(ingest_result_name(answer->result), answer->detail.text);
	*s->stored += LOAD_BATCH;
	pthread_mutex_lock(&s->lock);
	s->answered = true;
	pthread_cond_signal(&s->wake);
	pthread_mutex_unlock(&s->lock);
}

static void *send_mixed(void *arg)
{
	struct mixed_sender *s = arg;
	for (size_t i = 0; i < s->count; i++) {
		s->answered = false;
		collector_ingest(s->c, s->pieces[i].data, s->pieces[i].len,
		    mixed_answered, s);
		pthread_mutex_lock(&s->lock);
		while (!s->answered)
			pthread_cond_wait(&s->wake, &s->lock);
		pthread_mutex_unlock(&s->lock);
	}
	return NULL;
}

static double cpu_s(void)
{
	struct timespec t;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* The clock of the load, so that arrival days are its days. */
struct load_clock {
	int64_t start_ns;
	uint64_t all;
	_Atomic uint64_t stored;
};

static struct walltime load_wall(void *ctx)
{
	const struct load_clock *clock = ctx;
	double part = (double)clock->stored / (double)clock->all;
	return (struct walltime){ clock->start_ns + 60 * NS_PER_S +
		(int64_t)(part * LOAD_SPAN_S * 1e9) };
}

static struct monotime load_mono(void *ctx)
{
	return (struct monotime){ load_wall(ctx).ns };
}

static void watch_mixed(struct load_clock *clock, uint64_t records)
{
	struct monotime last = monotime_now();
	double cpu = cpu_s();
	uint64_t told = 0, step = 1000000;
	while (clock->stored < records) {
		nanosleep(&(struct timespec){ 0, 2 * NS_PER_MS }, NULL);
		if (clock->stored - told < step)
			continue;
		struct monotime now = monotime_now();
		double used = cpu_s(), n = (double)(clock->stored - told);
		fprintf(stderr,
		    "%6.1f M: %8.0f records/s, %5.2f us CPU a record\n",
		    (double)clock->stored * 1e-6,
		    n * 1e9 / (double)monotime_diff(now, last),
		    (used - cpu) * 1e6 / n);
		told = clock->stored;
		last = now;
		cpu = used;
	}
}

static int64_t run_mixed(
    const char *folder, struct load *load, uint64_t records)
{
	struct errmsg msg = { "" };
	struct collector *c;
	struct collector_config config = collector_defaults;
	struct load_clock clock = { .start_ns = load->start_ns,
		.all = load->batches * LOAD_BATCH };
	const struct collector_clock times = {
		.wall = load_wall, .mono = load_mono, .ctx = &clock
	};
	struct mixed_sender senders[AGENTS] = { 0 };
	struct piece *pieces = xcalloc(load->batches, sizeof(*pieces));
	uint64_t each = records / LOAD_BATCH / AGENTS;
	unsigned who;
	const uint8_t *data;
	size_t len;
	for (uint64_t i = 0; i < each * AGENTS; i++)
		if (load_next(load, &who, &data, &len))
			pieces[who * each + i / AGENTS] =
			    (struct piece){ data, len };
	config.state_dir = folder;
	config.clock = &times;
	config.no_alarm_thread = true;
	if (collector_open(&c, &config, &msg) < 0)
		die("collector", msg.text);
	enrol_all(c, load->agents);
	struct monotime start = monotime_now();
	for (size_t i = 0; i < AGENTS; i++) {
		senders[i] = (struct mixed_sender){
			.lock = PTHREAD_MUTEX_INITIALIZER,
			.wake = PTHREAD_COND_INITIALIZER,
			.c = c,
			.pieces = pieces + i * each,
			.count = each,
			.stored = &clock.stored,
		};
		pthread_create(
		    &senders[i].thread, NULL, send_mixed, &senders[i]);
	}
	watch_mixed(&clock, each * AGENTS * LOAD_BATCH);
	for (size_t i = 0; i < AGENTS; i++)
		pthread_join(senders[i].thread, NULL);
	int64_t took_ns = monotime_diff(monotime_now(), start);
	collector_close(c);
	free(pieces);
	struct rusage use;
	getrusage(RUSAGE_SELF, &use);
	fprintf(stderr, "peak RSS %ld KiB, of it the load's file %zu KiB\n",
	    use.ru_maxrss, load->at >> 10);
	return took_ns;
}

static void print_rate(double records, int64_t took_ns)
{
	printf("%.0f\n", records * (double)NS_PER_S / (double)took_ns);
}

static int main_mixed(int argc, char **argv)
{
	struct load mixed = { 0 };
	if (argc < 4 || load_open(&mixed, argv[3]) < 0)
		die("mixed", "expected FOLDER FILE [RECORDS]");
	uint64_t records = mixed.batches * LOAD_BATCH;
	if (argc > 4)
		records = strtoull(argv[4], NULL, 10);
	print_rate((double)records, run_mixed(argv[2], &mixed, records));
	return 0;
}

int main(int argc, char **argv)
{
	struct small_load load = { .batches = 50 };
	if (argc < 3)
		die("usage", "ingest-bench ours|bare FOLDER [BATCHES]");
	if (sodium_init() < 0)
		die("libsodium", "does not start");
	if (strcmp(argv[1], "make") == 0 && argc == 5)
		return load_make(argv[2], strtoull(argv[3], NULL, 10),
			   strcmp(argv[4], "full") == 0) < 0;
	if (strcmp(argv[1], "mixed") == 0)
		return main_mixed(argc, argv);
	if (argc > 3)
		load.batches = strtoul(argv[3], NULL, 10);
	srandom(5);
	for (int i = 0; i < AGENTS; i++)
		synth_new(&load.agents[i]);
	make_load(&load);
	print_rate((double)(AGENTS * BATCH * load.batches),
	    strcmp(argv[1], "ours") == 0 ? run_ours(&load, argv[2])
					 : run_bare(&load, argv[2]));
	return 0;
}
