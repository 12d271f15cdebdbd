/* SPDX-License-Identifier: ISC */
/*
 * Campaigns, from a request to the list that each agent fetches.  Nothing is
 * sent to an agent; it asks, and a change of anything raises the revision
 * that its next question is compared with.
 */
#include <errno.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "collector/core/writer.h"
#include "collector/core/reader-pool.h"
#include "collector/core/agent-table.h"
#include "collector/fleet/campaign-check.h"
#include "collector/fleet/campaign-json.h"
#include "collector/fleet/campaign.h"
#include "lib/json/json-value.h"
#include "collector/core/private.h"
#include "collector/registry/registry-campaigns.h"
#include "lib/base/xalloc.h"

#define SELECTORS_MOST 64
#define OPTIONS_MOST 32
#define ARGUMENTS_MOST 64 /* with the targets an agent takes 320 */
#define OPTIONS_MOST_BYTES 2048
#define OPTION_NAME_MOST 32
#define OPTION_MOST_LEN 200
/* What an agent's list may grow to: it reads no more. */
#define ACTIVE_MOST 200
#define ACTIVE_MOST_BYTES (700 << 10)
#define EVERY_MOST_S (366 * 86400)
/* A single run waits so long for agents that are away. */
#define ONCE_NS (86400 * NS_PER_S)

struct campaign_job {
	struct job job;
	struct registry_campaign campaign;
	char *targets, *options, *on; /* owned */
};

static int run_create(struct collector *c, struct job *base, struct errmsg *msg)
{
	struct campaign_job *job = (struct campaign_job *)base;
	int err = registry_campaign_add(c->registry, &job->campaign, msg);
	return err < 0 ? err
		       : registry_revise(c->registry, &base->revision, msg);
}

/* Agents resolve no names for others, so targets are numeric. */
static int read_targets(
    const json_t *body, struct campaign_job *job, struct errmsg *msg)
{
	const json_t *targets = json_object_get(body, "targets");
	size_t count = json_array_size(targets);
	if (count < 1 || count > CAMPAIGN_MAX_TARGETS)
		return err_set(msg, ERR_USAGE,
		    "targets: expected a list of 1 to %d",
		    CAMPAIGN_MAX_TARGETS);
	for (size_t i = 0; i < count; i++) {
		int err = campaign_check_target(
		    json_string_value(json_array_get(targets, i)), i + 1, msg);
		if (err < 0)
			return err;
	}
	job->targets = json_dumps(targets, JSON_COMPACT);
	return ERR_OK;
}

/* Printable ASCII: it becomes an argument on the other side. */
static bool scalar_is_plain(const json_t *value)
{
	const char *text = json_string_value(value);
	if (!text)
		return json_is_number(value) || json_is_boolean(value);
	if (json_string_length(value) > OPTION_MOST_LEN)
		return false;
	for (; *text; text++)
		if (*text < ' ' || *text > '~')
			return false;
	return true;
}

static bool option_is_plain(const char *name, const json_t *value)
{
	size_t len = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-");
	if (len == 0 || len > OPTION_NAME_MOST || name[len] || *name == '-')
		return false;
	if (!json_is_array(value))
		return scalar_is_plain(value);
	for (size_t i = 0; i < json_array_size(value); i++)
		if (!scalar_is_plain(json_array_get(value, i)))
			return false;
	return json_array_size(value) <= OPTIONS_MOST;
}

static int read_options(
    const json_t *body, struct campaign_job *job, struct errmsg *msg)
{
	json_t *options = json_object_get(body, "options");
	const char *name;
	json_t *value;
	size_t arguments = 0;
	if (options && !json_is_null(options) && !json_is_object(options))
		return err_set(msg, ERR_USAGE, "options: expected an object");
	json_object_foreach(options, name, value)
	{
		if (!option_is_plain(name, value))
			return err_set(msg, ERR_USAGE,
			    "options.%.40s: expected a text, a number, true, "
			    "false, or a list of them",
			    name);
		if (campaign_check_option(name, value, msg) < 0)
			return ERR_USAGE;
		arguments += json_is_array(value) ? json_array_size(value) : 1;
	}
	if (arguments > ARGUMENTS_MOST)
		return err_set(msg, ERR_USAGE,
		    "options: expected at most %d values, got %zu",
		    ARGUMENTS_MOST, arguments);
	job->options = json_is_object(options)
	    ? json_dumps(options, JSON_COMPACT)
	    : xstrdup("{}");
	if (json_object_size(options) > OPTIONS_MOST ||
	    strlen(job->options) > OPTIONS_MOST_BYTES)
		return err_set(msg, ERR_USAGE,
		    "options: expected at most %d, %d bytes together",
		    OPTIONS_MOST, OPTIONS_MOST_BYTES);
	return ERR_OK;
}

