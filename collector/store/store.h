/* SPDX-License-Identifier: ISC */
/*
 * The seam to telemetry: records and what is summed from them.  Who the agents
 * are and what they were asked for is the registry's (collector/registry/).
 * One writer, used by the writer's thread alone;
 * any number of readers, each used by one thread at a time, each with its own
 * snapshot.  A provider is one const struct store_ops; store_sqlite is the
 * only one so far.
 *
 * Words: a `row` is the store's own small number for an agent or a kind; a
 * `kind` of sightings is a pair of verdict and signature; `bin_s` is the
 * width of a rollup's bins in seconds, `bin_s` bins start at multiples of it.
 * Blobs and texts in rows are borrowed for the callback.  All calls return 0
 * or an error; ERR_UNAVAILABLE means that the transaction is lost (disk full,
 * I/O): roll back.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "collector/store/prepared-batch.h"
#include "lib/base/addr.h"
#include "lib/base/err.h"

#define STORE_LEVELS_MAX 4
#define STORE_FILTER_KINDS 32
#define STORE_FLEET 0 /* the agent row that stands for all of them */

struct store; /* the writing half */
struct store_reader;

struct store_config {
	const char *dir;
	uint32_t levels[STORE_LEVELS_MAX]; /* bin widths, ascending, 0 ends */
	uint64_t max_bytes;                /* 0: no bound of ours */
	bool had_one;                      /* there was a database here */
	bool anew;                         /* begin one where none is left */
	/* 16 bytes, the id that telemetry and registry share: taken where
	 * there is none, else it must be this one; with `anew`, what is there
	 * comes out instead. */
	uint8_t *history;
};

struct store_bytes {
	const uint8_t *data;
	size_t len;
};

/* What an agent has sent; the registry says who it is. */
struct store_agent {
	int64_t row;
	uint8_t id[16];
	const char *version; /* "": not told yet */
	uint64_t epoch, stored, lost;
	struct store_bytes heartbeat; /* the newest record, packed */
};
/* A loss that an agent declared. */
struct store_gap {
	int64_t row, agent_row, wall_ns;
	uint64_t epoch, from_seq, to_seq; /* the first range; from 0: none */
	uint64_t records;                 /* in all */
	const char *reason;
};
struct store_run {
	int64_t row;
	uint8_t campaign[16], agent[16];
	uint64_t run;
	int64_t first_ns, last_ns;
	uint64_t records;  /* without its talk */
	const char *error; /* NULL: none was told */
};
struct store_record {
	int64_t row;
	uint8_t agent[16];
	uint64_t epoch, seq;
	int64_t wall_ns, received_ns;
	struct store_bytes body;
};
struct store_path {
	int64_t row; /* of the path */
	int64_t agent_row, bin;
	uint8_t agent[16];
	struct addr src, dst;
	uint64_t traces, reached;
	int64_t first_ns, last_ns;
	struct store_bytes hops, sums;
};
struct store_point {
	int64_t kind_row, agent_row; /* STORE_FLEET: all */
	int64_t bin;                 /* its start, seconds */
	uint64_t sources, packets;
};
struct store_watch {
	int64_t agent_row, bin;
};
struct store_kind {
	int64_t row;
	const char *verdict, *signature; /* signature "": none */
	uint64_t sources, packets;
	int64_t first_ns, last_ns;
};
struct store_source {
	struct addr src;
	const char *verdict, *signature;
	uint32_t proto, dport;
	uint64_t packets, targets;
	int64_t first_ns, last_ns;
	const char *agents; /* hex ids, commas between */
	struct store_bytes payload_hash;
	bool spoofable;
};
struct store_stats {
	uint64_t database_bytes, free_bytes, wal_bytes;
	uint64_t records;      /* raw rows held, about */
	uint64_t stored, lost; /* ever, of all agents */
	uint64_t changes;      /* only grows within a history */
	int64_t newest_ns;     /* arrival of the newest record; 0: none */
};

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
};

