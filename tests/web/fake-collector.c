/* SPDX-License-Identifier: ISC */
/* Stands in for all of collector/: answers are what the test set, and time
 * passes only when the test says so. */

#include "tests/web/fake-collector.h"
#include "collector/core/agent-table.h"
#include "collector/core/generation.h"
#include "collector/core/listener.h"
#include "collector/core/admin-token.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "collector/fleet/campaign.h"
#include "collector/fleet/enrol.h"
#include "collector/core/event-log.h"
#include "collector/core/fault.h"
#include "collector/core/stats.h"
#include "collector/query/query.h"
#include "lib/base/xalloc.h"

enum { EVENTS_MAX = 16384, HELD_MAX = 64 };

static struct {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct collector_listener listener;
	struct event events[EVENTS_MAX];
	uint64_t first_id, last_id, revision;
	struct ingest_answer answer;
	bool hold_ingest, block;
	const char *fault; /* borrowed */
	struct {
		ingest_done *done;
		void *ctx;
	} held[HELD_MAX];
	size_t held_count, blocked;
} fake = { .lock = PTHREAD_MUTEX_INITIALIZER,
	.changed = PTHREAD_COND_INITIALIZER,
	.first_id = 1 };

struct collector *fake_collector(void)
{
	return (struct collector *)&fake;
}

void fake_reset(void)
{
	pthread_mutex_lock(&fake.lock);
	for (uint64_t i = 1; i <= fake.last_id; i++)
		free(fake.events[i].data);
	memset(fake.events, 0, sizeof(fake.events));
	memset(&fake.listener, 0, sizeof(fake.listener));
	fake.first_id = 1;
	fake.last_id = fake.revision = 0;
	fake.held_count = 0;
	fake.hold_ingest = fake.block = false;
	fake.fault = NULL;
	fake.answer = (struct ingest_answer){ 0 };
	pthread_mutex_unlock(&fake.lock);
}

/* Callbacks run under the lock, so that ending them waits for them. */
void collector_listen(
    struct collector *collector, const struct collector_listener *listener)
{
	(void)collector;
	pthread_mutex_lock(&fake.lock);
	fake.listener = listener ? *listener : (struct collector_listener){ 0 };
	pthread_mutex_unlock(&fake.lock);
}

const char *collector_generation(const struct collector *collector)
{
	(void)collector;
	return "00112233445566778899aabbccddeeff";
}

void fake_add_event(const char *type, const char *data)
{
	pthread_mutex_lock(&fake.lock);
	if (fake.last_id + 1 == EVENTS_MAX)
		BUG("too many events");
	struct event *e = &fake.events[++fake.last_id];
	e->id = fake.last_id;
	snprintf(e->type, sizeof(e->type), "%s", type);
	e->data = xstrdup(data);
	if (fake.listener.event_added)
		fake.listener.event_added(fake.listener.ctx, fake.last_id);
	pthread_mutex_unlock(&fake.lock);
}

void fake_drop_events_before(uint64_t id)
{
	pthread_mutex_lock(&fake.lock);
	fake.first_id = id;
	pthread_mutex_unlock(&fake.lock);
}

uint64_t events_last_id(struct collector *collector)
{
	(void)collector;
	pthread_mutex_lock(&fake.lock);
	uint64_t id = fake.last_id;
	pthread_mutex_unlock(&fake.lock);
	return id;
}

int events_after(struct collector *collector, uint64_t after,
    struct event *events, size_t count, uint64_t *oldest)
{
	(void)collector;
	pthread_mutex_lock(&fake.lock);
	if (oldest)
		*oldest = fake.first_id;
	if (after + 1 < fake.first_id)
		after = fake.first_id - 1;
	size_t n = 0;
	for (; n < count && after + n < fake.last_id; n++) {
		events[n] = fake.events[after + 1 + n];
		events[n].data = xstrdup(events[n].data);
	}
	pthread_mutex_unlock(&fake.lock);
	return (int)n;
}

