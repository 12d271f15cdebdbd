/* SPDX-License-Identifier: ISC */
/*
 * What a stored batch tells the feed: results that landed, sources that were
 * never seen with a signature before, losses.  An outbreak is thousands of
 * new sources, so a batch names a few of each signature and counts the rest.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "collector/core/event-log.h"
#include "collector/ingest/announce.h"
#include "lib/json/json-value.h"
#include "collector/core/private.h"

#define NAMED_SOURCES 5
#define RUNS_MOST 8
#define SIGNATURES_MOST 8

static json_t *agent_fields(const struct agent *agent)
{
	return json_pack("{s:o, s:s}", "agent",
	    json_hex(agent->id, sizeof(agent->id)), "name", agent->name);
}

/* Results of one run and kind in this batch. */
struct run_sum {
	const struct prepared_record *last;
	uint32_t records, reached;
};

static struct run_sum *run_slot(
    struct run_sum *runs, size_t *count, const struct prepared_record *record)
{
	for (size_t i = 0; i < *count; i++) {
		const struct prepared_record *last = runs[i].last;
		if (last->kind == record->kind && last->run == record->run &&
		    memcmp(last->campaign, record->campaign,
			sizeof(record->campaign)) == 0)
			return &runs[i];
	}
	return *count < RUNS_MOST ? &runs[(*count)++] : NULL;
}

/* Only traces and pings have a target that may be reached. */
static void run_text(
    char *text, size_t len, const char *name, const struct run_sum *run)
{
	const struct prepared_record *last = run->last;
	const char *kind = record_kind_name(last->kind);
	char dst[ADDR_TEXT_LEN] = "?";
	if (last->dst.family)
		addr_text(&last->dst, dst);
	if (last->kind == SONDE__RECORD__BODY_TRAIN)
		snprintf(text, len, "%s: %u result%s of a script", name,
		    run->records, run->records == 1 ? "" : "s");
	else if (run->records == 1)
		snprintf(text, len, "%s: %s to %s%s", name, kind, dst,
		    run->reached ? ", reached" : ", not reached");
	else
		snprintf(text, len, "%s: %u results of %s, %u targets reached",
		    name, run->records, kind, run->reached);
}

static int tell_run(struct collector *c, const struct agent *agent,
    const struct run_sum *run, struct errmsg *msg)
{
	const struct prepared_record *last = run->last;
	char text[200];
	const char *kind = record_kind_name(last->kind);
	run_text(text, sizeof(text), agent->name, run);
	json_t *fields = agent_fields(agent);
	json_object_set_new(fields, "campaign",
	    json_hex(last->campaign, sizeof(last->campaign)));
	json_object_set_new(fields, "run", json_integer((json_int_t)last->run));
	json_object_set_new(fields, "kind", json_string(kind));
	json_object_set_new(fields, "dst", json_addr(&last->dst));
	json_object_set_new(fields, "reached", json_boolean(last->reached));
	json_object_set_new(fields, "records", json_integer(run->records));
	return feed_add(c, "run", text, fields, msg);
}

static bool is_result(Sonde__Record__BodyCase kind)
{
	return kind == SONDE__RECORD__BODY_TRACE ||
	    kind == SONDE__RECORD__BODY_PING ||
	    kind == SONDE__RECORD__BODY_PATHS ||
	    kind == SONDE__RECORD__BODY_TRAIN;
}

static int tell_runs(struct collector *c, const struct agent *agent,
    const struct prepared_batch *batch, uint32_t first, struct errmsg *msg)
{
	struct run_sum runs[RUNS_MOST] = { 0 };
	size_t count = 0;
	for (uint32_t i = first; i < batch->header.count; i++) {
		const struct prepared_record *record = &batch->records[i];
		if (!record->in_campaign || !is_result(record->kind))
			continue;
		struct run_sum *run = run_slot(runs, &count, record);
		if (!run)
			continue;
		run->last = record;
		run->records++;
		run->reached += record->reached;
	}
	int err = ERR_OK;
	for (size_t i = 0; err == ERR_OK && i < count; i++)
		err = tell_run(c, agent, &runs[i], msg);
	return err;
}

