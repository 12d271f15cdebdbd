/* SPDX-License-Identifier: ISC */
#include "collector/core/trusted-clock.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "collector/core/private.h"
#include "collector/core/reader-pool.h"
#include "collector/core/writer.h"
#include "collector/registry/registry-agents.h"
#include "lib/base/log.h"

#define HOUR_NS (3600 * NS_PER_S)
#define DOUBT_NS HOUR_NS        /* a line that lags less is no news */
#define SAVE_NS (60 * NS_PER_S) /* at the end the start of a run decides */
#define BOOT_ID "/proc/sys/kernel/random/boot_id"

void trusted_clock_observe(struct collector *c, int64_t agent,
    const struct addr *from, struct walltime newest)
{
	if (from->family == 0)
		return;
	pthread_mutex_lock(&c->trusted.lock);
	trusted_time_hear(
	    &c->trusted.time, agent, from, newest, collector_mono(c));
	pthread_mutex_unlock(&c->trusted.lock);
}

static void note_doubt(struct collector *c, int64_t lag_ns)
{
	char detail[256];
	bool in_doubt = lag_ns > DOUBT_NS;
	c->trusted.lag_ns = lag_ns;
	if (atomic_exchange(&c->trusted.in_doubt, in_doubt) == in_doubt)
		return;
	if (!in_doubt)
		log_info("retention: the clock is trusted again");
	else if (!trusted_clock_is_healthy(c, detail, sizeof(detail)))
		log_warn("retention: %s", detail);
}

struct walltime trusted_clock_now(struct collector *c)
{
	struct walltime wall = collector_wall(c);
	struct monotime mono = collector_mono(c);
	pthread_mutex_lock(&c->trusted.lock);
	struct walltime now = trusted_time_now(&c->trusted.time, wall, mono);
	int64_t lag_ns = trusted_time_lag(&c->trusted.time, wall, mono);
	pthread_mutex_unlock(&c->trusted.lock);
	note_doubt(c, lag_ns);
	return now;
}

bool trusted_clock_is_healthy(
    const struct collector *c, char *detail, size_t len)
{
	char text[WALLTIME_TEXT_LEN];
	detail[0] = '\0';
	if (!c->trusted.in_doubt)
		return true;
	snprintf(detail, len,
	    "the clock shows %s, %lld h ahead of what is sure: what became old "
	    "in them is kept; set the clock right, or wait until agents on two "
	    "other machines agree, or start once with --trust-clock",
	    walltime_text(collector_wall(c), text),
	    (long long)(c->trusted.lag_ns / HOUR_NS));
	return false;
}

/* Names this start of the machine; 0: not known. */
static int64_t read_boot(const struct collector *c)
{
	char text[64] = { 0 };
	uint64_t hash = UINT64_C(14695981039346656037); /* FNV-1a */
	if (c->config.clock)
		return c->config.clock->boot;
	int fd = open(BOOT_ID, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	ssize_t got = read(fd, text, sizeof(text));
	close(fd);
	for (ssize_t i = 0; i < got; i++)
		hash = (hash ^ (uint8_t)text[i]) * UINT64_C(1099511628211);
	return got > 0 ? (int64_t)(hash >> 1) : 0;
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

/* The three are saved together. */
static int read_past(
    struct collector *c, struct trusted_past *past, struct errmsg *msg)
{
	*past = (struct trusted_past){ 0 };
	int err =
	    registry_setting(c->registry, "trusted_ns", &past->line.ns, msg);
	if (err < 0)
		return err;
	if (past->line.ns == 0)
		return newest_data(c, &past->line.ns, msg);
	err = registry_setting(
	    c->registry, "trusted_mono_ns", &past->mono.ns, msg);
	if (err < 0)
		return err;
	return registry_setting(c->registry, "trusted_boot", &past->boot, msg);
}

static int open_clock(struct collector *c, struct errmsg *msg)
{
	struct walltime wall = collector_wall(c);
	struct monotime mono = collector_mono(c);
	struct trusted_past past;
	pthread_mutex_init(&c->trusted.lock, NULL);
	int err = read_past(c, &past, msg);
	if (err < 0)
		return err;
	c->trusted.boot = read_boot(c);
	trusted_time_start(
	    &c->trusted.time, &past, wall, mono, c->trusted.boot);
	if (c->config.trust_clock)
		trusted_time_trust(&c->trusted.time, wall, mono);
	return ERR_OK;
}

static int run_save(struct collector *c, struct job *job, struct errmsg *msg)
{
	(void)job;
	pthread_mutex_lock(&c->trusted.lock);
	struct trusted_past past = trusted_time_save(
	    &c->trusted.time, collector_mono(c), c->trusted.boot);
	pthread_mutex_unlock(&c->trusted.lock);
	int err =
	    registry_set_setting(c->registry, "trusted_ns", past.line.ns, msg);
	if (err < 0)
		return err;
	err = registry_set_setting(
	    c->registry, "trusted_mono_ns", past.mono.ns, msg);
	if (err < 0)
		return err;
	return registry_set_setting(
	    c->registry, "trusted_boot", past.boot, msg);
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