static int read_schedule(struct collector *c, const json_t *body,
    struct campaign_job *job, struct errmsg *msg)
{
	const json_t *every = json_object_get(body, "every_s");
	const json_t *until = json_object_get(body, "until");
	struct registry_campaign *to = &job->campaign;
	to->created_ns = collector_wall(c).ns;
	if (every && !json_is_null(every)) {
		to->every_s = json_integer_value(every);
		if (to->every_s < 1 || to->every_s > EVERY_MOST_S)
			return err_set(msg, ERR_USAGE,
			    "every_s: expected 1 to %d, or null for once",
			    EVERY_MOST_S);
	}
	if (until && !json_is_null(until)) {
		struct walltime end;
		const char *text = json_string_value(until);
		if (!text || walltime_parse(&end, text) < 0 ||
		    end.ns <= to->created_ns)
			return err_set(msg, ERR_USAGE,
			    "until: expected a time in the future, RFC 3339");
		to->until_ns = end.ns;
	} else if (to->every_s == 0) {
		to->until_ns = to->created_ns + ONCE_NS;
	}
	return ERR_OK;
}

static int read_body(struct collector *c, const json_t *body,
    struct campaign_job *job, struct errmsg *msg)
{
	static const char *const known[] = { "script", "targets", "options",
		"on", "every_s", "until", NULL };
	json_t *on = NULL;
	int err = json_only(body, known, msg);
	if (err < 0)
		return err;
	const char *script = json_string_value(json_object_get(body, "script"));
	if (!script || !option_is_plain(script, json_true()))
		return err_set(msg, ERR_USAGE,
		    "script: expected a name such as 'trace'; a file of your "
		    "own is first copied to the agents, then named without "
		    ".lua");
	job->campaign.script = script;
	err = read_targets(body, job, msg);
	if (err < 0)
		return err;
	err = read_options(body, job, msg);
	if (err < 0)
		return err;
	err = read_schedule(c, body, job, msg);
	if (err < 0)
		return err;
	err = json_names(&on, body, "on", SELECTORS_MOST, msg);
	if (err < 0)
		goto out;
	if (json_array_size(on) == 0)
		err = err_set(msg, ERR_USAGE,
		    "on: expected tags or names of agents, or \"all\"");
	else
		job->on = json_dumps(on, JSON_COMPACT);
out:
	json_decref(on);
	return err;
}

struct active {
	int64_t now_ns;
	size_t count, bytes;
};

static int count_active(void *ctx, const struct registry_campaign *campaign)
{
	struct active *active = ctx;
	if (campaign->stopped_ns ||
	    (campaign->until_ns && campaign->until_ns <= active->now_ns))
		return 0;
	active->count++;
	active->bytes += strlen(campaign->targets) + strlen(campaign->options);
	return 0;
}

static int check_room(struct collector *c, struct errmsg *msg)
{
	struct active active = { .now_ns = collector_wall(c).ns };
	struct registry_reader *reader;
	int err = registry_get(c, &reader, msg);
	if (err < 0)
		return err;
	err =
	    registry_read_campaigns(reader, NULL, 0, 0, count_active, &active);
	registry_put(c, reader);
	if (err < 0)
		return err_set(msg, ERR_UNAVAILABLE, "database: cannot read");
	if (active.count >= ACTIVE_MOST || active.bytes >= ACTIVE_MOST_BYTES)
		return err_set(msg, ERR_USAGE,
		    "campaigns: %zu are active, stop some first", active.count);
	return ERR_OK;
}

/* A campaign that was just written, from a snapshot that has it. */
static int read_back(
    struct collector *c, const char *id, json_t **answer, struct errmsg *msg)
{
	struct registry_reader *registry;
	struct store_view *reader;
	int err = registry_get(c, &registry, msg);
	if (err < 0)
		return err;
	err = reader_get(c, &reader, msg);
	if (err < 0)
		goto out;
	err = campaign_read(c, registry, reader, id, answer, msg);
	reader_put(c, reader);
out:
	registry_put(c, registry);
	if (err < 0 && err != ERR_NOT_FOUND)
		return err_set(msg, ERR_UNAVAILABLE, "database: cannot read");
	return err;
}

int campaign_create(struct collector *c, const struct principal *principal,
    const json_t *body, json_t **answer, struct errmsg *msg)
{
	struct campaign_job job = { .job = { .run = run_create } };
	char id[33];
	int err = principal_check(principal, ROLE_OPERATE, msg);
	if (err < 0)
		return err;
	err = read_body(c, body, &job, msg);
	if (err < 0)
		goto out;
	err = check_room(c, msg);
	if (err < 0)
		goto out;
	randombytes_buf(job.campaign.id, sizeof(job.campaign.id));
	hex_text(job.campaign.id, sizeof(job.campaign.id), id);
	job.campaign.targets = job.targets;
	job.campaign.options = job.options;
	job.campaign.on = job.on;
	err = writer_call(c, &job.job, msg);
	if (err < 0)
		goto out;
	err = read_back(c, id, answer, msg);
	if (err < 0)
		goto out;
	json_object_set_new(*answer, "warnings",
	    campaign_warnings(
		c, job.campaign.script, json_object_get(*answer, "on")));
out:
	free(job.targets);
	free(job.options);
	free(job.on);
	return err;
}

