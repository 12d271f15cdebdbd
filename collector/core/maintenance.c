/* SPDX-License-Identifier: ISC */
/* Retention: old rows go a little at a time, beside ingest. */
#include "collector/core/maintenance.h"
#include "collector/core/config.h"

#include "collector/core/private.h"
#include "collector/core/trusted-clock.h"
#include "collector/core/writer.h"

#define TRIM_ROWS 1000
#define TRIM_NS (100 * NS_PER_MS)
#define TRIM_PERIOD_NS NS_PER_S

struct trim_job {
	struct job job;
	uint32_t deleted, expired;
};

static int run_trim(struct collector *c, struct job *job, struct errmsg *msg)
{
	struct trim_job *trim = (struct trim_job *)job;
	const struct collector_config *config = &c->config;
	struct store_keep keep = {
		.now_ns = trusted_clock_now(c).ns,
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

static int run_registry_trim(
    struct collector *c, struct job *job, struct errmsg *msg)
{
	(void)job;
	int64_t now = trusted_clock_now(c).ns, age = c->config.days_age_ns;
	return registry_trim(c->registry, now, age ? now - age : 0, msg);
}

static void trim_some(struct collector *c)
{
	struct job registry = { .run = run_registry_trim };
	if (writer_run_now(c, &registry) < 0)
		return;
	struct monotime until = monotime_add(monotime_now(), TRIM_NS);
	struct trim_job trim;
	do {
		trim = (struct trim_job){ .job = { .run = run_trim,
					      .telemetry = true } };
		if (writer_run_now(c, &trim.job) < 0)
			return;
		c->counters.records_expired += trim.expired;
	} while (trim.deleted > 0 && monotime_before(monotime_now(), until));
}

const struct part retention_part = {
	.name = "retention",
	.period_ns = TRIM_PERIOD_NS,
	.run = trim_some,
};
