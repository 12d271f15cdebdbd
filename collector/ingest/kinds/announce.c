/* SPDX-License-Identifier: ISC */
/* Results that arrived, by run. */
#include <stdio.h>
#include <string.h>

#include "collector/core/agent-table.h"
#include "collector/core/event-log.h"
#include "collector/ingest/kinds/announce.h"
#include "collector/ingest/kinds/target-end.h"
#include "lib/base/buf.h"
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

/* Of many targets: how many ended in each way that is out of the ordinary. */
static void several_words(
    char *text, size_t len, const char *agent, const struct run_sum *run)
{
	static const struct {
		Sonde__Outcome outcome;
		const char *words;
	} ends[] = {
		{ SONDE__OUTCOME__OUTCOME_OTHER_ADDRESS, "from elsewhere" },
		{ SONDE__OUTCOME__OUTCOME_REJECTED, "rejected" },
		{ SONDE__OUTCOME__OUTCOME_DENIED, "denied" },
		{ SONDE__OUTCOME__OUTCOME_NOT_SENT, "not sent" },
	};
	struct buf b = { 0 };
	buf_printf(&b, "%s: %u results of %s, %u targets reached", agent,
	    run->records, record_kind_name(run->last->kind), run->reached);
	for (size_t i = 0; i < sizeof(ends) / sizeof(*ends); i++)
		if (run->ends[ends[i].outcome] > 0)
			buf_printf(&b, ", %u %s", run->ends[ends[i].outcome],
			    ends[i].words);
	buf_u8(&b, 0);
	snprintf(text, len, "%s", (const char *)b.data);
	buf_fini(&b);
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
		several_words(text, len, agent, run);
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
	target_end_words(&end, run->end, sizeof(run->end));
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
		bool rejected =
		    record->outcome == SONDE__OUTCOME__OUTCOME_REJECTED;
		if ((!record->reached || rejected) &&
		    record->outcome < RUN_ENDS)
			run->ends[record->outcome]++;
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
