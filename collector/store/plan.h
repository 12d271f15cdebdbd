/* SPDX-License-Identifier: ISC */
/*
 * What goes over the seam to telemetry (collector/store/store.h): what it is
 * configured with, what is asked of it, and the rows of the answers.
 *
 * Words: a `row` is the store's own small number (agents: the registry's); a
 * `class` of sightings is a pair of verdict and signature; `bin_s` is the
 * width of a rollup's bins in seconds, which start at multiples of it.  Bytes
 * and texts in rows are borrowed for the callback.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "collector/store/prepared-batch.h"
#include "lib/base/addr.h"
#include "lib/base/clock.h"
#include "lib/base/err.h"

#define STORE_LEVELS_MAX 4
#define STORE_PLAN_KINDS 32
#define STORE_FLEET 0 /* the agent row that stands for all of them */

struct store_outcome;
typedef void store_finding_fn(void *ctx, const char *text);

struct store_config {
	const char *dir;
	uint32_t levels[STORE_LEVELS_MAX]; /* bin widths, ascending, 0 ends */
	uint64_t max_bytes;                /* 0: no bound of ours */
	bool had_one;                      /* there was a database here */
	bool create;                       /* a new one where none is left */
	/* The registry's number of this history; telemetry that has another is
	 * refused (-ESTALE).  All zeros: not asked. */
	uint8_t history[16];
	/* Not NULL, with `create`: what is there is kept, and its history comes
	 * out here (16 bytes). */
	uint8_t *adopt;
	/* Fills a record of a batch from its unpacked form, as ingest does; for
	 * what is read back from blocks. */
	prepare_record_fn *prepare;
	/* The time, for a store that is new. */
	struct walltime now;
	struct monotime mono;
	/* NULL, or called by open for each batch that was stored, and not yet
	 * summed up on the disk, when the process ended: what it did may not
	 * have been announced.  Not for sums that are made again from the
	 * start. */
	void (*replayed)(void *ctx, const struct prepared_batch *batch,
	    const struct store_outcome *outcome);
	void *replayed_ctx;
	/* Throw sums away and make them from the records again. */
	bool rebuild_rollups;
	/* Not NULL: open reads everything, reports each damage, and leaves the
	 * store closed (*store NULL). */
	store_finding_fn *finding;
	void *finding_ctx;
};

struct store_bytes {
	const uint8_t *data;
	size_t len;
};

/* --- rows --- */
struct store_record {
	uint64_t row; /* block and place in it; grows with arrival */
	int64_t agent_row;
	uint8_t agent[16];
	uint64_t epoch, seq;
	int64_t wall_ns, received_ns;
	uint32_t kind; /* lib/record/kinds.h */
	struct store_bytes body;
};
struct store_agent {
	int64_t row;
	uint8_t id[16];
	const char *version; /* "": never reported */
	uint64_t epoch, stored, lost;
	int64_t heard_ns;             /* wall time of its last heartbeat */
	struct store_bytes heartbeat; /* the newest record, packed */
};
struct store_totals {
	uint64_t stored, lost;
};
/* A gap that an agent declared. */
struct store_gap {
	uint64_t row;
	int64_t agent_row, wall_ns;
	uint64_t epoch, from_seq, to_seq, unnumbered, records;
	const char *reason;
};
struct store_run {
	uint64_t row;
	uint8_t campaign[16];
	int64_t agent_row;
	uint64_t run;
	int64_t first_ns, last_ns;
	uint64_t records;  /* without its log */
	const char *error; /* NULL: none was reported */
};
/* All runs of a campaign (plan: campaign, agent_row), one row. */
struct store_run_sum {
	uint64_t failed;        /* runs with an error */
	const char *last_error; /* NULL: none */
	uint64_t last_run;      /* the highest number; 0: none */
};
struct store_path {
	int64_t row; /* of the path */
	int64_t agent_row, bin;
	struct addr src, dst;
	uint64_t traces, reached;
	int64_t first_ns, last_ns;
	struct store_bytes hops, sums; /* analysis/path.h */
};
/* What a link showed in one bin (analysis/path-set.h). */
struct store_link {
	int64_t bin;
	uint64_t samples; /* 0: it was not there */
	int64_t delay_min_ns, delay_median_ns, delay_max_ns; /* -1: unknown */
	double loss;                                         /* the same */
};
struct store_point {
	int64_t class_row, agent_row; /* STORE_FLEET: all */
	int64_t bin;                  /* its start, seconds */
	uint64_t sources, packets;
	bool sources_at_least; /* some came without their address */
};
struct store_watch {
	int64_t agent_row, bin;
};
struct store_class {
	int64_t row;
	const char *verdict, *signature; /* signature "": none */
	uint64_t sources, packets;
	int64_t first_ns, last_ns;
	bool sources_at_least; /* some came without their address */
};
/* What a source is counted by. */
struct store_source_group {
	struct addr src;
	int64_t class_row;
	uint32_t proto, dport;
};
/* Where reading sources goes on: behind `last`, which had so many packets; or,
 * by group, behind `group`, less those that are before `last`. */
struct store_source_cursor {
	uint64_t packets;
	struct store_source_group last;
	bool by_group;
	struct store_source_group group;
};
struct store_source {
	struct addr src;
	const char *verdict, *signature;
	uint32_t proto, dport;
	uint64_t packets, targets;
	bool targets_estimated, ports_at_least;
	uint32_t ports, addresses; /* 0: not told */
	uint64_t odds;             /* the same */
	struct addr victim;        /* family 0: none */
	int64_t first_ns, last_ns;
	const int64_t *agents; /* their rows, ascending */
	size_t agent_count;
	struct store_bytes payload_hash;
	bool spoofable;
	struct store_source_cursor cursor; /* behind this one */
};
struct store_payload {
	uint8_t hash[16];
	uint64_t size_bytes;
	struct store_bytes octets;
};