/* What to keep.  Ages in ns before `now_ns`, a time that can be trusted
 * (core/trusted-clock.h); 0: for ever. */
struct store_keep {
	int64_t now_ns;
	int64_t raw_ns, minutes_ns, hours_ns, days_ns;
	uint64_t raw_bytes;
	uint32_t most_rows; /* delete at most so many in this step */
};

struct store_range {
	int64_t from_ns, to_ns;
};
/* What to read; zero fields do not filter.  Lists are newest first and go on
 * below the cursor. */
struct store_filter {
	struct store_range range;
	uint32_t bin_s;
	int64_t agent_row;
	int64_t kind_row;
	const uint8_t *campaign; /* 16 bytes */
	uint64_t run;
	/* Numbers of record kinds; kind_count 0: all. */
	uint32_t kinds[STORE_FILTER_KINDS];
	size_t kind_count;
	struct addr src, dst;
	struct addr hop;                 /* paths through this address */
	const char *verdict, *signature; /* NULL: any */
	int64_t cursor_ns, cursor_row;   /* cursor_row 0: from the top */
	uint32_t limit;
	uint32_t offset; /* sources only */
};

#define STORE_ROW_FN(noun)             \
	typedef int store_##noun##_fn( \
	    void *ctx, const struct store_##noun *noun)
/* Rows come one by one; a non-zero return ends the reading and is what the
 * read returns. */
STORE_ROW_FN(agent);
STORE_ROW_FN(gap);
STORE_ROW_FN(run);
STORE_ROW_FN(record);
STORE_ROW_FN(path);
STORE_ROW_FN(point);
STORE_ROW_FN(watch);
STORE_ROW_FN(kind);
STORE_ROW_FN(source);
typedef void store_finding_fn(void *ctx, const char *text);

/* What the records of one batch add to what pages read, in the transaction
 * that stored them and behind `ingest`.  index: into batch->records; the kinds
 * of collector/ingest/kinds/ call what is theirs. */
struct rollup;
struct rollup_ops {
	/* Never NULL.  Sets the sources that are new in the outcome. */
	struct rollup *(*open)(struct store *store,
	    const struct prepared_batch *batch, struct store_outcome *outcome);
	/* failed: the transaction will be rolled back. */
	void (*close)(struct rollup *rollup, bool failed);
	/* Of any kind, when it belongs to a campaign's run. */
	int (*run)(struct rollup *rollup, uint32_t index, struct errmsg *msg);
	/* Summed up in memory until finish. */
	int (*trace)(struct rollup *rollup, uint32_t index, struct errmsg *msg);
	int (*traces_finish)(struct rollup *rollup, struct errmsg *msg);
	int (*sighting)(
	    struct rollup *rollup, uint32_t index, struct errmsg *msg);
	int (*sightings_finish)(struct rollup *rollup, struct errmsg *msg);
	/* Written at once. */
	int (*heartbeat)(
	    struct rollup *rollup, uint32_t index, struct errmsg *msg);
	int (*payload)(
	    struct rollup *rollup, uint32_t index, struct errmsg *msg);
	int (*loss)(struct rollup *rollup, uint32_t index, struct errmsg *msg);
};

struct store_ops {
	const char *name;
	const struct rollup_ops *rollup;

	/* Opens, creates, migrates.  ERR_UNSUPPORTED: made by a newer one;
	 * -ENOENT: had_one, and it is gone. */
	int (*open)(struct store **store, const struct store_config *config,
	    struct errmsg *msg);
	void (*close)(struct store *store);

	/* Reads all of it, in use or not, and tells every damage. */
	int (*inspect)(const struct store_config *config, store_finding_fn *fn,
	    void *ctx, struct errmsg *msg);

	/* 0, or what no retry mends: -ESTALE (the files that are open are no
	 * longer those with their names), ERR_CORRUPT (damage was met). */
	int (*fault)(struct store *store, struct errmsg *msg);