void event_fini(struct event *event)
{
	free(event->data);
}

void fake_set_revision(uint64_t revision)
{
	pthread_mutex_lock(&fake.lock);
	fake.revision = revision;
	if (fake.listener.work_changed)
		fake.listener.work_changed(fake.listener.ctx, revision);
	pthread_mutex_unlock(&fake.lock);
}

uint64_t campaign_revision(struct collector *collector)
{
	(void)collector;
	pthread_mutex_lock(&fake.lock);
	uint64_t revision = fake.revision;
	pthread_mutex_unlock(&fake.lock);
	return revision;
}

int campaign_work(struct collector *collector,
    const uint8_t agent[AGENT_ID_LEN], json_t **answer, struct errmsg *msg)
{
	(void)agent, (void)msg;
	*answer = json_pack("{s:I,s:[]}", "revision",
	    (json_int_t)campaign_revision(collector), "campaigns");
	return 0;
}

int campaign_create(struct collector *collector,
    const struct principal *principal, const json_t *body, json_t **answer,
    struct errmsg *msg)
{
	(void)collector, (void)principal;
	if (!json_object_get(body, "script"))
		return err_set(msg, ERR_USAGE, "script: expected a name");
	*answer = json_deep_copy(body);
	return 0;
}

int campaign_stop(struct collector *collector,
    const struct principal *principal, const char *id, json_t **answer,
    struct errmsg *msg)
{
	(void)collector, (void)principal;
	if (strcmp(id, "1") != 0)
		return err_set(msg, ERR_NOT_FOUND, "no campaign '%s'", id);
	*answer = json_pack("{s:s,s:s}", "id", id, "state", "stopped");
	return 0;
}

bool admin_token_matches(const struct collector *collector, const char *token)
{
	(void)collector;
	return token && strcmp(token, "secret") == 0;
}

int enrol_token_new(struct collector *collector,
    const struct principal *principal, const json_t *body, json_t **answer,
    struct errmsg *msg)
{
	(void)collector, (void)principal, (void)body, (void)msg;
	*answer = json_pack("{s:s}", "token", "t");
	return 0;
}

int enrol_agent(struct collector *collector, const json_t *body,
    json_t **answer, struct errmsg *msg)
{
	(void)collector, (void)answer;
	json_int_t err = json_integer_value(json_object_get(body, "err"));
	return err_set(msg, (int)err, "as told");
}

int enrol_check_request(struct collector *collector,
    const struct enrol_request *request, uint8_t agent[AGENT_ID_LEN],
    struct errmsg *msg)
{
	(void)collector;
	memset(agent, 1, AGENT_ID_LEN);
	if (!request->agent)
		return err_set(msg, ERR_UNKNOWN_AGENT, "no Sonde-Agent");
	if (request->time && strcmp(request->time, "0") == 0)
		return err_set(msg, -ETIME, "your clock is off");
	return 0;
}

void fake_ingest_answer(enum ingest_result result, bool at_once)
{
	pthread_mutex_lock(&fake.lock);
	fake.answer = (struct ingest_answer){
		.result = result, .epoch = 3, .next = 41, .detail = { "why" }
	};
	fake.hold_ingest = !at_once;
	pthread_mutex_unlock(&fake.lock);
}

static void *release(void *arg)
{
	(void)arg;
	pthread_mutex_lock(&fake.lock);
	for (; fake.held_count > 0; fake.held_count--)
		fake.held[fake.held_count - 1].done(
		    fake.held[fake.held_count - 1].ctx, &fake.answer);
	pthread_mutex_unlock(&fake.lock);
	return NULL;
}

void fake_ingest_release(void)
{
	pthread_t thread;
	if (pthread_create(&thread, NULL, release, NULL) != 0)
		BUG("no thread");
	pthread_join(thread, NULL);
}

