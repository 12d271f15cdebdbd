/* SPDX-License-Identifier: ISC */
/*
 * The collector without its HTTP face: takes batches in exactly once, keeps
 * them, rolls them up, watches the series, hands out campaigns and answers
 * queries.  Every function of collector/ may be called from any thread unless
 * its comment says otherwise; nothing here prints, but for one line when the
 * database is gone (fault.h).
 *
 * What else there is: ingest.h (batches), enrol.h (keys and tokens),
 * campaign.h (work for agents), query.h (answers), event-log.h (the feed),
 * stats.h (numbers about ourselves), store.h (the seam to the database).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/clock.h"
#include "lib/base/err.h"

#define AGENT_ID_LEN 16
#define AGENT_ID_TEXT_LEN 33 /* hex digits and the terminator */

/* What time it is; tests bring their own. */
struct collector_clock {
	struct walltime (*wall)(void *ctx);
	struct monotime (*mono)(void *ctx);
	void *ctx;
};

struct collector_config {
	const char *state_dir; /* database, admin token; made if absent */
	const char *admin_token_file; /* NULL: <state_dir>/admin.token */
	uint32_t series_bin_s;        /* the finest rollup; divides 60 */
	uint32_t alarm_bin_s;         /* series_bin_s, 60, 3600 or 86400 */
	int64_t alarm_settle_ns;      /* a bin is judged this long after it;
					 0: as long as a bin, 15 s at most */
	int64_t alarm_interval_ns;    /* between looks for a new bin */
	uint32_t alarm_warmup_bins;
	double alarm_run_length_bins; /* between false alarms, per series */
	int64_t raw_age_ns;           /* records older than this go; 0: never */
	uint64_t raw_size_bytes;  /* the oldest go above this; 0: no bound */
	int64_t minutes_age_ns;   /* rollups up to a minute */
	int64_t hours_age_ns;     /* rollups of hours */
	int64_t days_age_ns;      /* sources of days; day totals stay */
	int64_t late_ns, gone_ns; /* no contact from an agent for so long */
	uint32_t queue_batches;   /* waiting for the writer; above: busy */
	uint64_t queue_bytes;
	uint64_t database_max_bytes; /* 0: until the disk is full */
	bool new_database;           /* begin one where none is left */
	bool no_alarm_thread;        /* tests call alarms_round themselves */
	const struct collector_clock *clock; /* NULL: the machine's */
};
/* Every field has its default here; state_dir is NULL. */
extern const struct collector_config collector_defaults;

struct collector;

/* What collector_open would refuse of its configuration, without making
 * anything; *key: the configuration's key that is wrong. */
int collector_check(const struct collector_config *config, const char **key,
    struct errmsg *msg);

/* Reads the whole database; *findings: what is damaged, one a line, "" when
 * nothing is.  The caller frees. */
int collector_inspect(
    const char *state_dir, char **findings, struct errmsg *msg);

/* Opens or creates the state folder, migrates the database, starts the
 * writer and the alarm thread. */
int collector_open(struct collector **collector,
    const struct collector_config *config, struct errmsg *msg);
/* Refuses new work, commits and answers what is queued, stops the threads.
 * Nobody else may be inside a call. */
void collector_close(struct collector *collector);

/* Who wants to know when something changed.  Called from the writer's thread
 * after COMMIT, so be short: mark, wake, return, and call nothing here.  Set
 * once, before the first agent can call; NULL ends it, and when that returns
 * no call is under way. */
struct collector_listener {
	void (*work_changed)(void *ctx, uint64_t revision);
	void (*event_added)(void *ctx, uint64_t last_id);
	void *ctx;
};
void collector_listen(
    struct collector *collector, const struct collector_listener *listener);

/* The random id of this database's history: a restore changes it. */
const char *collector_generation(const struct collector *collector);
