/* SPDX-License-Identifier: ISC */
/* Our own numbers in one place, and whether they are well. */
#include <errno.h>
#include <stdlib.h>
#include <sys/statvfs.h>

#include "collector/core/agent-table.h"
#include "collector/core/fault.h"
#include "collector/core/stats.h"
#include "collector/core/private.h"
#include "collector/core/trusted-clock.h"
#include "collector/core/writer.h"

#define FREE_LEAST_BYTES (UINT64_C(64) << 20)
#define RATE_NS NS_PER_S /* refresh_rate counts on it */

void collector_metrics(struct collector *c, struct collector_metrics *m)
{
	const struct collector_counters *n = &c->counters;
	*m = (struct collector_metrics){
		.batch_bytes = n->batch_bytes,
		.records_stored = n->records_stored,
		.records_lost = n->records_lost,
		.commits = n->commits,
		.commit_failures = n->commit_failures,
		.commit_seconds = (double)n->commit_ns / (double)NS_PER_S,
		.records_expired = n->records_expired,
		.rollups_bounded = n->rollups_bounded,
		.queries = n->queries,
		.query_failures = n->query_failures,
		.events = n->events,
		.alarm_rounds = n->alarm_rounds,
		.result_schemas_refused = n->result_schemas_refused,
		.database_bytes = n->database_bytes,
		.wal_bytes = n->wal_bytes,
		.alarms_open = n->alarms_open,
		.alarm_subjects_unjudged = n->alarm_subjects_unjudged,
		.start_time_s = (double)c->started.ns / (double)NS_PER_S,
	};
	for (int i = 0; i < INGEST_RESULTS; i++)
		m->batches[i] = n->batches[i];
	writer_queue(c, &m->queue_batches, &m->queue_bytes);
	struct agent *agents;
	size_t count = agents_list(c, &agents);
	for (size_t i = 0; i < count; i++)
		m->agents[agents[i].state]++;
	free(agents);
}

/* 0, or what is wrong: too little room, or it cannot be determined. */
static int check_room(const struct collector *c, struct errmsg *msg)
{
	struct statvfs st;
	if (statvfs(c->config.state_dir, &st) < 0)
		return err_set(msg, -errno,
		    "%.150s: cannot ask for its room: %s", c->config.state_dir,
		    err_str(-errno));
	if ((uint64_t)st.f_bavail * st.f_frsize < FREE_LEAST_BYTES)
		return err_set(msg, -ENOSPC, "less than 64 MiB are free");
	return ERR_OK;
}

static void add_check(
    json_t *checks, const char *name, bool well, const char *detail)
{
	json_object_set_new(checks, name,
	    json_pack("{s:s, s:s}", "status", well ? "ok" : "degraded",
		"detail", detail));
}

bool collector_health(struct collector *c, json_t **checks)
{
	char detail[256];
	uint64_t jobs, bytes;
	bool writer = writer_is_healthy(c, detail, sizeof(detail));
	struct errmsg room_msg = { "" }, fault = { "" };
	bool room = check_room(c, &room_msg) == ERR_OK;
	bool sound = !collector_fault(c, &fault);
	writer_queue(c, &jobs, &bytes);
	bool queue = jobs < c->config.queue_batches;
	*checks = json_object();
	add_check(*checks, "writer", writer, detail);
	add_check(*checks, "database", sound, fault.text);
	add_check(*checks, "disk", room, room_msg.text);
	add_check(*checks, "queue", queue, queue ? "" : "the queue is full");
	/* Nothing is lost by it, so it does not make the whole unhealthy. */
	bool clock = trusted_clock_is_healthy(c, detail, sizeof(detail));
	add_check(*checks, "retention", clock, detail);
	return writer && sound && room && queue;
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

const struct part stats_part = {
	.name = "stats",
	.period_ns = RATE_NS,
	.run = refresh_rate,
};
