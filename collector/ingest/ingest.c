/* SPDX-License-Identifier: ISC */
/*
 * A batch's way: header and limits, whose key, signature and unpacking here
 * in the caller's thread; then the queue; then one of many in a transaction;
 * and only after COMMIT the answer.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "collector/core/writer.h"
#include "collector/core/event-log.h"
#include "collector/core/agent-table.h"
#include "collector/core/own-address.h"
#include "collector/ingest/decode-batch.h"
#include "collector/ingest/ingest.h"
#include "collector/ingest/plausible.h"
#include "collector/ingest/kinds/ingest-kind.h"
#include "lib/json/json-value.h"
#include "collector/core/private.h"
#include "lib/base/log.h"
#include "collector/registry/registry-agents.h"
#include "collector/core/trusted-clock.h"
#include "lib/base/xalloc.h"

#define BUSY_RETRY_S 2

struct ingest_job {
	struct job job;
	struct agent agent;
	struct addr peer; /* family 0: of this machine, or not known */
	ingest_done *done;
	void *ctx;
};

const char *ingest_result_name(enum ingest_result result)
{
	switch (result) {
	case INGEST_STORED: return "stored";
	case INGEST_DUPLICATE: return "duplicate";
	case INGEST_GAP: return "gap";
	case INGEST_FORKED: return "forked";
	case INGEST_MALFORMED: return "malformed";
	case INGEST_IMPLAUSIBLE: return "implausible";
	case INGEST_TOO_BIG: return "too-big";
	case INGEST_BOMB: return "bomb";
	case INGEST_UNKNOWN_AGENT: return "unknown-agent";
	case INGEST_SIGNATURE: return "signature";
	case INGEST_BUSY: return "busy";
	case INGEST_RESULTS: break;
	}
	BUG("ingest result %d", (int)result);
}

int ingest_result_status(enum ingest_result result)
{
	switch (result) {
	case INGEST_STORED:
	case INGEST_DUPLICATE: return 200;
	case INGEST_GAP:
	case INGEST_FORKED: return 409;
	case INGEST_MALFORMED:
	case INGEST_IMPLAUSIBLE: return 400;
	case INGEST_TOO_BIG:
	case INGEST_BOMB: return 413;
	case INGEST_UNKNOWN_AGENT:
	case INGEST_SIGNATURE: return 401;
	case INGEST_BUSY: return 503;
	case INGEST_RESULTS: break;
	}
	BUG("ingest result %d", (int)result);
}

static void answer(struct collector *c, struct ingest_answer *answer,
    ingest_done *done, void *ctx)
{
	c->counters.batches[answer->result]++;
	if (answer->result == INGEST_BUSY)
		answer->retry_after_s = BUSY_RETRY_S;
	done(ctx, answer);
}

static int announce_trouble(struct collector *c, const struct ingest_job *job,
    const char *state, const char *what, struct errmsg *msg)
{
	if (!agents_trouble_is_news(c, job->agent.id))
		return ERR_OK;
	char *text = xasprintf("%s %s", job->agent.name, what);
	int err = event_log_add(c, "agent", text,
	    json_pack("{s:o, s:s, s:s}", "agent",
		json_hex(job->agent.id, sizeof(job->agent.id)), "name",
		job->agent.name, "state", state),
	    msg);
	free(text);
	return err;
}

/* The new sources among the records from index `first` on. */
static void cut_new_sources(struct store_outcome *outcome, uint32_t first)
{
	size_t kept = 0;
	for (size_t i = 0; i < outcome->new_source_count; i++)
		if (outcome->new_sources[i] >= first)
			outcome->new_sources[kept++] = outcome->new_sources[i];
	outcome->new_source_count = kept;
}

