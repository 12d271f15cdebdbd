/* SPDX-License-Identifier: ISC */
/* The collector's settings, and their keys in its configuration file
 * (sonde-collector.conf.5). */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/clock.h"
#include "lib/base/err.h"
#include "lib/option/config-file.h"

/* What time it is; tests bring their own. */
struct collector_clock {
	struct walltime (*wall)(void *ctx);
	struct monotime (*mono)(void *ctx);
	void *ctx;
	int64_t boot; /* changes with each start of the machine; 0: not known */
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
	bool rebuild_rollups;        /* sums from the records again */
	bool trust_clock;            /* believe the wall at this start */
	bool no_alarm_thread;        /* tests call alarms_round themselves */
	const struct collector_clock *clock; /* NULL: the machine's */
};
/* Every field has its default here; state_dir is NULL. */
extern const struct collector_config collector_defaults;

/* Rows for a table that config_load takes; web/http/server.h has the others. */
/* clang-format off: a table */
#define COLLECTOR_OPTION_ROWS                                                  \
	{ .name = "state-dir",                                                 \
		.type = OPTION_TEXT,                                           \
		.argument = "DIR",                                             \
		.fallback = "/var/lib/sonde-collector",                        \
		.help = "database and admin token" },                          \
	    { .name = "admin-token-file",                                      \
		    .type = OPTION_TEXT,                                       \
		    .argument = "FILE",                                        \
		    .help =                                                    \
			"the administrator's token (default: admin.token in "  \
			"state-dir, made if absent)" },                        \
	    { .name = "series-bin",                                            \
		    .type = OPTION_DURATION,                                   \
		    .argument = "TIME",                                        \
		    .min = 1e9,                                                \
		    .max = 60e9,                                               \
		    .fallback = "1m",                                          \
		    .help = "the finest bins of rollups; divides a minute" },  \
	    { .name = "alarm-bin",                                             \
		    .type = OPTION_DURATION,                                   \
		    .argument = "TIME",                                        \
		    .min = 1e9,                                                \
		    .max = 86400e9,                                            \
		    .fallback = "1m",                                          \
		    .help = "the bins that alarms judge: series-bin, 1m, 1h "  \
			    "or 1d" },                                         \
	    { .name = "alarm-interval",                                        \
		    .type = OPTION_DURATION,                                   \
		    .argument = "TIME",                                        \
		    .min = 1e9,                                                \
		    .max = 3600e9,                                             \
		    .fallback = "5s",                                          \
		    .help = "how often to look for a complete bin" },          \
	    { .name = "alarm-settle",                                          \
		    .type = OPTION_DURATION,                                   \
		    .argument = "TIME",                                        \
		    .min = 0,                                                  \
		    .max = 86400e9,                                            \
		    .help =                                                    \
			"wait after a bin's end for late records (default: "   \
			"alarm-bin, at most 15s)" },                           \
	    { .name = "alarm-warmup-bins",                                     \
		    .type = OPTION_INTEGER,                                    \
		    .argument = "N",                                           \
		    .min = 2,                                                  \
		    .max = 1000,                                               \
		    .fallback = "60",                                          \
		    .help = "learn for so many bins before the first alarm" }, \
	    { .name = "alarm-run-length",                                      \
		    .type = OPTION_INTEGER,                                    \
		    .argument = "N",                                           \
		    .min = 10,                                                 \
		    .max = 1e9,                                                \
		    .fallback = "10080",                                       \
		    .help =                                                    \
			"bins between false alarms of a series, on average" }, \
	    { .name = "keep-records",                                          \
		    .type = OPTION_DURATION,                                   \
		    .argument = "TIME",                                        \
		    .min = 0,                                                  \
		    .max = -1,                                                 \
		    .fallback = "30d",                                         \
		    .help = "let raw records go after so long; 0: never" },    \
	    { .name = "keep-records-size",                                     \
		    .type = OPTION_SIZE,                                       \
		    .argument = "SIZE",                                        \
		    .min = 0,                                                  \
		    .max = -1,                                                 \
		    .fallback = "10G",                                         \
		    .help =                                                    \
			"let the oldest go when the database is larger; 0: "   \
			"never" },                                             \
	    { .name = "keep-minutes",                                          \
		    .type = OPTION_DURATION,                                   \
		    .argument = "TIME",                                        \
		    .min = 0,                                                  \
		    .max = -1,                                                 \
		    .fallback = "7d",                                          \
		    .help = "keep rollups of up to a minute; 0: for ever" },   \
	    { .name = "keep-hours",                                            \
		    .type = OPTION_DURATION,                                   \
		    .argument = "TIME",                                        \
		    .min = 0,                                                  \
		    .max = -1,                                                 \
		    .fallback = "90d",                                         \
		    .help = "keep rollups of an hour; 0: for ever" },          \
	    { .name = "keep-days",                                             \
		    .type = OPTION_DURATION,                                   \
		    .argument = "TIME",                                        \
		    .min = 0,                                                  \
		    .max = -1,                                                 \
		    .fallback = "400d",                                        \
		    .help = "keep rollups of a day; 0: for ever" },            \
	    { .name = "late-after",                                            \
		    .type = OPTION_DURATION,                                   \
		    .argument = "TIME",                                        \
		    .min = 1e9,                                                \
		    .max = -1,                                                 \
		    .fallback = "90s",                                         \
		    .help = "an agent not heard for so long is late" },        \
	    { .name = "gone-after",                                            \
		    .type = OPTION_DURATION,                                   \
		    .argument = "TIME",                                        \
		    .min = 1e9,                                                \
		    .max = -1,                                                 \
		    .fallback = "15m",                                         \
		    .help = "an agent not heard for so long is gone" },        \
	    { .name = "queue-batches",                                         \
		    .type = OPTION_INTEGER,                                    \
		    .argument = "N",                                           \
		    .min = 1,                                                  \
		    .max = 100000,                                             \
		    .fallback = "256",                                         \
		    .help = "batches that may wait for the writer" },          \
	    { .name = "queue-size",                                            \
		    .type = OPTION_SIZE,                                       \
		    .argument = "SIZE",                                        \
		    .min = 1048576,                                            \
		    .max = -1,                                                 \
		    .fallback = "64M",                                         \
		    .help = "memory that they may take" },                     \
	{                                                                      \
		.name = "database-max-size", .type = OPTION_SIZE,              \
		.argument = "SIZE", .min = 0, .max = -1,                       \
		.help =                                                        \
		    "refuse batches rather than grow beyond (default: the "    \
		    "disk)"                                                    \
	}
/* clang-format on */

/* Refuses what the start would refuse; the error names file and line. */
int collector_config_check(const struct config *config, struct errmsg *msg);

/* Borrows its texts from config, whose rows hold COLLECTOR_OPTION_ROWS. */
void collector_config_read(
    struct collector_config *to, const struct config *config);
