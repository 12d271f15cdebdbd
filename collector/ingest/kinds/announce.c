/* SPDX-License-Identifier: ISC */
/* Results that arrived, by run. */
#include <stdio.h>
#include <string.h>

#include "collector/core/agent-table.h"
#include "collector/core/event-log.h"
#include "collector/ingest/kinds/announce.h"
#include "lib/formats/reply-text.h"
#include "lib/json/json-value.h"

#define RUNS_MOST 8

json_t *announce_fields(const struct agent *agent)
{
	return json_pack("{s:o, s:s}", "agent",
	    json_hex(agent->id, sizeof(agent->id)), "name", agent->name);
}

static struct run_sum *run_slot(
    struct run_sum *runs, size_t *count, const struct prepared_record *record)
{
	for (size_t i = 0; i < *count; i++) {
		const struct prepared_record *last = runs[i].last;
		if (last->run == record->run &&
		    memcmp(last->campaign, record->campaign,
			sizeof(record->campaign)) == 0)
			return &runs[i];
	}
	return *count < RUNS_MOST ? &runs[(*count)++] : NULL;
}

/* How a trace or ping of one target ended: the reply that says most of it. */
struct target_end {
	const Sonde__Reply *reply; /* NULL: none */
	Sonde__Outcome outcome;
};

/* Of two replies the higher says more. */
static unsigned weight_of(Sonde__Outcome outcome)
{
	switch (outcome) {
	case SONDE__OUTCOME__OUTCOME_ANSWERED: return 8;
	case SONDE__OUTCOME__OUTCOME_LATE: return 7;
	case SONDE__OUTCOME__OUTCOME_OTHER_ADDRESS: return 6;
	case SONDE__OUTCOME__OUTCOME_REJECTED: return 5;
	case SONDE__OUTCOME__OUTCOME_AMBIGUOUS: return 4;
	case SONDE__OUTCOME__OUTCOME_SILENT: return 3;
	case SONDE__OUTCOME__OUTCOME_NOT_SENT: return 2;
	case SONDE__OUTCOME__OUTCOME_DENIED: return 1;
	default: return 0; /* a hop says nothing of the target */
	}
}

static struct target_end target_end_of(const Sonde__Record *record)
{
	bool trace = record->body_case == SONDE__RECORD__BODY_TRACE;
	bool ping = record->body_case == SONDE__RECORD__BODY_PING;
	struct target_end end = { NULL, SONDE__OUTCOME__OUTCOME_UNKNOWN };
	if (!trace && !ping)
		return end;
	Sonde__Reply *const *replies =
	    trace ? record->trace->replies : record->ping->replies;
	size_t count =
	    trace ? record->trace->n_replies : record->ping->n_replies;
	for (size_t i = 0; i < count; i++) {
		Sonde__Outcome outcome = trace
		    ? reply_outcome(replies[i], &record->trace->dst,
			  record->trace->method)
		    : reply_outcome(
			  replies[i], &record->ping->dst, record->ping->method);
		if (weight_of(outcome) > weight_of(end.outcome))
			end = (struct target_end){ replies[i], outcome };
	}
	return end;
}

/* ": rejected by 192.0.2.1, host prohibited"; "" when there is no more. */
static void end_words(const struct target_end *end, char *text, size_t len)
{
	char a[ADDR_TEXT_LEN], words[40];
	*text = '\0';
	switch (end->outcome) {
	case SONDE__OUTCOME__OUTCOME_LATE: snprintf(text, len, ": late"); break;
	case SONDE__OUTCOME__OUTCOME_OTHER_ADDRESS:
		snprintf(text, len, ": answered from %s",
		    reply_addr(&end->reply->from, a));
		break;
	case SONDE__OUTCOME__OUTCOME_REJECTED:
		snprintf(text, len, ": rejected by %s, %s",
		    reply_addr(&end->reply->from, a),
		    reply_error(end->reply, words));
		break;
	case SONDE__OUTCOME__OUTCOME_AMBIGUOUS:
		snprintf(text, len, ": a reply that may be another probe's");
		break;
	case SONDE__OUTCOME__OUTCOME_DENIED:
	case SONDE__OUTCOME__OUTCOME_NOT_SENT:
		snprintf(text, len, ": %s, %s",
		    end->outcome == SONDE__OUTCOME__OUTCOME_DENIED ? "denied"
								   : "not sent",
		    reply_not_sent(end->reply));
		break;
	default: break;
	}
}

void announce_targets(
    char *text, size_t len, const char *agent, const struct run_sum *run)
{
	const struct prepared_record *last = run->last;
	const char *kind = record_kind_name(last->kind);
	char dst[ADDR_TEXT_LEN] = "?";
	if (last->dst.family)
		addr_text(&last->dst, dst);
	if (run->records == 1)
		snprintf(text, len, "%s: %s to %s%s%s", agent, kind, dst,
		    run->reached ? ", reached" : ", not reached", run->end);
	else
		snprintf(text, len, "%s: %u results of %s, %u targets reached",
		    agent, run->records, kind, run->reached);
}

void announce_results(
    char *text, size_t len, const char *agent, const struct run_sum *run)
{
	snprintf(text, len, "%s: %u result%s of a script", agent, run->records,
	    run->records == 1 ? "" : "s");
}

static int announce_run(const struct announcement *a, const struct run_sum *run,
    const char *text, struct errmsg *msg)
{
	const struct prepared_record *last = run->last;
	json_t *fields = announce_fields(a->agent);
	json_object_set_new(fields, "campaign",
	    json_hex(last->campaign, sizeof(last->campaign)));
	json_object_set_new(fields, "run", json_integer((json_int_t)last->run));
	json_object_set_new(
	    fields, "kind", json_string(record_kind_name(last->kind)));
	json_object_set_new(fields, "dst", json_addr(&last->dst));
	json_object_set_new(fields, "reached", json_boolean(last->reached));
	json_object_set_new(fields, "records", json_integer(run->records));
	if (run->outcome != SONDE__OUTCOME__OUTCOME_UNKNOWN)
		json_object_set_new(
		    fields, "outcome", json_string(outcome_name(run->outcome)));
	return event_log_add(a->collector, "run", text, fields, msg);
}

/* The batch has the record's octets alone; few are asked for. */
static void find_end(struct run_sum *run)
{
	Sonde__Record *record;
	struct errmsg ignored;
	if (record_unpack(
		&record, run->last->body, run->last->body_len, &ignored) < 0)
		return;
	struct target_end end = target_end_of(record);
	run->outcome = end.outcome;
	end_words(&end, run->end, sizeof(run->end));
	record_free(record);
}

int announce_runs(const struct announcement *a, Sonde__Record__BodyCase body,
    announce_words_fn *words, struct errmsg *msg)
{
	struct run_sum runs[RUNS_MOST] = { 0 };
	size_t count = 0;
	for (uint32_t i = a->outcome->first_new; i < a->batch->header.count;
	     i++) {
		const struct prepared_record *record = &a->batch->records[i];
		if (!record->in_campaign || record->kind != body)
			continue;
		struct run_sum *run = run_slot(runs, &count, record);
		if (!run)
			continue;
		run->last = record;
		run->records++;
		run->reached += record->reached;
	}
	for (size_t i = 0; i < count; i++) {
		char text[400];
		find_end(&runs[i]);
		words(text, sizeof(text), a->agent->name, &runs[i]);
		int err = announce_run(a, &runs[i], text, msg);
		if (err < 0)
			return err;
	}
	return ERR_OK;
}
