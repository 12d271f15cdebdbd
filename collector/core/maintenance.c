/* SPDX-License-Identifier: ISC */
/*
 * What the writer does beside ingest, once a second: tells when an agent's
 * state changed, saves contacts, lets old rows go a little at a time, keeps
 * the log of the database short and its numbers fresh.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "collector/core/fault.h"
#include "lib/json/json-value.h"
#include "collector/core/private.h"
#include "collector/core/maintenance.h"
#include "lib/base/xalloc.h"

#define TRIM_ROWS 1000
#define TRIM_NS (100 * NS_PER_MS)

static int tell_change(
    struct collector *c, const struct agent *agent, struct errmsg *msg)
{
	char text[160];
	int64_t silent_s =
	    (collector_wall(c).ns - agent->seen_wall_ns) / NS_PER_S;
	if (agent->state == AGENT_UP)
		snprintf(text, sizeof(text), "%s is up", agent->name);
	else
		snprintf(text, sizeof(text),
		    "%s is %s: nothing heard for %lld s", agent->name,
		    agent_state_name(agent->state), (long long)silent_s);
	return feed_add(c, "agent", text,
	    json_pack("{s:o, s:s, s:s}", "agent",
		json_hex(agent->id, sizeof(agent->id)), "name", agent->name,
		"state", agent_state_name(agent->state)),
	    msg);
}

static int run_agents(struct collector *c, struct job *job, struct errmsg *msg)
{
	(void)job;
	struct agent agent;
	int err = ERR_OK;
	while (err == ERR_OK && agents_next_change(c, &agent))
		err = tell_change(c, &agent, msg);
	while (err == ERR_OK && agents_next_unsaved(c, &agent))
		err = c->ops->agent_seen(
		    c->store, agent.row, agent.seen_wall_ns, msg);
	return err;
}

struct trim_job {
	struct job job;
	uint32_t deleted, expired;
};

static int run_trim(struct collector *c, struct job *job, struct errmsg *msg)
{
	struct trim_job *trim = (struct trim_job *)job;
	const struct collector_config *config = &c->config;
	struct store_keep keep = {
		.now_ns = collector_wall(c).ns,
		.raw_ns = config->raw_age_ns,
		.raw_bytes = config->raw_size_bytes,
		.minutes_ns = config->minutes_age_ns,
		.hours_ns = config->hours_age_ns,
		.days_ns = config->days_age_ns,
		.most_rows = TRIM_ROWS,
	};
	return c->ops->trim(
	    c->store, &keep, &trim->deleted, &trim->expired, msg);
}

static void trim_some(struct collector *c)
{
	struct monotime until = monotime_add(monotime_now(), TRIM_NS);
	struct trim_job trim;
	do {
		trim = (struct trim_job){ .job = { .run = run_trim } };
		if (writer_run_now(c, &trim.job) < 0)
			return;
		c->counters.records_expired += trim.expired;
	} while (trim.deleted > 0 && monotime_before(monotime_now(), until));
}

static char *generation_path(const struct collector *c)
{
	return xasprintf("%s/generation", c->config.state_dir);
}

bool collector_has_past(const struct collector *c)
{
	char *path = generation_path(c);
	bool has = access(path, F_OK) == 0;
	free(path);
	return has;
}

/* Not synced: an older number than the database's is the harmless side. */
static void save_generation(struct collector *c, uint64_t changes)
{
	char *path = generation_path(c);
	char *temporary = xasprintf("%s.new", path);
	FILE *file = fopen(temporary, "w");
	if (file) {
		fprintf(file, "%s %llu\n", c->generation,
		    (unsigned long long)changes);
		if (fclose(file) == 0)
			rename(temporary, path);
	}
	free(temporary);
	free(path);
}

static bool read_generation(
    struct collector *c, char generation[33], uint64_t *changes)
{
	char *path = generation_path(c);
	FILE *file = fopen(path, "r");
	free(path);
	if (!file)
		return false;
	char line[80] = "";
	char *got = fgets(line, sizeof(line), file);
	fclose(file);
	char *end;
	if (!got || strspn(line, "0123456789abcdef") != 32 || line[32] != ' ')
		return false;
	snprintf(generation, 33, "%.32s", line);
	*changes = strtoull(line + 33, &end, 10);
	return *end == '\n';
}

int collector_check_generation(struct collector *c, struct errmsg *msg)
{
	uint8_t id[16];
	struct store_stats stats;
	int err = c->ops->stats(c->store, &stats, msg);
	if (err == ERR_OK)
		err = c->ops->generation(c->store, false, id, msg);
	if (err < 0)
		return err;
	hex_text(id, sizeof(id), c->generation);
	char known[33] = "";
	uint64_t changes = 0;
	bool has_past = stats.changes > 1;
	bool ours = read_generation(c, known, &changes) &&
	    strcmp(known, c->generation) == 0 && changes <= stats.changes;
	if (has_past && !ours) {
		/* The database is older than what we once answered, or came
		 * from elsewhere: agents must not believe our old answers. */
		err = c->ops->generation(c->store, true, id, msg);
		if (err < 0)
			return err;
		hex_text(id, sizeof(id), c->generation);
	}
	save_generation(c, stats.changes);
	return ERR_OK;
}

static void refresh_numbers(struct collector *c)
{
	struct store_stats stats;
	if (c->ops->stats(c->store, &stats, NULL) < 0)
		return;
	c->counters.database_bytes = stats.database_bytes;
	c->counters.free_bytes = stats.free_bytes;
	c->counters.wal_bytes = stats.wal_bytes;
	save_generation(c, stats.changes);
}

/* The mean of about the last minute. */
static void refresh_rate(struct collector *c)
{
	static const uint64_t weight = 60;
	uint64_t stored = c->counters.records_stored;
	uint64_t fresh = (stored - c->tick_stored) * 1000;
	uint64_t rate = c->counters.records_per_second_milli;
	c->tick_stored = stored;
	c->counters.records_per_second_milli =
	    (rate * (weight - 1) + fresh + weight / 2) / weight;
}

void collector_tick(struct collector *c)
{
	struct job agents = { .run = run_agents };
	writer_run_now(c, &agents);
	/* The folder may be somebody else's by now. */
	if (collector_fault(c, NULL))
		return;
	trim_some(c);
	c->ops->tidy(c->store);
	refresh_numbers(c);
	refresh_rate(c);
}