struct stop_job {
	struct job job;
	uint8_t id[16];
};

static int run_stop(struct collector *c, struct job *base, struct errmsg *msg)
{
	struct stop_job *job = (struct stop_job *)base;
	int err = registry_campaign_stop(
	    c->registry, job->id, collector_wall(c).ns, msg);
	return err < 0 ? err
		       : registry_revise(c->registry, &base->revision, msg);
}

int campaign_stop(struct collector *c, const struct principal *principal,
    const char *id, json_t **answer, struct errmsg *msg)
{
	struct stop_job job = { .job = { .run = run_stop } };
	int err = principal_check(principal, ROLE_OPERATE, msg);
	if (err < 0)
		return err;
	if (!hex_parse(job.id, sizeof(job.id), id))
		return err_set(msg, ERR_NOT_FOUND, "campaign: no such one");
	err = writer_call(c, &job.job, msg);
	return err < 0 ? err : read_back(c, id, answer, msg);
}

uint64_t campaign_revision(struct collector *c)
{
	return c->revision;
}

struct work {
	struct collector *c;
	struct store_view *reader;
	struct agent agent;
	int64_t now_ns;
	json_t *list;
};

/* One campaign as its agents get it. */
static json_t *work_item(
    const struct registry_campaign *campaign, uint64_t last_run)
{
	return json_pack("{s:o, s:s, s:o, s:o, s:o, s:o, s:o, s:I}", "id",
	    json_hex(campaign->id, sizeof(campaign->id)), "script",
	    campaign->script, "targets", json_loads(campaign->targets, 0, NULL),
	    "options", json_loads(campaign->options, 0, NULL), "every_s",
	    campaign->every_s ? json_integer(campaign->every_s) : json_null(),
	    "until", json_time(campaign->until_ns), "started_at",
	    json_time(campaign->created_ns), "last_run", (json_int_t)last_run);
}

static int take_last_run(void *ctx, const struct store_row *row)
{
	*(uint64_t *)ctx = row->run_sum->last_run;
	return 0;
}

static int take_work(void *ctx, const struct registry_campaign *campaign)
{
	struct work *work = ctx;
	if (campaign->stopped_ns ||
	    (campaign->until_ns && campaign->until_ns <= work->now_ns))
		return 0;
	json_t *on = json_loads(campaign->on, 0, NULL);
	bool ours = campaign_selects(on, &work->agent);
	json_decref(on);
	if (!ours)
		return 0;
	uint64_t last_run = 0;
	const struct store_plan plan = { .table = STORE_RUN_SUMS,
		.campaign = campaign->id,
		.agent_row = work->agent.row };
	int err = work->c->ops->read(
	    work->reader, &plan, take_last_run, &last_run, NULL);
	if (err < 0)
		return err;
	json_array_append_new(work->list, work_item(campaign, last_run));
	return 0;
}

static int read_work(
    struct registry_reader *registry, struct work *work, uint64_t *revision)
{
	int err = registry_read_revision(registry, revision);
	if (err < 0)
		return err;
	return registry_read_campaigns(registry, NULL, 0, 0, take_work, work);
}

int campaign_work(struct collector *c, const uint8_t agent[AGENT_ID_LEN],
    json_t **answer, struct errmsg *msg)
{
	struct work work = { .c = c, .now_ns = collector_wall(c).ns };
	uint64_t revision = 0;
	if (!agents_find(c, agent, &work.agent))
		return err_set(
		    msg, ERR_UNKNOWN_AGENT, "agent: not enrolled here");
	struct registry_reader *registry;
	int err = registry_get(c, &registry, msg);
	if (err < 0)
		return err;
	work.list = json_array();
	err = reader_get(c, &work.reader, msg);
	if (err < 0)
		goto out;
	err = read_work(registry, &work, &revision);
	reader_put(c, work.reader);
out:
	registry_put(c, registry);
	if (err < 0) {
		json_decref(work.list);
		return err_set(msg, ERR_UNAVAILABLE, "database: cannot read");
	}
	*answer = json_pack("{s:I, s:o}", "revision", (json_int_t)revision,
	    "campaigns", work.list);
	return ERR_OK;
}

static int read_revision(struct collector *c, struct errmsg *msg)
{
	struct registry_reader *reader;
	uint64_t revision = 0;
	int err = registry_get(c, &reader, msg);
	if (err < 0)
		return err;
	err = registry_read_revision(reader, &revision);
	if (err < 0)
		err_set(msg, err, "%s", registry_reader_error(reader));
	registry_put(c, reader);
	c->revision = revision;
	return err;
}

const struct part campaigns_part = {
	.name = "campaigns",
	.open = read_revision,
};