size_t fake_ingests_held(void)
{
	pthread_mutex_lock(&fake.lock);
	size_t n = fake.held_count;
	pthread_mutex_unlock(&fake.lock);
	return n;
}

void collector_ingest_from(struct collector *collector, const struct addr *peer,
    const void *body, size_t len, ingest_done *done, void *ctx)
{
	(void)collector, (void)peer, (void)body, (void)len;
	pthread_mutex_lock(&fake.lock);
	struct ingest_answer answer = fake.answer;
	bool hold = fake.hold_ingest;
	if (hold) {
		if (fake.held_count == HELD_MAX)
			BUG("too many batches");
		fake.held[fake.held_count].done = done;
		fake.held[fake.held_count++].ctx = ctx;
	}
	pthread_mutex_unlock(&fake.lock);
	if (!hold)
		done(ctx, &answer);
}

const char *ingest_result_name(enum ingest_result result)
{
	static const char *const names[] = { "stored", "duplicate", "gap",
		"forked", "malformed", "implausible", "too-big", "bomb",
		"unknown-agent", "signature", "busy" };
	return names[result];
}

int ingest_result_status(enum ingest_result result)
{
	static const int status[] = { 200, 200, 409, 409, 400, 400, 413, 413,
		401, 401, 503 };
	return status[result];
}

const char *agent_state_name(enum agent_state state)
{
	static const char *const names[] = { "new", "up", "late", "gone" };
	return names[state];
}

void collector_metrics(
    struct collector *collector, struct collector_metrics *metrics)
{
	(void)collector;
	memset(metrics, 0, sizeof(*metrics));
	metrics->commit_seconds = 0.25;
	metrics->start_time_s = 1.5e9;
}

bool collector_fault(struct collector *collector, struct errmsg *msg)
{
	(void)collector;
	pthread_mutex_lock(&fake.lock);
	bool set = fake.fault != NULL;
	if (set)
		err_set(msg, 0, "%s", fake.fault);
	pthread_mutex_unlock(&fake.lock);
	return set;
}

void fake_set_fault(const char *fault)
{
	pthread_mutex_lock(&fake.lock);
	fake.fault = fault;
	pthread_mutex_unlock(&fake.lock);
}

bool collector_health(struct collector *collector, json_t **checks)
{
	(void)collector;
	*checks = json_pack("{s:{s:s}}", "writer", "status", "ok");
	return true;
}

void fake_block_queries(bool block)
{
	pthread_mutex_lock(&fake.lock);
	fake.block = block;
	pthread_cond_broadcast(&fake.changed);
	pthread_mutex_unlock(&fake.lock);
}

size_t fake_queries_blocked(void)
{
	pthread_mutex_lock(&fake.lock);
	size_t n = fake.blocked;
	pthread_mutex_unlock(&fake.lock);
	return n;
}

int query_run(query_fn *query, const struct query_context *context,
    json_t **answer, struct errmsg *msg)
{
	int err = principal_check(context->principal, ROLE_READ, msg);
	return err < 0 ? err : query(context, answer, msg);
}

int query_agents(
    const struct query_context *context, json_t **answer, struct errmsg *msg)
{
	pthread_mutex_lock(&fake.lock);
	fake.blocked++;
	while (fake.block)
		pthread_cond_wait(&fake.changed, &fake.lock);
	fake.blocked--;
	pthread_mutex_unlock(&fake.lock);
	(void)context, (void)msg;
	*answer = json_pack("{s:[],s:n}", "items", "next");
	return 0;
}

int query_agent(
    const struct query_context *context, json_t **answer, struct errmsg *msg)
{
	const struct query_args *args = context->args;
	(void)msg;
	*answer = json_pack("{s:s}", "id", args->get(args->ctx, "id"));
	return 0;
}

/* 25 records, ten a page; the cursor has the next one's number.  Who asks for
 * gaps gets an error on the third page. */
