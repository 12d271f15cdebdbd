/* SPDX-License-Identifier: ISC */
/*
 *   line    = base + (monotonic now - monotonic then)
 *   trusted = wall                  when wall <= line + DRIFT
 *           = line                  otherwise, until data agree
 *
 * The base is the last run's time, or the wall where that is at most AGREE
 * ahead of it, or the wall when a record that had just been made last came in
 * (within AGREE).  The wall never pulls the line after itself, so many small
 * jumps get no further than one.
 */
#include "collector/core/trusted-clock.h"

#include <stdio.h>

#include "collector/core/private.h"
#include "collector/core/reader-pool.h"
#include "collector/core/writer.h"
#include "collector/registry/registry-agents.h"
#include "lib/base/log.h"

#define DRIFT_NS (300 * NS_PER_S) /* a bad oscillator's, in a month */
#define AGREE_NS (3600 * NS_PER_S)
#define SAVE_NS (60 * NS_PER_S) /* at the end the start of a run decides */

static struct walltime line_now(const struct collector *c)
{
	const struct trusted_clock *t = &c->trusted;
	return (struct walltime){ t->base.ns +
		monotime_diff(collector_mono(c), t->since) };
}

static void set_base(struct collector *c, struct walltime base)
{
	c->trusted.base = base;
	c->trusted.since = collector_mono(c);
}

void trusted_clock_observe(struct collector *c, struct walltime newest)
{
	int64_t wall = collector_wall(c).ns;
	int64_t off = newest.ns > wall ? newest.ns - wall : wall - newest.ns;
	if (off <= AGREE_NS)
		set_base(c, (struct walltime){ wall });
}

static void note_doubt(struct collector *c, bool in_doubt)
{
	char detail[200];
	if (in_doubt == c->trusted.in_doubt)
		return;
	c->trusted.in_doubt = in_doubt;
	if (!in_doubt)
		log_info("retention: the clock is trusted again");
	else if (!trusted_clock_is_well(c, detail, sizeof(detail)))
		log_warn("retention: %s", detail);
}

struct walltime trusted_clock_now(struct collector *c)
{
	struct walltime wall = collector_wall(c), line = line_now(c);
	bool ahead = wall.ns > line.ns + DRIFT_NS;
	note_doubt(c, ahead);
	return ahead ? line : wall;
}

bool trusted_clock_is_well(const struct collector *c, char *detail, size_t len)
{
	char text[WALLTIME_TEXT_LEN];
	detail[0] = '\0';
	if (!c->trusted.in_doubt)
		return true;
	snprintf(detail, len,
	    "the clock shows %s, ahead of all that is known: nothing is "
	    "deleted "
	    "by age; set it right, or wait until agents' records agree, or "
	    "start once with --trust-clock",
	    walltime_text(collector_wall(c), text));
	return false;
}

static int take_contact(void *ctx, const struct registry_agent *agent)
{
	int64_t *newest = ctx;
	if (agent->seen_ns > *newest)
		*newest = agent->seen_ns;
	return 0;
}

/* Where no run left its time (an older program's did not): the last contact of
 * any agent, the newest arrival; 0: there is no history to lose. */
static int newest_data(struct collector *c, int64_t *newest, struct errmsg *msg)
{
	struct registry_reader *reader;
	struct store_stats stats;
	*newest = 0;
	int err = registry_get(c, &reader, msg);
	if (err < 0)
		return err;
	err = registry_read_agents(reader, 0, take_contact, newest);
	registry_put(c, reader);
	if (err < 0)
		return err_set(msg, err, "database: cannot read");
	err = c->ops->stats(c->store, &stats, msg);
	if (err < 0)
		return err;
	if (stats.newest_ns > *newest)
		*newest = stats.newest_ns;
	return ERR_OK;
}

static int open_clock(struct collector *c, struct errmsg *msg)
{
	struct walltime wall = collector_wall(c);
	int64_t last = 0;
	int err = registry_setting(c->registry, "trusted_ns", &last, msg);
	if (err == ERR_OK && last == 0)
		err = newest_data(c, &last, msg);
	if (err < 0)
		return err;
	bool near = wall.ns <= last + AGREE_NS;
	set_base(c,
	    last == 0 || near || c->config.trust_clock
		? wall
		: (struct walltime){ last });
	return ERR_OK;
}

static int run_save(struct collector *c, struct job *job, struct errmsg *msg)
{
	(void)job;
	return registry_set_setting(
	    c->registry, "trusted_ns", trusted_clock_now(c).ns, msg);
}

static void save_clock(struct collector *c)
{
	struct job job = { .run = run_save };
	writer_run_now(c, &job);
}

const struct part trusted_clock_part = {
	.name = "clock",
	.open = open_clock,
	.period_ns = SAVE_NS,
	.run = save_clock,
};