/* Events of the records that have none yet, and up to where they are made. */
static int announce_new(struct collector *c, const struct agent *agent,
    const struct prepared_batch *batch, struct store_outcome *outcome,
    struct errmsg *msg)
{
	const struct batch_header *h = &batch->header;
	const struct announcement a = { c, agent, batch, outcome };
	uint64_t end = h->first_seq + h->count, next;
	int err =
	    registry_announced(c->registry, agent->row, h->epoch, &next, msg);
	if (err < 0)
		return err;
	if (next >= end)
		return ERR_OK;
	if (next > h->first_seq + outcome->first_new) {
		outcome->first_new = (uint32_t)(next - h->first_seq);
		cut_new_sources(outcome, outcome->first_new);
	}
	/* Without events there is nothing to sync, and nothing to repeat. */
	uint64_t before = registry_written(c->registry);
	err = ingest_announce(&a, msg);
	if (err < 0 || registry_written(c->registry) == before)
		return err;
	return registry_announce(c->registry, agent->row, h->epoch, end, msg);
}

static int announce_replayed(struct collector *c, struct agent *agent,
    const struct prepared_batch *batch, struct store_outcome *outcome,
    struct errmsg *msg)
{
	int err = registry_begin(c->registry, msg);
	if (err < 0)
		return err;
	err = registry_agent_name(
	    c->registry, agent->row, agent->name, sizeof(agent->name), msg);
	if (err < 0)
		return err;
	err = announce_new(c, agent, batch, outcome, msg);
	if (err < 0)
		return err;
	return registry_commit(c->registry, msg);
}

/* Batches that were stored when the process ended, and their events perhaps
 * not.  What they did, the store knows again. */
void ingest_replayed(void *ctx, const struct prepared_batch *batch,
    const struct store_outcome *outcome)
{
	struct collector *c = ctx;
	struct store_outcome own = *outcome;
	struct agent agent = { .row = batch->agent_row };
	struct errmsg msg = { "" };
	memcpy(agent.id, batch->header.agent, sizeof(agent.id));
	int err = announce_replayed(c, &agent, batch, &own, &msg);
	if (err == ERR_OK)
		return;
	registry_rollback(c->registry);
	/* A registry that was put back alone may not know the agent. */
	if (err != ERR_NOT_FOUND)
		log_warn("events of a batch are lost: %s", msg.text);
}

/* After the COMMIT: what the event log hears. */
static int announce_batch(
    struct collector *c, struct job *base, struct errmsg *msg)
{
	struct ingest_job *job = (struct ingest_job *)base;
	struct store_outcome own = base->outcome;
	switch (base->outcome.result) {
	case APPEND_STORED:
		trusted_clock_observe(c, job->agent.row, &job->peer,
		    (struct walltime){ base->batch->max_ns });
		return announce_new(c, &job->agent, base->batch, &own, msg);
	case APPEND_FORKED:
		return announce_trouble(c, job, "forked",
		    "sends other bytes under numbers that were used: is its "
		    "key on two machines?",
		    msg);
	case APPEND_IMPLAUSIBLE:
		return announce_trouble(c, job, "implausible",
		    "sends numbers that it cannot have reached: its batches "
		    "are refused",
		    msg);
	case APPEND_DUPLICATE:
	case APPEND_GAP: break;
	}
	return ERR_OK;
}

static enum ingest_result result_of_append(enum append_result result)
{
	switch (result) {
	case APPEND_STORED: return INGEST_STORED;
	case APPEND_DUPLICATE: return INGEST_DUPLICATE;
	case APPEND_GAP: return INGEST_GAP;
	case APPEND_FORKED: return INGEST_FORKED;
	case APPEND_IMPLAUSIBLE: return INGEST_IMPLAUSIBLE;
	}
	BUG("append result %d", (int)result);
}

static uint64_t count_lost(const struct prepared_batch *batch, uint32_t first)
{
	uint64_t lost = 0;
	for (uint32_t i = first; i < batch->header.count; i++) {
		const struct prepared_record *record = &batch->records[i];
		if (record->kind == SONDE__RECORD__BODY_GAP && record->record)
			lost += record_gap_count(record->record->gap);
	}
	return lost;
}

static bool has_traces(const struct prepared_batch *batch)
{
	for (uint32_t i = 0; i < batch->header.count; i++)
		if (batch->records[i].kind == SONDE__RECORD__BODY_TRACE)
			return true;
	return false;
}

