/* SPDX-License-Identifier: ISC */
/* Retention: what is old goes a little at a time, beside ingest. */
#include "collector/core/maintenance.h"
#include "collector/core/config.h"
#include "collector/core/event-log.h"

#include "collector/core/private.h"
#include "collector/core/trusted-clock.h"
#include "collector/core/writer.h"

#define EXPIRE_NS (100 * NS_PER_MS)
#define EXPIRE_PERIOD_NS NS_PER_S
#define TRIM_PERIOD_NS (60 * NS_PER_S)

/* An outbreak writes thousands of events a second. */
#define EVENTS_SLACK 5000

static int run_event_trim(
    struct collector *c, struct job *job, struct errmsg *msg)
{
	(void)job;
	return registry_trim_events(c->registry, msg);
}

static void trim_events(struct collector *c)
{
	struct job job = { .run = run_event_trim };
	uint64_t newest = events_last_id(c);
	if (newest < c->events_trimmed_at + EVENTS_SLACK)
		return;
	if (writer_run_now(c, &job) == ERR_OK)
		c->events_trimmed_at = newest;
}

static int run_registry_trim(
    struct collector *c, struct job *job, struct errmsg *msg)
{
	(void)job;
	int64_t now = trusted_clock_now(c).ns, age = c->config.days_age_ns;
	return registry_trim(c->registry, now, age ? now - age : 0, msg);
}

static void trim_registry(struct collector *c)
{
	struct job job = { .run = run_registry_trim };
	writer_run_now(c, &job);
}

static void expire_some(struct collector *c)
{
	const struct collector_config *config = &c->config;
	const struct store_keep keep = {
		.now = trusted_clock_now(c),
		.mono = collector_mono(c),
		.raw_ns = config->raw_age_ns,
		.raw_bytes = config->raw_size_bytes,
		.minutes_ns = config->minutes_age_ns,
		.hours_ns = config->hours_age_ns,
		.days_ns = config->days_age_ns,
	};
	struct monotime until = monotime_add(monotime_now(), EXPIRE_NS);
	struct store_expired expired;
	do {
		struct errmsg msg = { "" };
		int err = c->ops->expire(c->store, &keep, &expired, &msg);
		chore_log(&c->retention_log, "retention", err, &msg);
		if (err < 0)
			return;
		c->counters.records_expired += expired.records;
	} while (expired.more && monotime_before(monotime_now(), until));
}

const struct part retention_part = {
	.name = "retention",
	.period_ns = EXPIRE_PERIOD_NS,
	.run = expire_some,
	.beside = true,
};

const struct part event_retention_part = {
	.name = "event retention",
	.period_ns = NS_PER_S,
	.run = trim_events,
};

const struct part registry_retention_part = {
	.name = "registry retention",
	.period_ns = TRIM_PERIOD_NS,
	.run = trim_registry,
};
