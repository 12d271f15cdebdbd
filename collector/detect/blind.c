/* SPDX-License-Identifier: ISC */
/*
 * No test of a hypothesis: that an interface is not watched is a fact that its
 * sensor states, so there is neither a bin nor a run length.  It is judged only
 * while its agent is in contact; an agent that is gone says so by its state.
 */
#include "collector/detect/blind.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "collector/core/event-log.h"
#include "collector/core/private.h"
#include "collector/core/reader-pool.h"
#include "collector/core/writer.h"
#include "collector/detect/alarm-json.h"
#include "collector/registry/registry-alarms.h"
#include "lib/base/vec.h"
#include "lib/base/xalloc.h"

#define DETECTOR "blind"
#define TEST "coverage of "
#define PERIOD_NS (2 * NS_PER_S)

struct blindness blindness_of(const struct registry_coverage *coverage,
    const struct agent *agent, int64_t now_ns)
{
	if (strcmp(coverage->state, "up") != 0)
		return (struct blindness){ true, coverage->since_ns,
			coverage->why };
	/* Its words go stale, unless nothing at all is heard of the agent. */
	if (agent->state == AGENT_UP &&
	    now_ns - coverage->heard_ns > BLIND_SILENT_S * NS_PER_S)
		return (struct blindness){ true, coverage->heard_ns,
			"its sensor says nothing any more" };
	return (struct blindness){ false, coverage->since_ns, "" };
}

struct blind_alarm {
	struct registry_alarm alarm; /* row 0: a new one */
	char test[96], why[128];
	bool confirmed, over;
};

struct blind_round {
	struct job job;
	struct collector *c;
	int64_t now_ns;
	struct blind_alarm *items; /* owned; the open ones first */
	size_t count, open;
};

static int take_open(void *ctx, const struct registry_alarm *alarm)
{
	struct blind_round *round = ctx;
	if (strcmp(alarm->detector, DETECTOR) != 0)
		return 0;
	VEC_ROOM(round->items, round->count);
	struct blind_alarm *held = &round->items[round->count++];
	*held = (struct blind_alarm){ .alarm = *alarm };
	snprintf(held->test, sizeof(held->test), "%s", alarm->test);
	return 0;
}

static struct blind_alarm *find_open(struct blind_round *round,
    const struct registry_coverage *coverage, const char *test)
{
	for (size_t i = 0; i < round->open; i++)
		if (round->items[i].alarm.agent_row == coverage->agent_row &&
		    strcmp(round->items[i].test, test) == 0)
			return &round->items[i];
	return NULL;
}

static int judge_interface(void *ctx, const struct registry_coverage *coverage)
{
	struct blind_round *round = ctx;
	struct agent agent;
	char test[96];
	snprintf(test, sizeof(test), TEST "%s", coverage->interface);
	struct blind_alarm *held = find_open(round, coverage, test);
	if (!agents_find_row(round->c, coverage->agent_row, &agent))
		return 0;
	struct blindness b = blindness_of(coverage, &agent, round->now_ns);
	if (held) {
		/* What a silent agent said last stays so. */
		held->confirmed = b.is_blind || agent.state != AGENT_UP;
		return 0;
	}
	if (!b.is_blind || agent.state != AGENT_UP ||
	    round->now_ns - b.since_ns < BLIND_S * NS_PER_S)
		return 0;
	VEC_ROOM(round->items, round->count);
	held = &round->items[round->count++];
	*held = (struct blind_alarm){
		.alarm = { .agent_row = coverage->agent_row,
		    .direction = ALARM_FALL,
		    .bin_s = 1,
		    .onset_ns = b.since_ns,
		    .detected_ns = round->now_ns,
		    .expected = 1 },
		.confirmed = true,
	};
	memcpy(held->alarm.agent, agent.id, sizeof(held->alarm.agent));
	memcpy(held->test, test, sizeof(held->test));
	snprintf(held->why, sizeof(held->why), "%s", b.why);
	return 0;
}

static int announce_blind(struct blind_round *round,
    const struct blind_alarm *held, struct errmsg *msg)
{
	struct agent agent = { .name = "an agent" };
	char since[WALLTIME_TEXT_LEN], text[400];
	walltime_text((struct walltime){ held->alarm.onset_ns }, since);
	agents_find_row(round->c, held->alarm.agent_row, &agent);
	snprintf(text, sizeof(text),
	    held->over ? "%s watches %s again: it was blind since %.19sZ%s%s"
		       : "%s does not watch %s: blind since %.19sZ%s%s",
	    agent.name, held->test + sizeof(TEST) - 1, since,
	    held->why[0] ? ", " : "", held->why);
	return event_log_add(round->c, "alarm", text,
	    json_pack("{s:o}", "alarm", alarm_to_json(&held->alarm)), msg);
}

static int run_blind(struct collector *c, struct job *job, struct errmsg *msg)
{
	struct blind_round *round = (struct blind_round *)job;
	for (size_t i = 0; i < round->count; i++) {
		struct blind_alarm *held = &round->items[i];
		if (i < round->open && !held->over)
			continue;
		/* A copy: a retried transaction must insert again. */
		struct blind_alarm now = *held;
		now.alarm.detector = DETECTOR;
		now.alarm.verdict = "sensor";
		now.alarm.signature = "";
		now.alarm.test = now.test;
		now.alarm.agents = NULL;
		int err = registry_alarm_put(c->registry, &now.alarm, msg);
		if (err < 0)
			return err;
		err = announce_blind(round, &now, msg);
		if (err < 0)
			return err;
	}
	return ERR_OK;
}

static int read_round(struct blind_round *round)
{
	struct registry_reader *reader;
	const struct registry_alarm_filter open = {
		.from_ns = round->now_ns,
		.to_ns = round->now_ns + 1,
		.agent_row = -1,
		.verdict = "sensor",
	};
	int err = registry_get(round->c, &reader, NULL);
	if (err < 0)
		return err;
	err = registry_read_alarms(reader, &open, take_open, round);
	round->open = round->count;
	if (err >= 0)
		err = registry_read_coverage(reader, 0, judge_interface, round);
	registry_put(round->c, reader);
	return err;
}

static void judge_blind(struct collector *c)
{
	struct blind_round round = { .job = { .run = run_blind },
		.c = c,
		.now_ns = collector_wall(c).ns };
	bool changed = false;
	if (read_round(&round) >= 0) {
		for (size_t i = 0; i < round.open; i++) {
			struct blind_alarm *held = &round.items[i];
			held->over = !held->confirmed;
			if (held->over)
				held->alarm.ended_ns = round.now_ns;
			changed |= held->over;
		}
		if (changed || round.count > round.open)
			writer_run_now(c, &round.job);
	}
	free(round.items);
}

static int know_reporter(void *ctx, const struct registry_coverage *coverage)
{
	struct agent agent;
	if (agents_find_row(ctx, coverage->agent_row, &agent))
		agents_report_coverage(ctx, agent.id);
	return 0;
}

static int open_blind(struct collector *c, struct errmsg *msg)
{
	struct registry_reader *reader;
	int err = registry_get(c, &reader, msg);
	if (err < 0)
		return err;
	err = registry_read_coverage(reader, 0, know_reporter, c);
	if (err < 0)
		err_set(msg, err, "%s", registry_reader_error(reader));
	registry_put(c, reader);
	return err < 0 ? err : ERR_OK;
}

const struct part blind_part = {
	.name = "blind",
	.open = open_blind,
	.period_ns = PERIOD_NS,
	.run = judge_blind,
};
