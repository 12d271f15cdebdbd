/* SPDX-License-Identifier: ISC */
#include "tests/collector/fixture.h"
#include "collector/core/config.h"
#include "collector/collector.h"

#include <pthread.h>
#include <glob.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "collector/core/private.h"
#include "collector/core/writer.h"
#include "collector/fleet/enrol.h"
#include "collector/store/sqlite/records-table.h"
#include "lib/base/addr.h"
#include "lib/base/xalloc.h"

static struct walltime wall(void *ctx)
{
	struct fixture *f = ctx;
	return (struct walltime){ f->now_ns + f->wall_ahead_ns };
}

static struct monotime mono(void *ctx)
{
	struct fixture *f = ctx;
	return (struct monotime){ f->now_ns };
}

void fixture_open(struct fixture *f)
{
	struct errmsg msg = { "" };
	if (collector_open(&f->c, &f->config, &msg) < 0)
		fail_msg("collector_open: %s", msg.text);
}

void fixture_close(struct fixture *f)
{
	collector_close(f->c);
	f->c = NULL;
}

void fixture_reopen(struct fixture *f)
{
	fixture_close(f);
	fixture_open(f);
}

void fixture_sleep(struct fixture *f, int64_t ns)
{
	f->now_ns += ns;
}

int fixture_setup(void **state)
{
	struct fixture *f = xcalloc(1, sizeof(*f));
	/* In memory where we can: what is tested here needs no disk. */
	snprintf(f->dir, sizeof(f->dir), "%s/sonde-collector-XXXXXX",
	    access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	if (!mkdtemp(f->dir))
		return -1;
	f->now_ns = DAY_START_NS + 12 * 3600 * NS_PER_S;
	f->clock = (struct collector_clock){ wall, mono, f, 0 };
	f->config = collector_defaults;
	f->config.state_dir = f->dir;
	f->config.clock = &f->clock;
	f->config.no_alarm_thread = true;
	fixture_open(f);
	*state = f;
	return 0;
}

int fixture_teardown(void **state)
{
	struct fixture *f = *state;
	char command[128];
	fixture_close(f);
	snprintf(command, sizeof(command), "rm -rf %s", f->dir);
	int err = system(command);
	free(f);
	return err;
}

void fixture_enrol(
    struct fixture *f, struct synth *agent, const char *name, const char *tags)
{
	struct errmsg msg = { "" };
	json_t *answer = NULL;
	json_t *ask = json_object();
	if (tags)
		json_object_set_new(ask, "tags", json_loads(tags, 0, NULL));
	assert_int_equal(
	    enrol_token_new(f->c, &fixture_admin, ask, &answer, &msg), 0);
	json_decref(ask);
	synth_new(agent);
	json_t *body = synth_enrol_body(
	    agent, json_string_value(json_object_get(answer, "token")), name);
	json_decref(answer);
	if (enrol_agent(f->c, body, &answer, &msg) < 0)
		fail_msg("enrol_agent: %s", msg.text);
	json_decref(body);
	json_decref(answer);
}

struct waiter {
	pthread_mutex_t lock;
	pthread_cond_t wake;
	bool done;
	struct ingest_answer answer;
};

static void answered(void *ctx, const struct ingest_answer *answer)
{
	struct waiter *w = ctx;
	pthread_mutex_lock(&w->lock);
	assert_false(w->done);
	w->answer = *answer;
	w->done = true;
	pthread_cond_signal(&w->wake);
	pthread_mutex_unlock(&w->lock);
}

struct ingest_answer fixture_send(
    struct fixture *f, const void *body, size_t len)
{
	struct ingest_answer answer =
	    fixture_send_from(f, &(struct addr){ 0 }, body, len);
	fixture_settle(f);
	return answer;
}

static int change_nothing(
    struct collector *c, struct job *job, struct errmsg *msg)
{
	(void)c;
	(void)job;
	(void)msg;
	return ERR_OK;
}

void fixture_settle(struct fixture *f)
{
	struct job job = { .run = change_nothing };
	writer_call(f->c, &job, NULL);
}

struct ingest_answer fixture_send_from(
    struct fixture *f, const struct addr *peer, const void *body, size_t len)
{
	struct waiter w = { PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER,
		false, { 0 } };
	collector_ingest_from(f->c, peer, body, len, answered, &w);
	pthread_mutex_lock(&w.lock);
	while (!w.done)
		pthread_cond_wait(&w.wake, &w.lock);
	pthread_mutex_unlock(&w.lock);
	return w.answer;
}

void fixture_ship(struct fixture *f, struct synth *agent)
{
	struct buf body = { 0 };
	assert_true(synth_seal(agent, &body));
	struct ingest_answer answer = fixture_send(f, body.data, body.len);
	buf_fini(&body);
	if (answer.result != INGEST_STORED)
		fail_msg("%s: %s", ingest_result_name(answer.result),
		    answer.detail.text);
	assert_int_equal(answer.next, agent->next_seq);
}

struct ingest_answer fixture_send_as(struct fixture *f,
    const struct synth *agent, const struct batch_header *header)
{
	struct errmsg msg = { "" };
	struct buf body = { 0 };
	struct batch_header h = *header;
	memcpy(h.agent, agent->id, sizeof(h.agent));
	if (batch_seal(&body, &h, agent->raw.data, agent->raw.len,
		agent->secret, &msg) < 0)
		fail_msg("batch_seal: %s", msg.text);
	struct ingest_answer answer = fixture_send(f, body.data, body.len);
	buf_fini(&body);
	return answer;
}

/* Finds "name=value" in the list and gives the value. */
struct finder {
	const char *args;
	char value[256];
};

static const char *find_arg(void *ctx, const char *name)
{
	struct finder *finder = ctx;
	size_t len = strlen(name);
	for (const char *p = finder->args; p && *p;) {
		size_t part = strcspn(p, "&");
		if (part > len && memcmp(p, name, len) == 0 && p[len] == '=') {
			snprintf(finder->value, sizeof(finder->value), "%.*s",
			    (int)(part - len - 1), p + len + 1);
			return finder->value;
		}
		p += part + (p[part] == '&');
	}
	return NULL;
}

/* The interface lends each value until the query ends. */
struct finders {
	const char *args;
	struct finder found[16];
	size_t count;
};

static const char *find_and_keep(void *ctx, const char *name)
{
	struct finders *all = ctx;
	struct finder *finder = &all->found[all->count++ % 16];
	finder->args = all->args;
	return find_arg(finder, name);
}

const char *fixture_no_arg(void *ctx, const char *name)
{
	(void)ctx, (void)name;
	return NULL;
}

const struct principal fixture_admin = { .account = "admin",
	.roles = ROLE_READ | ROLE_OPERATE | ROLE_ADMIN };

static int ask(struct fixture *f, query_fn *query, const char *args,
    json_t **answer, struct errmsg *msg)
{
	struct finders all = { .args = args };
	struct query_args query_args = { find_and_keep, &all };
	struct query_context context = { f->c, &fixture_admin, &query_args,
		NULL, NULL };
	return query_run(query, &context, answer, msg);
}

static int parse_answer(query_text_fn *query,
    const struct query_context *context, json_t **answer, struct errmsg *msg)
{
	struct buf text = { 0 };
	json_error_t error;
	int err = query(context, &text, msg);
	if (err == ERR_OK) {
		*answer = json_loadb((const char *)text.data, text.len,
		    JSON_REJECT_DUPLICATES, &error);
		if (!*answer)
			err = err_set(msg, ERR_MALFORMED,
			    "answer: column %d: %s", error.column, error.text);
	}
	buf_fini(&text);
	return err;
}

int fixture_topology(
    const struct query_context *context, json_t **answer, struct errmsg *msg)
{
	return parse_answer(query_topology, context, answer, msg);
}

int fixture_series(
    const struct query_context *context, json_t **answer, struct errmsg *msg)
{
	return parse_answer(query_series, context, answer, msg);
}

json_t *fixture_query(struct fixture *f, query_fn *query, const char *args)
{
	struct errmsg msg = { "" };
	json_t *answer = NULL;
	if (ask(f, query, args, &answer, &msg) < 0)
		fail_msg("query %s: %s", args ? args : "", msg.text);
	assert_non_null(answer);
	return answer;
}

int fixture_query_err(struct fixture *f, query_fn *query, const char *args)
{
	struct errmsg msg = { "" };
	json_t *answer = NULL;
	int err = ask(f, query, args, &answer, &msg);
	json_decref(answer);
	return err;
}

/* The newest file of telemetry, the registry and the sums beside it; records
 * are read by the running collector's own code. */
static sqlite3 *open_files(struct fixture *f)
{
	char pattern[128], attach[256];
	sqlite3 *db;
	glob_t found;
	snprintf(pattern, sizeof(pattern), "%s/telemetry/[0-9]*.db", f->dir);
	assert_int_equal(glob(pattern, 0, NULL, &found), 0);
	assert_int_equal(
	    sqlite3_open(found.gl_pathv[found.gl_pathc - 1], &db), SQLITE_OK);
	globfree(&found);
	sqlite3_busy_timeout(db, 60000);
	snprintf(attach, sizeof(attach),
	    "ATTACH '%s/registry.db' AS registry;"
	    "ATTACH '%s/telemetry/rollup.db' AS rollup;",
	    f->dir, f->dir);
	assert_int_equal(sqlite3_exec(db, attach, NULL, NULL, NULL), SQLITE_OK);
	return db;
}

int64_t fixture_sql(struct fixture *f, const char *sql)
{
	struct store_view *view = NULL;
	struct errmsg msg = { "" };
	sqlite3_stmt *stmt;
	sqlite3 *db = open_files(f);
	if (f->c) {
		assert_int_equal(f->c->ops->begin(f->c->store, &view, &msg), 0);
		assert_int_equal(
		    records_table_declare(db, f->c->ops, view, &msg), 0);
	}
	if (sqlite3_prepare_v2(db, sql, -1, &stmt, NULL) != SQLITE_OK)
		fail_msg("%s: %s", sql, sqlite3_errmsg(db));
	int code = sqlite3_step(stmt);
	if (code != SQLITE_ROW && code != SQLITE_DONE)
		fail_msg("%s: %s", sql, sqlite3_errmsg(db));
	int64_t value = code == SQLITE_ROW ? sqlite3_column_int64(stmt, 0) : 0;
	sqlite3_finalize(stmt);
	sqlite3_close(db);
	if (view)
		f->c->ops->end(view);
	return value;
}

static Sonde__Record record_at(int64_t at_ns)
{
	Sonde__Record record = SONDE__RECORD__INIT;
	record.wall_ns = record.mono_ns = at_ns;
	return record;
}

void add_log(struct synth *agent, const char *text)
{
	Sonde__Log log = SONDE__LOG__INIT;
	Sonde__Record record = record_at(DAY_START_NS);
	log.process = (char *)"test";
	log.text = (char *)text;
	record.body_case = SONDE__RECORD__BODY_LOG;
	record.log = &log;
	synth_add(agent, &record);
}

static ProtobufCBinaryData bytes_of(const char *text, struct addr *addr)
{
	ProtobufCBinaryData data = { 0, NULL };
	if (!text)
		return data;
	assert_int_equal(addr_parse(addr, text), 0);
	data.len = addr_len(addr);
	data.data = addr->bytes;
	return data;
}

void add_sighting(struct synth *agent, const char *src, const char *signature,
    int64_t at_ns, unsigned packets)
{
	add_sighting_of(agent, "worm", src, signature, at_ns, packets);
}

void add_sighting_of(struct synth *agent, const char *verdict, const char *src,
    const char *signature, int64_t at_ns, unsigned packets)
{
	struct addr addr;
	Sonde__Sighting sighting = SONDE__SIGHTING__INIT;
	Sonde__Record record = record_at(at_ns);
	sighting.src = bytes_of(src, &addr);
	sighting.verdict = (char *)verdict;
	sighting.signature = (char *)signature;
	sighting.proto = 17;
	sighting.dport = 1434;
	sighting.first_wall_ns = at_ns;
	sighting.last_wall_ns = at_ns + NS_PER_S;
	sighting.packets = packets;
	sighting.targets = 1;
	record.body_case = SONDE__RECORD__BODY_SIGHTING;
	record.sighting = &sighting;
	synth_add(agent, &record);
}

void add_trace(struct synth *agent, const char *src, const char *dst,
    int64_t at_ns, const struct hop *hops, size_t count)
{
	struct addr addrs[64], ends[2];
	Sonde__Reply replies[256], *pointers[256];
	Sonde__Trace trace = SONDE__TRACE__INIT;
	Sonde__Record record = record_at(at_ns);
	size_t n = 0;
	for (size_t i = 0; i < count; i++)
		for (unsigned a = 0; a < hops[i].probes; a++, n++) {
			Sonde__Reply *reply = &replies[n];
			sonde__reply__init(reply);
			reply->probe_ttl = (uint32_t)i + 1;
			reply->tx_wall_ns = at_ns;
			reply->attempt = a + 1;
			pointers[n] = reply;
			if (a >= hops[i].replies || !hops[i].from)
				continue;
			reply->from = bytes_of(hops[i].from, &addrs[i]);
			REPLY_SET(reply, RTT_NS, rtt_ns, (uint64_t)hops[i].rtt_us * 1000);
		}
	trace.src = bytes_of(src, &ends[0]);
	trace.dst = bytes_of(dst, &ends[1]);
	trace.method = (char *)"udp";
	trace.stop_reason = (char *)"completed";
	trace.replies = pointers;
	trace.n_replies = n;
	record.body_case = SONDE__RECORD__BODY_TRACE;
	record.trace = &trace;
	synth_add(agent, &record);
}

void add_heartbeat(
    struct synth *agent, int64_t at_ns, int64_t uptime_ns, bool sensor)
{
	Sonde__Counter counter = SONDE__COUNTER__INIT, *pointer = &counter;
	Sonde__Heartbeat heartbeat = SONDE__HEARTBEAT__INIT;
	Sonde__Record record = record_at(at_ns);
	counter.name = (char *)(sensor ? "sensor.captured" : "guardian.sent");
	counter.value = 42;
	heartbeat.counters = &pointer;
	heartbeat.n_counters = 1;
	heartbeat.uptime_ns = (uint64_t)uptime_ns;
	heartbeat.version = (char *)"1.2.3";
	record.body_case = SONDE__RECORD__BODY_HEARTBEAT;
	record.heartbeat = &heartbeat;
	synth_add(agent, &record);
}
