/* SPDX-License-Identifier: ISC */
/*
 * The alarm engine.  When a bin is complete, every series (each kind of
 * sighting, for the fleet and for each agent) is judged anew over a window of
 * bins; what is found is compared with the alarms that are stored.  An alarm
 * that overlaps a stored one of the same series and direction is that one,
 * updated: so ids are stable though late data may move an onset.  The window
 * starts at a round number of bins, so that it does not slide with each look.
 *
 * An agent's alarm that overlaps the fleet's of the same kind and direction is
 * part of the same outbreak: it is kept, but neither told nor counted again.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "collector/detect/engine.h"
#include "collector/core/writer.h"
#include "collector/core/reader-pool.h"
#include "collector/core/event-log.h"
#include "collector/core/agent-table.h"
#include "collector/core/private.h"
#include "lib/json/json-value.h"
#include "collector/detect/series.h"
#include "lib/base/xalloc.h"

#define WINDOW_BINS 2000
#define WINDOW_STEP_BINS 500
#define SETTLE_MOST_NS (15 * NS_PER_S)

struct alarms {
	pthread_t thread;
	bool running, stop;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	int64_t judged_s; /* the end of the last bin that was judged */
};

/* Rows are ids to the outside; 0 is null. */
static json_t *row_json(int64_t row)
{
	char id[24];
	snprintf(id, sizeof(id), "%lld", (long long)row);
	return row ? json_string(id) : json_null();
}

json_t *alarm_to_json(const struct registry_alarm *alarm)
{
	return json_pack("{s:o, s:o, s:o, s:o, s:s, s:o, s:o, s:o, s:f, s:f, "
			 "s:o, s:f, s:I, s:o, s:o}",
	    "id", row_json(alarm->row), "signature",
	    json_text(alarm->signature), "verdict", json_text(alarm->verdict),
	    "agent",
	    alarm->agent_row ? json_hex(alarm->agent, sizeof(alarm->agent))
			     : json_null(),
	    "direction", alarm->direction == ALARM_RISE ? "rise" : "fall",
	    "onset_at", json_time(alarm->onset_ns), "detected_at",
	    json_time(alarm->detected_ns), "ended_at",
	    json_time(alarm->ended_ns), "observed", alarm->observed, "expected",
	    alarm->expected, "test", json_text(alarm->test),
	    "average_run_length", alarm->run_length, "bin_s",
	    (json_int_t)alarm->bin_s, "within", row_json(alarm->within_row),
	    "agents", json_words(alarm->agents));
}

/* A stored alarm, or one just found, with its own texts. */
struct held {
	struct registry_alarm alarm;
	char verdict[72], signature[72], test[64];
	bool matched, changed;
};
struct held_list {
	struct held *items; /* owned */
	size_t count, cap;
};

static struct held *hold(
    struct held_list *list, const struct registry_alarm *alarm)
{
	if (list->count == list->cap) {
		list->cap = list->cap ? list->cap * 2 : 16;
		list->items =
		    xreallocarray(list->items, list->cap, sizeof(*list->items));
	}
	struct held *held = &list->items[list->count++];
	*held = (struct held){ .alarm = *alarm };
	held->alarm.agents = NULL; /* borrowed, and out of date soon */
	snprintf(held->test, sizeof(held->test), "%s", alarm->test);
	snprintf(held->verdict, sizeof(held->verdict), "%s",
	    alarm->verdict ? alarm->verdict : "");
	snprintf(held->signature, sizeof(held->signature), "%s",
	    alarm->signature ? alarm->signature : "");
	return held;
}

static int take_stored(void *ctx, const struct registry_alarm *alarm)
{
	hold(ctx, alarm);
	return 0;
}

static bool overlaps(
    const struct registry_alarm *a, const struct registry_alarm *b)
{
	return (b->ended_ns == 0 || a->onset_ns <= b->ended_ns) &&
	    (a->ended_ns == 0 || b->onset_ns <= a->ended_ns);
}