static int tell_source(struct collector *c, const struct agent *agent,
    const Sonde__Sighting *sighting, struct errmsg *msg)
{
	char text[300], src[ADDR_TEXT_LEN] = "?";
	struct addr addr =
	    addr_from_bytes(sighting->src.data, sighting->src.len);
	addr_text(&addr, src);
	snprintf(text, sizeof(text), "%s: first %s from %s", agent->name,
	    sighting->signature, src);
	json_t *fields = agent_fields(agent);
	json_object_set_new(fields, "src", json_addr(&addr));
	json_object_set_new(fields, "verdict", json_text(sighting->verdict));
	json_object_set_new(
	    fields, "signature", json_text(sighting->signature));
	json_object_set_new(fields, "sources", json_integer(1));
	return feed_add(c, "sighting", text, fields, msg);
}

static int tell_more_sources(struct collector *c, const struct agent *agent,
    const Sonde__Sighting *like, uint32_t more, struct errmsg *msg)
{
	char text[300];
	snprintf(text, sizeof(text), "%s: %u more new sources of %s",
	    agent->name, more, like->signature);
	json_t *fields = agent_fields(agent);
	json_object_set_new(fields, "src", json_null());
	json_object_set_new(fields, "verdict", json_text(like->verdict));
	json_object_set_new(fields, "signature", json_text(like->signature));
	json_object_set_new(fields, "sources", json_integer(more));
	return feed_add(c, "sighting", text, fields, msg);
}

struct source_sum {
	const Sonde__Sighting *like;
	uint32_t count;
};

static struct source_sum *source_slot(
    struct source_sum *sums, size_t *count, const Sonde__Sighting *sighting)
{
	for (size_t i = 0; i < *count; i++)
		if (strcmp(sums[i].like->signature, sighting->signature) == 0)
			return &sums[i];
	if (*count == SIGNATURES_MOST)
		return NULL;
	sums[*count].like = sighting;
	return &sums[(*count)++];
}

static int tell_sources(struct collector *c, const struct agent *agent,
    const struct prepared_batch *batch, const struct store_outcome *outcome,
    struct errmsg *msg)
{
	struct source_sum sums[SIGNATURES_MOST] = { 0 };
	size_t count = 0;
	int err = ERR_OK;
	for (size_t i = 0; err == ERR_OK && i < outcome->new_source_count;
	     i++) {
		const Sonde__Sighting *sighting =
		    batch->records[outcome->new_sources[i]].record->sighting;
		if (sighting->signature[0] == '\0')
			continue;
		struct source_sum *sum = source_slot(sums, &count, sighting);
		if (sum && ++sum->count <= NAMED_SOURCES)
			err = tell_source(c, agent, sighting, msg);
	}
	for (size_t i = 0; err == ERR_OK && i < count; i++)
		if (sums[i].count > NAMED_SOURCES)
			err = tell_more_sources(c, agent, sums[i].like,
			    sums[i].count - NAMED_SOURCES, msg);
	return err;
}

static int tell_loss(struct collector *c, const struct agent *agent,
    const Sonde__Loss *loss, struct errmsg *msg)
{
	char text[300];
	uint64_t records = record_loss_count(loss);
	snprintf(text, sizeof(text), "%s lost %" PRIu64 " records: %s",
	    agent->name, records, loss->reason);
	json_t *fields = agent_fields(agent);
	json_object_set_new(
	    fields, "records", json_integer((json_int_t)records));
	json_object_set_new(fields, "reason", json_text(loss->reason));
	return feed_add(c, "loss", text, fields, msg);
}

static int tell_losses(struct collector *c, const struct agent *agent,
    const struct prepared_batch *batch, uint32_t first, struct errmsg *msg)
{
	int err = ERR_OK;
	for (uint32_t i = first; err == ERR_OK && i < batch->header.count;
	     i++) {
		const struct prepared_record *record = &batch->records[i];
		if (record->kind == SONDE__RECORD__BODY_LOSS && record->record)
			err = tell_loss(c, agent, record->record->loss, msg);
	}
	return err;
}

int ingest_tell(struct collector *c, const struct agent *agent,
    const struct prepared_batch *batch, const struct store_outcome *outcome,
    struct errmsg *msg)
{
	uint32_t first = outcome->first_new;
	int err = tell_runs(c, agent, batch, first, msg);
	if (err == ERR_OK)
		err = tell_sources(c, agent, batch, outcome, msg);
	if (err == ERR_OK)
		err = tell_losses(c, agent, batch, first, msg);
	return err;
}