int query_records(
    const struct query_context *context, json_t **answer, struct errmsg *msg)
{
	const struct query_args *args = context->args;
	const char *cursor = args->get(args->ctx, "cursor");
	const char *kind = args->get(args->ctx, "kind");
	int from = cursor ? (int)strtol(cursor + 2, NULL, 10) : 0;
	if (kind && strcmp(kind, "gap") == 0 && from == 20)
		return err_set(msg, ERR_UNAVAILABLE, "later");
	json_t *items = json_array();
	for (int i = from; i < 25 && i < from + 10; i++)
		json_array_append_new(items, json_pack("{s:i}", "seq", i));
	char next[16];
	snprintf(next, sizeof(next), "0_%d", from + 10);
	*answer = json_pack(
	    "{s:o,s:s?}", "items", items, "next", from + 10 < 25 ? next : NULL);
	return 0;
}

/* 25 log records, ten a page, whose text is their number. */
void query_each_schema(
    struct collector *collector, query_record_fn *take, void *ctx)
{
	(void)collector;
	(void)take;
	(void)ctx;
}

void query_ahead_fini(struct query_ahead *ahead)
{
	(void)ahead;
}

int query_each_record(const struct query_context *context,
    query_record_fn *take, void *ctx, struct query_ahead *ahead,
    char next[static QUERY_CURSOR_LEN], struct errmsg *msg)
{
	(void)ahead;
	const struct query_args *args = context->args;
	const char *cursor = args->get(args->ctx, "cursor");
	const char *kind = args->get(args->ctx, "kind");
	int from = cursor ? (int)strtol(cursor + 2, NULL, 10) : 0;
	if (kind && strcmp(kind, "gap") == 0 && from == 20)
		return err_set(msg, ERR_UNAVAILABLE, "later");
	for (int i = from; i < 25 && i < from + 10; i++) {
		char text[16];
		Sonde__Log log = SONDE__LOG__INIT;
		Sonde__Record record = SONDE__RECORD__INIT;
		snprintf(text, sizeof(text), "%d", i);
		log.process = (char *)"fake";
		log.text = text;
		record.body_case = SONDE__RECORD__BODY_LOG;
		record.log = &log;
		take(ctx, &record);
	}
	next[0] = '\0';
	if (from + 10 < 25)
		snprintf(next, QUERY_CURSOR_LEN, "0_%d", from + 10);
	return 0;
}

int query_topology_key(const struct query_context *context,
    struct query_topology_key *key, struct errmsg *msg)
{
	(void)context, (void)msg;
	*key = (struct query_topology_key){ 0 };
	return 0;
}

#define NO_TEXT_QUERY(name)                                                   \
	int name(const struct query_context *context, struct buf *text,       \
	    struct errmsg *msg)                                               \
	{                                                                     \
		(void)context, (void)text;                                    \
		return err_set(msg, ERR_NOT_FOUND, "the fake has no " #name); \
	}

NO_TEXT_QUERY(query_topology)
NO_TEXT_QUERY(query_series)

#define NO_QUERY(name)                                                        \
	int name(const struct query_context *context, json_t **answer,        \
	    struct errmsg *msg)                                               \
	{                                                                     \
		(void)context, (void)answer;                                  \
		return err_set(msg, ERR_NOT_FOUND, "the fake has no " #name); \
	}

int query_link_series(
    const struct query_context *context, json_t **answer, struct errmsg *msg)
{
	return query_agent(context, answer, msg);
}

NO_QUERY(query_overview)
NO_QUERY(query_campaigns)
NO_QUERY(query_campaign)
NO_QUERY(query_runs)
NO_QUERY(query_results)
NO_QUERY(query_result_rows)
NO_QUERY(query_alarms)
NO_QUERY(query_signatures)
NO_QUERY(query_gaps)
NO_QUERY(query_sightings)
NO_QUERY(query_evidence)
NO_QUERY(query_payload)
