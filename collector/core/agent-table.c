/* SPDX-License-Identifier: ISC */
/*
 * The agents in memory: keys for every request's check, and when we last
 * heard of each, from which its state follows.  The store has the same, a
 * second behind; a contact costs no transaction.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <stdio.h>

#include "collector/core/agent-table.h"
#include "collector/core/event-log.h"
#include "collector/core/private.h"
#include "collector/core/reader-pool.h"
#include "collector/core/writer.h"
#include "collector/registry/registry-agents.h"
#include "lib/json/json-value.h"
#include "lib/base/xalloc.h"

#define TROUBLE_NEWS_NS (600 * NS_PER_S)
#define CHORE_NS NS_PER_S

struct entry {
	struct agent agent;
	json_t *tags; /* owned */
	struct monotime seen, troubled;
	bool ever_troubled, unsaved;
	enum agent_state announced; /* the state that the event log has */
};
struct agents {
	pthread_mutex_t lock;
	struct entry **entries; /* by id */
	struct entry **by_row;  /* the same */
	size_t count, row_count;
};

const char *agent_state_name(enum agent_state state)
{
	switch (state) {
	case AGENT_NEW: return "new";
	case AGENT_UP: return "up";
	case AGENT_LATE: return "late";
	case AGENT_GONE: return "gone";
	case AGENT_STATES: break;
	}
	BUG("agent state %d", (int)state);
}

static enum agent_state state_now(
    const struct collector *c, const struct entry *entry)
{
	if (entry->agent.seen_wall_ns == 0)
		return AGENT_NEW;
	int64_t silent = monotime_diff(collector_mono(c), entry->seen);
	return silent >= c->config.gone_ns ? AGENT_GONE
	    : silent >= c->config.late_ns  ? AGENT_LATE
					   : AGENT_UP;
}