static struct held *find_same(
    struct held_list *stored, size_t count, const struct registry_alarm *found)
{
	for (size_t i = 0; i < count; i++) {
		const struct registry_alarm *a = &stored->items[i].alarm;
		if (!stored->items[i].matched && a->bin_s == found->bin_s &&
		    strcmp(stored->items[i].signature, found->signature) == 0 &&
		    strcmp(stored->items[i].verdict, found->verdict) == 0 &&
		    a->agent_row == found->agent_row &&
		    a->direction == found->direction && overlaps(a, found))
			return &stored->items[i];
	}
	return NULL;
}

static void merge(struct held *held, const struct registry_alarm *found)
{
	struct registry_alarm *a = &held->alarm;
	held->matched = true;
	held->changed = a->onset_ns != found->onset_ns ||
	    a->ended_ns != found->ended_ns || a->observed != found->observed ||
	    a->expected != found->expected;
	a->onset_ns = found->onset_ns;
	a->ended_ns = found->ended_ns;
	a->observed = found->observed;
	a->expected = found->expected;
}

struct kind_name {
	int64_t row;
	char *verdict, *signature; /* owned */
};
struct round {
	struct job job;
	struct collector *c;
	struct series_set set;
	struct held_list alarms; /* the stored ones first */
	size_t stored;
	struct kind_name *kinds; /* owned; ascending rows */
	size_t kind_count;
	int64_t end_ns; /* of the last bin */
};

static int64_t bin_ns(const struct round *round, size_t index)
{
	return (round->set.first_s + (int64_t)index * round->set.bin_s) *
	    NS_PER_S;
}

static const struct kind_name *kind_of(const struct round *round, int64_t row)
{
	for (size_t i = 0; i < round->kind_count; i++)
		if (round->kinds[i].row == row)
			return &round->kinds[i];
	return NULL;
}

static void judge(struct round *round, const struct series *series)
{
	struct spike_config config = series_spikes(round->c, round->set.bin_s);
	const struct kind_name *kind = kind_of(round, series->kind_row);
	struct spike_alarm *found;
	if (!kind)
		return;
	size_t count =
	    spikes_find(series->bins, round->set.bins, &config, &found, NULL);
	for (size_t i = 0; i < count; i++) {
		struct registry_alarm alarm = {
			.detector = "spikes",
			.verdict = kind->verdict,
			.signature = kind->signature,
			.agent_row = series->agent_row,
			.bin_s = round->set.bin_s,
			.direction = found[i].direction == SPIKE_RISE
			    ? ALARM_RISE
			    : ALARM_FALL,
			.onset_ns = bin_ns(round, found[i].onset),
			.detected_ns = bin_ns(round, found[i].detected + 1),
			.ended_ns =
			    found[i].ended ? bin_ns(round, found[i].end) : 0,
			.observed = found[i].observed,
			.expected = found[i].expected,
			.run_length = found[i].run_length,
			.test = found[i].test,
		};
		struct held *same =
		    find_same(&round->alarms, round->stored, &alarm);
		if (same)
			merge(same, &alarm);
		else
			hold(&round->alarms, &alarm)->changed = true;
	}
	free(found);
}

/* Open alarms that nothing confirms any more have ended. */
static void end_unconfirmed(struct round *round)
{
	for (size_t i = 0; i < round->stored; i++) {
		struct held *held = &round->alarms.items[i];
		if (held->matched || held->alarm.ended_ns ||
		    held->alarm.bin_s != round->set.bin_s)
			continue;
		held->alarm.ended_ns = round->end_ns;
		held->changed = true;
	}
}

static void name_agent(struct collector *c, struct registry_alarm *alarm,
    char name[AGENT_NAME_MAX + 1])
{
	struct agent *agents;
	size_t count = agents_list(c, &agents);
	name[0] = '\0';
	for (size_t i = 0; i < count; i++) {
		if (agents[i].row != alarm->agent_row)
			continue;
		memcpy(alarm->agent, agents[i].id, sizeof(alarm->agent));
		memcpy(name, agents[i].name, sizeof(agents[i].name));
	}
	free(agents);
}

