/* SPDX-License-Identifier: ISC */
/* A campaign as the API shows it: with the agents that its words select now,
 * and whether there is anything left to do. */
#include <stdlib.h>
#include <string.h>

#include "collector/fleet/campaign-json.h"
#include "collector/core/reader-pool.h"
#include "collector/core/agent-table.h"
#include "collector/core/private.h"
#include "lib/base/xalloc.h"
#include "lib/json/json-value.h"

static bool has_name(const json_t *list, const char *name)
{
	for (size_t i = 0; i < json_array_size(list); i++)
		if (strcmp(json_string_value(json_array_get(list, i)), name) ==
		    0)
			return true;
	return false;
}

bool campaign_selects(const json_t *on, const struct agent *agent)
{
	for (size_t i = 0; i < json_array_size(on); i++) {
		const char *word = json_string_value(json_array_get(on, i));
		if (strcmp(word, "all") == 0 ||
		    strcmp(word, agent->name) == 0 ||
		    has_name(agent->tags, word))
			return true;
	}
	return false;
}

/* Agents that have brought as many records as there are targets, or have
 * failed: they do not try again. */
struct finished {
	uint64_t targets;
	size_t agents;
};

static int count_finished(void *ctx, const struct store_row *row)
{
	const struct store_run *run = row->run;
	struct finished *finished = ctx;
	finished->agents += run->error || run->records >= finished->targets;
	return 0;
}

static int state_of(struct collector *c, struct store_view *reader,
    const struct registry_campaign *campaign, size_t targets, size_t agents,
    const char **state)
{
	*state = "active";
	if (campaign->stopped_ns) {
		*state = "stopped";
	} else if (campaign->until_ns &&
	    campaign->until_ns <= collector_wall(c).ns) {
		*state = "ended";
	} else if (campaign->every_s == 0 && agents > 0) {
		struct finished finished = { .targets = targets };
		const struct store_plan plan = { .table = STORE_RUNS,
			.campaign = campaign->id };
		int err = c->ops->read(
		    reader, &plan, count_finished, &finished, NULL);
		if (err < 0)
			return err;
		if (finished.agents >= agents)
			*state = "ended";
	}
	return ERR_OK;
}

static json_t *selected_agents(struct collector *c, const json_t *on)
{
	struct agent *agents;
	size_t count = agents_list(c, &agents);
	json_t *ids = json_array();
	for (size_t i = 0; i < count; i++)
		if (campaign_selects(on, &agents[i]))
			json_array_append_new(
			    ids, json_hex(agents[i].id, sizeof(agents[i].id)));
	free(agents);
	return ids;
}

struct failures {
	uint64_t runs;
	char *last_error; /* owned */
};

static int take_failures(void *ctx, const struct store_row *row)
{
	struct failures *failures = ctx;
	failures->runs = row->run_sum->failed;
	if (row->run_sum->last_error)
		failures->last_error = xstrdup(row->run_sum->last_error);
	return 0;
}

json_t *campaign_to_json(struct collector *c, struct store_view *reader,
    const struct registry_campaign *campaign)
{
	const char *state;
	json_t *on = json_loads(campaign->on, 0, NULL);
	json_t *targets = json_loads(campaign->targets, 0, NULL);
	json_t *ids = selected_agents(c, on);
	struct failures failures = { 0 };
	const struct store_plan sums = { .table = STORE_RUN_SUMS,
		.campaign = campaign->id };
	int err = state_of(c, reader, campaign, json_array_size(targets),
	    json_array_size(ids), &state);
	if (err == ERR_OK)
		err =
		    c->ops->read(reader, &sums, take_failures, &failures, NULL);
	json_t *json = json_pack(
	    "{s:o, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:s, s:o, s:I, s:o}",
	    "id", json_hex(campaign->id, sizeof(campaign->id)), "script",
	    campaign->script, "targets", targets, "options",
	    json_loads(campaign->options, 0, NULL), "on", on, "every_s",
	    campaign->every_s ? json_integer(campaign->every_s) : json_null(),
	    "until", json_time(campaign->until_ns), "created_at",
	    json_time(campaign->created_ns), "state", err < 0 ? "" : state,
	    "agents", ids, "failed_runs", (json_int_t)failures.runs,
	    "last_error", json_text(failures.last_error));
	free(failures.last_error);
	if (err < 0) {
		json_decref(json);
		return NULL;
	}
	return json;
}

struct one {
	struct collector *c;
	struct store_view *reader;
	json_t *json;
};

static int take_one(void *ctx, const struct registry_campaign *campaign)
{
	struct one *one = ctx;
	one->json = campaign_to_json(one->c, one->reader, campaign);
	return one->json ? 0 : ERR_UNAVAILABLE;
}

int campaign_read(struct collector *c, struct registry_reader *registry,
    struct store_view *reader, const char *id, json_t **answer,
    struct errmsg *msg)
{
	uint8_t bytes[16];
	struct one one = { .c = c, .reader = reader };
	if (!hex_parse(bytes, sizeof(bytes), id))
		return err_set(msg, ERR_NOT_FOUND, "campaign: no such one");
	int err =
	    registry_read_campaigns(registry, bytes, 0, 1, take_one, &one);
	if (err < 0)
		return err;
	if (!one.json)
		return err_set(msg, ERR_NOT_FOUND, "campaign: no such one");
	*answer = one.json;
	return ERR_OK;
}