	/* One transaction at a time. */
	int (*begin)(struct store *store, struct errmsg *msg);
	int (*commit)(struct store *store, struct errmsg *msg);
	void (*rollback)(struct store *store);
	/* Only grows: the same number before and after a job that failed means
	 * that it wrote nothing. */
	uint64_t (*written)(struct store *store);

	/* Watermark and records, or nothing. */
	int (*ingest)(struct store *store, const struct prepared_batch *batch,
	    struct store_outcome *outcome, struct errmsg *msg);

	/* Deletes a little of what is not kept; *deleted: rows, 0: done;
	 * *expired: how many of them were records. */
	int (*trim)(struct store *store, const struct store_keep *keep,
	    uint32_t *deleted, uint32_t *expired, struct errmsg *msg);
	/* Outside a transaction: moves the log into the database when it has
	 * grown. */
	void (*tidy)(struct store *store);
	int (*stats)(
	    struct store *store, struct store_stats *stats, struct errmsg *msg);
	/* Readers.  begin takes a snapshot, end lets it go. */
	int (*reader_open)(struct store_reader **reader,
	    const struct store_config *config, struct errmsg *msg);
	void (*reader_close)(struct store_reader *reader);
	int (*reader_begin)(struct store_reader *reader, struct errmsg *msg);
	void (*reader_end)(struct store_reader *reader);
	const char *(*reader_error)(struct store_reader *reader);
	/* ERR_CORRUPT: it met damage. */
	int (*reader_fault)(struct store_reader *reader, struct errmsg *msg);

	int (*read_agents)(struct store_reader *reader,
	    const struct store_filter *filter, store_agent_fn *fn, void *ctx);
	/* filter: range of wall_ns, agent_row, cursor_row, limit. */
	int (*read_gaps)(struct store_reader *reader,
	    const struct store_filter *filter, store_gap_fn *fn, void *ctx);
	int (*read_runs)(struct store_reader *reader,
	    const struct store_filter *filter, store_run_fn *fn, void *ctx);
	/* How many runs of a campaign failed, and the last one's error (NULL:
	 * none); the caller frees. */
	int (*run_failures)(struct store_reader *reader,
	    const uint8_t campaign[16], uint64_t *failed, char **last_error);
	/* The highest run of a campaign that an agent told of; 0: none. */
	int (*last_run)(struct store_reader *reader, const uint8_t campaign[16],
	    int64_t agent_row, uint64_t *run);
	int (*read_records)(struct store_reader *reader,
	    const struct store_filter *filter, store_record_fn *fn, void *ctx);
	/* Sums of paths, by bin; filter: range, bin_s, agent_row, hop. */
	int (*read_paths)(struct store_reader *reader,
	    const struct store_filter *filter, store_path_fn *fn, void *ctx);
	/* Ordered by kind, agent, bin; filter: range, bin_s, kind_row,
	 * agent_row (-1: fleet and each agent; 0: the fleet). */
	int (*read_points)(struct store_reader *reader,
	    const struct store_filter *filter, store_point_fn *fn, void *ctx);
	/* Bins in which an agent's sensor watched, ordered by bin. */
	int (*read_watch)(struct store_reader *reader,
	    const struct store_filter *filter, store_watch_fn *fn, void *ctx);
	int (*read_kinds)(struct store_reader *reader,
	    const struct store_filter *filter, store_kind_fn *fn, void *ctx);
	/* One per source, kind, protocol and port, most packets first. */
	int (*read_sources)(struct store_reader *reader,
	    const struct store_filter *filter, store_source_fn *fn, void *ctx);
	/* The rows behind read_sources, counted up to `most`. */
	int (*count_sources)(struct store_reader *reader,
	    const struct store_filter *filter, uint32_t most, uint32_t *rows);
	/* ERR_NOT_FOUND. */
	int (*read_payload)(struct store_reader *reader, const uint8_t hash[16],
	    uint64_t *size_bytes, struct buf *octets);
	int (*totals)(
	    struct store_reader *reader, uint64_t *stored, uint64_t *lost);
};

extern const struct store_ops store_sqlite;