static int tell_alarm(
    struct round *round, struct held *held, bool fresh, struct errmsg *msg)
{
	struct registry_alarm *alarm = &held->alarm;
	char name[AGENT_NAME_MAX + 1], text[400];
	name_agent(round->c, alarm, name);
	alarm->signature = held->signature;
	alarm->verdict = held->verdict;
	const char *what =
	    alarm->signature[0] ? alarm->signature : alarm->verdict;
	snprintf(text, sizeof(text),
	    "%s%s%s %s: %.0f sources in %u s, expected %.1f", what,
	    name[0] ? " at " : "", name,
	    !fresh                               ? "is over"
		: alarm->direction == ALARM_RISE ? "rises"
						 : "falls",
	    alarm->observed, alarm->bin_s, alarm->expected);
	json_t *fields = json_pack("{s:o}", "alarm", alarm_to_json(alarm));
	return feed_add(round->c, "alarm", text, fields, msg);
}

/* Whether the alarm of all agents together tells this one's story too. */
static bool is_part(const struct round *round, const struct held *held)
{
	const struct registry_alarm *a = &held->alarm;
	for (size_t i = 0; a->agent_row && i < round->alarms.count; i++) {
		const struct registry_alarm *b = &round->alarms.items[i].alarm;
		if (b->agent_row == STORE_FLEET && b->bin_s == a->bin_s &&
		    strcmp(round->alarms.items[i].signature, held->signature) ==
			0 &&
		    strcmp(round->alarms.items[i].verdict, held->verdict) ==
			0 &&
		    b->direction == a->direction && overlaps(a, b))
			return true;
	}
	return false;
}

static int run_round(struct collector *c, struct job *job, struct errmsg *msg)
{
	struct round *round = (struct round *)job;
	int err = ERR_OK;
	for (size_t i = 0; err == ERR_OK && i < round->alarms.count; i++) {
		struct held *held = &round->alarms.items[i];
		if (!held->changed)
			continue;
		struct registry_alarm alarm = held->alarm;
		bool fresh = i >= round->stored;
		alarm.detector = "spikes";
		alarm.test = held->test;
		alarm.verdict = held->verdict;
		alarm.signature = held->signature;
		err = registry_alarm_put(c->registry, &alarm, msg);
		/* A retried transaction must insert again. */
		struct held told = *held;
		told.alarm.row = alarm.row;
		told.alarm.test = held->test;
		if (err == ERR_OK && (fresh || alarm.ended_ns) &&
		    !is_part(round, held))
			err = tell_alarm(round, &told, fresh, msg);
	}
	return err;
}

static int take_kind(void *ctx, const struct store_kind *kind)
{
	struct round *round = ctx;
	round->kinds = xreallocarray(
	    round->kinds, round->kind_count + 1, sizeof(*round->kinds));
	round->kinds[round->kind_count++] = (struct kind_name){ kind->row,
		xstrdup(kind->verdict), xstrdup(kind->signature) };
	return 0;
}

static int64_t settle_ns(const struct collector *c)
{
	int64_t bin_width = c->config.alarm_bin_s * NS_PER_S;
	if (c->config.alarm_settle_ns > 0)
		return c->config.alarm_settle_ns;
	return bin_width < SETTLE_MOST_NS ? bin_width : SETTLE_MOST_NS;
}

static int64_t settled_s(const struct collector *c)
{
	int64_t s = (collector_wall(c).ns - settle_ns(c)) / NS_PER_S;
	return s - s % c->config.alarm_bin_s;
}

static int read_stored(struct collector *c, const struct store_range *range,
    struct held_list *stored, struct errmsg *msg)
{
	struct registry_reader *registry;
	struct registry_alarm_filter filter = {
		.from_ns = range->from_ns,
		.to_ns = range->to_ns,
		.agent_row = -1,
	};
	int err = registry_get(c, &registry, msg);
	if (err < 0)
		return err;
	err = registry_read_alarms(registry, &filter, take_stored, stored);
	if (err < 0)
		err_set(msg, err, "%s", registry_reader_error(registry));
	registry_put(c, registry);
	return err;
}