static size_t place(const struct agents *agents, const uint8_t *id)
{
	size_t low = 0, high = agents->count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (memcmp(agents->entries[middle]->agent.id, id,
			AGENT_ID_LEN) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static struct entry *find_entry(const struct agents *agents, const uint8_t *id)
{
	size_t at = place(agents, id);
	if (at == agents->count ||
	    memcmp(agents->entries[at]->agent.id, id, AGENT_ID_LEN) != 0)
		return NULL;
	return agents->entries[at];
}

static size_t place_by_row(const struct agents *agents, int64_t row)
{
	size_t low = 0, high = agents->row_count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (agents->by_row[middle]->agent.row < row)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void add_by_row(struct agents *agents, struct entry *entry)
{
	size_t at = place_by_row(agents, entry->agent.row);
	agents->by_row = xreallocarray(
	    agents->by_row, agents->row_count + 1, sizeof(struct entry *));
	memmove(agents->by_row + at + 1, agents->by_row + at,
	    (agents->row_count - at) * sizeof(struct entry *));
	agents->by_row[at] = entry;
	agents->row_count++;
}

void agents_add(struct collector *c, const struct agent *agent, json_t *tags)
{
	struct agents *agents = c->agents;
	struct entry *entry = xcalloc(1, sizeof(*entry));
	entry->agent = *agent;
	entry->agent.tags = entry->tags = tags;
	/* What the wall clock gives of the past is taken once, at the start. */
	int64_t ago = collector_wall(c).ns - agent->seen_wall_ns;
	entry->seen = monotime_add(collector_mono(c), ago > 0 ? -ago : 0);
	entry->announced = state_now(c, entry);
	pthread_mutex_lock(&agents->lock);
	if (find_entry(agents, agent->id)) {
		json_decref(tags);
		free(entry);
	} else {
		size_t at = place(agents, agent->id);
		agents->entries = xreallocarray(
		    agents->entries, agents->count + 1, sizeof(struct entry *));
		memmove(agents->entries + at + 1, agents->entries + at,
		    (agents->count - at) * sizeof(struct entry *));
		agents->entries[at] = entry;
		agents->count++;
		add_by_row(agents, entry);
	}
	pthread_mutex_unlock(&agents->lock);
}

static int load(void *ctx, const struct registry_agent *row)
{
	struct agent agent = {
		.row = row->row,
		.enrolled_ns = row->enrolled_ns,
		.seen_wall_ns = row->seen_ns,
	};
	memcpy(agent.id, row->id, sizeof(agent.id));
	memcpy(agent.key, row->key, sizeof(agent.key));
	snprintf(agent.name, sizeof(agent.name), "%s", row->name);
	json_t *tags = json_loads(row->tags, 0, NULL);
	agents_add(ctx, &agent, tags ? tags : json_array());
	return 0;
}

static int agents_open(struct collector *c, struct errmsg *msg)
{
	c->agents = xcalloc(1, sizeof(*c->agents));
	pthread_mutex_init(&c->agents->lock, NULL);
	struct registry_reader *reader;
	int err = registry_get(c, &reader, msg);
	if (err < 0)
		return err;
	err = registry_read_agents(reader, 0, load, c);
	if (err < 0)
		err_set(msg, err, "%s", registry_reader_error(reader));
	registry_put(c, reader);
	return err;
}

static void agents_close(struct collector *c)
{
	struct agents *agents = c->agents;
	if (!agents)
		return;
	for (size_t i = 0; i < agents->count; i++) {
		json_decref(agents->entries[i]->tags);
		free(agents->entries[i]);
	}
	free(agents->by_row);
	free(agents->entries);
	pthread_mutex_destroy(&agents->lock);
	free(agents);
	c->agents = NULL;
}

/* The lock is held. */
static void copy_out(
    const struct collector *c, const struct entry *entry, struct agent *agent)
{
	*agent = entry->agent;
	agent->state = state_now(c, entry);
}

bool agents_find(struct collector *c, const uint8_t *id, struct agent *agent)
{
	struct agents *agents = c->agents;
	pthread_mutex_lock(&agents->lock);
	const struct entry *entry = find_entry(agents, id);
	if (entry)
		copy_out(c, entry, agent);
	pthread_mutex_unlock(&agents->lock);
	return entry != NULL;
}

bool agents_find_row(struct collector *c, int64_t row, struct agent *agent)
{
	struct agents *agents = c->agents;
	pthread_mutex_lock(&agents->lock);
	size_t at = place_by_row(agents, row);
	bool found =
	    at < agents->row_count && agents->by_row[at]->agent.row == row;
	if (found)
		copy_out(c, agents->by_row[at], agent);
	pthread_mutex_unlock(&agents->lock);
	return found;
}

static int by_row(const void *a, const void *b)
{
	const struct agent *x = a, *y = b;
	return (x->row > y->row) - (x->row < y->row);
}

size_t agents_list(struct collector *c, struct agent **list)
{
	struct agents *agents = c->agents;
	pthread_mutex_lock(&agents->lock);
	size_t count = agents->count;
	*list = xcalloc(count + 1, sizeof(**list));
	for (size_t i = 0; i < count; i++)
		copy_out(c, agents->entries[i], &(*list)[i]);
	pthread_mutex_unlock(&agents->lock);
	qsort(*list, count, sizeof(**list), by_row);
	return count;
}

void agents_contact(struct collector *c, const uint8_t *id)
{
	struct agents *agents = c->agents;
	struct monotime now = collector_mono(c);
	struct walltime wall = collector_wall(c);
	pthread_mutex_lock(&agents->lock);
	struct entry *entry = find_entry(agents, id);
	if (entry) {
		entry->seen = now;
		entry->agent.seen_wall_ns = wall.ns;
		entry->unsaved = true;
	}
	pthread_mutex_unlock(&agents->lock);
}

void agents_report_coverage(struct collector *c, const uint8_t *id)
{
	struct agents *agents = c->agents;
	pthread_mutex_lock(&agents->lock);
	struct entry *entry = find_entry(agents, id);
	if (entry)
		entry->agent.reports_coverage = true;
	pthread_mutex_unlock(&agents->lock);
}

bool agents_trouble_is_news(struct collector *c, const uint8_t *id)
{
	struct agents *agents = c->agents;
	struct monotime now = collector_mono(c);
	pthread_mutex_lock(&agents->lock);
	struct entry *entry = find_entry(agents, id);
	bool news = entry &&
	    (!entry->ever_troubled ||
		monotime_diff(now, entry->troubled) > TROUBLE_NEWS_NS);
	if (news) {
		entry->ever_troubled = true;
		entry->troubled = now;
	}
	pthread_mutex_unlock(&agents->lock);
	return news;
}

bool agents_next_change(struct collector *c, struct agent *agent)
{
	struct agents *agents = c->agents;
	bool found = false;
	pthread_mutex_lock(&agents->lock);
	for (size_t i = 0; !found && i < agents->count; i++) {
		struct entry *entry = agents->entries[i];
		copy_out(c, entry, agent);
		found = agent->state != entry->announced;
		entry->announced = agent->state;
	}
	pthread_mutex_unlock(&agents->lock);
	return found;
}

bool agents_next_unsaved(struct collector *c, struct agent *agent)
{
	struct agents *agents = c->agents;
	bool found = false;
	pthread_mutex_lock(&agents->lock);
	for (size_t i = 0; !found && i < agents->count; i++) {
		struct entry *entry = agents->entries[i];
		found = entry->unsaved;
		entry->unsaved = false;
		if (found)
			copy_out(c, entry, agent);
	}
	pthread_mutex_unlock(&agents->lock);
	return found;
}

static int announce_state(
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
	return event_log_add(c, "agent", text,
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
		err = announce_state(c, &agent, msg);
	while (err == ERR_OK && agents_next_unsaved(c, &agent))
		err = registry_agent_seen(
		    c->registry, agent.row, agent.seen_wall_ns, msg);
	return err;
}

static void run_chore(struct collector *c)
{
	struct job job = { .run = run_agents };
	writer_run_now(c, &job);
}

const struct part agents_part = {
	.name = "agents",
	.open = agents_open,
	.close = agents_close,
	.period_ns = CHORE_NS,
	.run = run_chore,
};