/* Traces' and pings' probes that did not leave an agent in one hour. */
struct store_unsent {
	int64_t agent_row, bin;      /* the hour's start, seconds */
	uint32_t outcome;            /* Sonde__Outcome: NOT_SENT, DENIED */
	const char *reason, *device; /* device "": none is known */
	uint64_t probes;
	int64_t first_ns, last_ns;
};

enum store_table {
	STORE_RECORDS,  /* newest first, below the cursor */
	STORE_AGENTS,   /* by row */
	STORE_TOTALS,   /* one row */
	STORE_GAPS,     /* newest first, below the cursor */
	STORE_RUNS,     /* newest first, below the cursor */
	STORE_RUN_SUMS, /* one row */
	STORE_PATHS,    /* sums of paths, by bin */
	STORE_LINKS,    /* of one link, a row for each hour that is derived,
			   by bin; the others are for who asks to derive
			   from the paths */
	STORE_POINTS,   /* by class, agent, bin */
	STORE_WATCH,    /* bins in which an agent's sensor watched, by bin */
	STORE_CLASSES,  /* by row */
	STORE_SOURCES,  /* one a source, class, protocol and port, most
			   packets first.  Where finest bins would be very
			   many rows, or bin_s is a day, the range is
			   taken as whole days; then, behind a cursor, those
			   that are left come by class and address as soon as
			   finding the next most would cost more than them */
	STORE_PAYLOADS, /* of one hash; none: no row */
	STORE_UNSENT,   /* of one agent, the newest hour first */
	STORE_TABLES
};

/* The member of the plan's table is set. */
struct store_row {
	enum store_table table;
	union {
		const struct store_record *record;
		const struct store_agent *agent;
		const struct store_totals *totals;
		const struct store_gap *gap;
		const struct store_run *run;
		const struct store_run_sum *run_sum;
		const struct store_path *path;
		const struct store_link *link;
		const struct store_point *point;
		const struct store_watch *watch;
		const struct store_class *class;
		const struct store_source *source;
		const struct store_payload *payload;
		const struct store_unsent *unsent;
	};
};

/* A non-zero return ends the reading and is what the read returns. */
typedef int store_row_fn(void *ctx, const struct store_row *row);

struct store_range {
	int64_t from_ns, to_ns; /* [from, to); to_ns 0: no end */
};

enum store_order {
	STORE_NEWEST, /* what the table holds */
	STORE_STORED, /* records: as they came, which is the cheapest; the
			 cursor is where to go on */
};

/* What to read; zero fields do not filter. */
struct store_plan {
	enum store_table table;
	enum store_order order;
	struct store_range range;
	uint32_t bin_s;
	int64_t agent_row; /* points: -1 fleet and each agent, 0 the fleet */
	int64_t class_row;
	const char *verdict, *signature;  /* NULL: any */
	uint32_t kinds[STORE_PLAN_KINDS]; /* record kinds; kind_count 0: all */
	size_t kind_count;
	const uint8_t *campaign; /* 16 bytes */
	uint64_t run;
	struct addr src, dst;
	const struct prefix *src_prefix; /* sources; NULL: any */
	struct addr hop;                 /* paths through this address */
	const char *link_from, *link_to; /* links: ids of nodes */
	const uint8_t *hash;             /* payloads: 16 bytes */
	int64_t cursor_ns;
	uint64_t cursor_row;                             /* 0: from the top */
	const struct store_source_cursor *source_cursor; /* sources: instead */
	uint32_t limit;                                  /* 0: all */
	/* Paths by bins below a day: of more, none is given and the read
	 * returns 1; 0: any number. */
	uint32_t most_rows;
	/* Records: so many are taken of them, about; 0: perhaps few. */
	uint32_t at_once;
};

/* --- writing --- */
enum append_result {
	APPEND_STORED,
	APPEND_DUPLICATE, /* was stored before */
	APPEND_GAP,       /* numbers are missing before it */
	APPEND_FORKED,    /* the same numbers with other bytes */
	/* Stored and lost would be more than the batch's produced_most. */
	APPEND_IMPLAUSIBLE,
};
/* What a batch did, besides being stored. */
struct store_outcome {
	enum append_result result;
	uint64_t next;
	uint32_t first_new; /* index of the first record stored */
	/* Of the records stored: sightings whose source has not been seen
	 * with this verdict and signature before.  The caller frees. */
	uint32_t *new_sources;
	size_t new_source_count;
	struct errmsg why; /* anything but stored */
};

/* What to keep.  Ages in ns before `now`, which can be trusted
 * (core/trusted-clock.h); 0: for ever. */
struct store_keep {
	struct walltime now;
	struct monotime mono;
	int64_t raw_ns, minutes_ns, hours_ns, days_ns;
	uint64_t raw_bytes;
};
struct store_expired {
	uint64_t records; /* let go in this call */
	bool more;        /* there is more to let go of now */
};

struct store_stats {
	uint64_t database_bytes, free_bytes, wal_bytes;
	uint64_t records;      /* raw records held */
	uint64_t stored, lost; /* ever, of all agents */
	uint64_t changes;      /* only grows within a history */
	int64_t newest_ns;     /* arrival of the newest record; 0: none */
	uint64_t bounded;      /* counted under "(more)": an agent's bounds */
};