static int read_round(struct round *round, int64_t end_s, struct errmsg *msg)
{
	struct collector *c = round->c;
	int64_t step = (int64_t)c->config.alarm_bin_s * WINDOW_STEP_BINS;
	int64_t start_s = end_s - (int64_t)c->config.alarm_bin_s * WINDOW_BINS;
	start_s = start_s > 0 ? start_s - start_s % step : 0;
	struct store_filter filter = {
		.range = { start_s * NS_PER_S, end_s * NS_PER_S },
		.bin_s = c->config.alarm_bin_s,
		.agent_row = -1,
	};
	struct store_reader *reader;
	int err = reader_get(c, &reader, msg);
	if (err < 0)
		return err;
	err = series_read(c, reader, &filter, &round->set);
	if (err == ERR_OK)
		err = c->ops->read_kinds(
		    reader, &(struct store_filter){ 0 }, take_kind, round);
	if (err < 0)
		err_set(msg, err, "%s", c->ops->reader_error(reader));
	reader_put(c, reader);
	if (err == ERR_OK)
		err = read_stored(c, &filter.range, &round->alarms, msg);
	round->stored = round->alarms.count;
	round->end_ns = end_s * NS_PER_S;
	return err;
}

static void count_open(struct collector *c, const struct round *round)
{
	uint64_t open = 0;
	for (size_t i = 0; i < round->alarms.count; i++)
		open += round->alarms.items[i].alarm.ended_ns == 0 &&
		    !is_part(round, &round->alarms.items[i]);
	c->counters.alarms_open = open;
}

int alarms_round(struct collector *c, struct errmsg *msg)
{
	struct round round = { .job = { .run = run_round }, .c = c };
	int64_t end_s = settled_s(c);
	bool changed = false;
	int err = read_round(&round, end_s, msg);
	for (size_t i = 0; err == ERR_OK && i < round.set.count; i++)
		judge(&round, &round.set.items[i]);
	if (err == ERR_OK)
		end_unconfirmed(&round);
	for (size_t i = 0; i < round.alarms.count; i++)
		changed |= round.alarms.items[i].changed;
	if (err == ERR_OK && changed)
		err = writer_call(c, &round.job, msg);
	if (err == ERR_OK) {
		c->alarms->judged_s = end_s;
		c->counters.alarm_rounds++;
		count_open(c, &round);
	}
	series_fini(&round.set);
	free(round.alarms.items);
	for (size_t i = 0; i < round.kind_count; i++) {
		free(round.kinds[i].verdict);
		free(round.kinds[i].signature);
	}
	free(round.kinds);
	return err;
}

static bool wait_interval(struct collector *c)
{
	struct alarms *alarms = c->alarms;
	struct monotime until =
	    monotime_add(monotime_now(), c->config.alarm_interval_ns);
	struct timespec ts = { .tv_sec = until.ns / NS_PER_S,
		.tv_nsec = until.ns % NS_PER_S };
	pthread_mutex_lock(&alarms->lock);
	while (!alarms->stop &&
	    pthread_cond_timedwait(&alarms->wake, &alarms->lock, &ts) !=
		ETIMEDOUT)
		;
	bool stop = alarms->stop;
	pthread_mutex_unlock(&alarms->lock);
	return !stop;
}

static void *alarms_main(void *arg)
{
	struct collector *c = arg;
	while (wait_interval(c))
		if (settled_s(c) > c->alarms->judged_s)
			alarms_round(c, NULL);
	return NULL;
}

static int alarms_start(struct collector *c, struct errmsg *msg)
{
	struct alarms *alarms = xcalloc(1, sizeof(*alarms));
	pthread_mutex_init(&alarms->lock, NULL);
	pthread_condattr_t attr;
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&alarms->wake, &attr);
	pthread_condattr_destroy(&attr);
	c->alarms = alarms;
	if (c->config.no_alarm_thread)
		return ERR_OK;
	int err = pthread_create(&alarms->thread, NULL, alarms_main, c);
	if (err != 0)
		return err_set(msg, -err, "alarms: cannot start their thread");
	alarms->running = true;
	return ERR_OK;
}

static void alarms_stop(struct collector *c)
{
	struct alarms *alarms = c->alarms;
	if (!alarms)
		return;
	pthread_mutex_lock(&alarms->lock);
	alarms->stop = true;
	pthread_cond_signal(&alarms->wake);
	pthread_mutex_unlock(&alarms->lock);
	if (alarms->running)
		pthread_join(alarms->thread, NULL);
	pthread_cond_destroy(&alarms->wake);
	pthread_mutex_destroy(&alarms->lock);
	free(alarms);
	c->alarms = NULL;
}

const struct part alarms_part = {
	.name = "alarms",
	.open = alarms_start,
	.close = alarms_stop,
};