static void finish_batch(struct collector *c, struct job *base)
{
	struct ingest_job *job = (struct ingest_job *)base;
	const struct store_outcome *outcome = &base->outcome;
	struct ingest_answer a = {
		.result = result_of_append(outcome->result),
		.epoch = base->batch->header.epoch,
		.next = outcome->next,
	};
	if (base->err < 0) {
		a.result = INGEST_BUSY;
		a.detail = base->msg;
	} else if (a.result == INGEST_STORED) {
		c->counters.records_stored +=
		    base->batch->header.count - outcome->first_new;
		c->counters.records_lost +=
		    count_lost(base->batch, outcome->first_new);
		if (has_traces(base->batch))
			c->paths_revision++;
	} else {
		a.detail = outcome->why;
	}
	answer(c, &a, job->done, job->ctx);
	free(base->outcome.new_sources);
	prepared_batch_free(base->batch);
	free(job);
}

static enum ingest_result result_of(int err, enum ingest_result limit)
{
	return err == ERR_LIMIT    ? limit
	    : err == ERR_SIGNATURE ? INGEST_SIGNATURE
	    : err == -ERANGE       ? INGEST_IMPLAUSIBLE
				   : INGEST_MALFORMED;
}

/* What SQLite's integers cannot hold, no honest agent reaches. */
static int check_numbers(const struct batch_header *h, struct errmsg *msg)
{
	if (h->epoch > INT64_MAX ||
	    h->first_seq > (uint64_t)INT64_MAX - h->count)
		return err_set(
		    msg, ERR_MALFORMED, "batch: numbers beyond 63 bits");
	return ERR_OK;
}

static int read_numbers(struct batch_header *header, const void *body,
    size_t len, struct errmsg *msg)
{
	int err = batch_header_read(header, body, len, msg);
	if (err < 0)
		return err;
	return check_numbers(header, msg);
}

static int open_batch(struct collector *c, struct ingest_job *job,
    const struct batch_header *header, const void *body, size_t len,
    struct errmsg *msg)
{
	int err = decode_batch(
	    &job->job.batch, header, body, len, job->agent.key, msg);
	if (err < 0)
		return err;
	struct prepared_batch *batch = job->job.batch;
	err = ingest_check(c, batch, msg);
	if (err < 0)
		return err;
	batch->agent_row = job->agent.row;
	batch->received = collector_wall(c);
	return plausible_check(batch,
	    plausible_most(job->agent.enrolled_ns, batch->received.ns), msg);
}

static bool prepare(struct collector *c, const void *body, size_t len,
    struct ingest_job *job, struct ingest_answer *a)
{
	struct batch_header header;
	int err = read_numbers(&header, body, len, &a->detail);
	if (err < 0) {
		a->result = result_of(err, INGEST_TOO_BIG);
		return false;
	}
	if (!agents_find(c, header.agent, &job->agent)) {
		a->result = INGEST_UNKNOWN_AGENT;
		err_set(
		    &a->detail, ERR_UNKNOWN_AGENT, "agent: not enrolled here");
		return false;
	}
	err = open_batch(c, job, &header, body, len, &a->detail);
	if (err < 0) {
		a->result = result_of(err, INGEST_BOMB);
		return false;
	}
	job->job.bytes = job->job.batch->bytes;
	agents_contact(c, job->agent.id);
	return true;
}

void collector_ingest_from(struct collector *c, const struct addr *peer,
    const void *body, size_t len, ingest_done *done, void *ctx)
{
	struct ingest_job *job = xcalloc(1, sizeof(*job));
	struct ingest_answer a = { 0 };
	*job = (struct ingest_job){ .job = { .run = announce_batch,
					.done = finish_batch },
		.done = done,
		.ctx = ctx };
	if (!address_is_own(peer))
		job->peer = *peer;
	c->counters.batch_bytes += len;
	if (prepare(c, body, len, job, &a)) {
		if (writer_submit(c, &job->job) == ERR_OK)
			return;
		a.result = INGEST_BUSY;
		err_set(
		    &a.detail, ERR_UNAVAILABLE, "collector: the queue is full");
	}
	answer(c, &a, done, ctx);
	prepared_batch_free(job->job.batch);
	free(job);
}

void collector_ingest(struct collector *c, const void *body, size_t len,
    ingest_done *done, void *ctx)
{
	const struct addr unknown = { 0 };
	collector_ingest_from(c, &unknown, body, len, done, ctx);
}
