/* SPDX-License-Identifier: ISC */
/* Shared by the files of the SQLite provider (collector/store/store.h). */
#pragma once

#include "lib/sketch/hash-index.h"
#include "collector/store/sqlite/source-cache.h"
#include "collector/store/store.h"
#include "lib/sqlite/db-files.h"
#include "lib/sqlite/db-schema.h"

struct store {
	struct db db;
	char *path;
	struct db_files files; /* as they were opened */
	uint32_t levels[STORE_LEVELS_MAX];
	int64_t housekept_ns; /* when the hourly part of trim last ran */
	int64_t page_bytes;
	struct known known; /* what `sources` holds of the newest bins */
};

struct store_reader {
	struct db db;
	struct errmsg msg;
};

/* schema.c */
extern const struct db_schema store_schema;

/* ingest.c */
int sqlite_ingest(struct store *store, const struct prepared_batch *batch,
    struct store_outcome *outcome, struct errmsg *msg);

/* rollup.c, rollup-sightings.c, rollup-paths.c: what the records of a batch
 * add (struct rollup_ops). */
struct sighting_kind {
	const char *verdict, *signature; /* borrowed from the batch */
	int64_t row, first_ns, last_ns;
	uint64_t packets;
};
struct sighting_key {  /* compared as bytes: no padding */
	uint64_t kind; /* index into kinds */
	uint8_t src[16];
	int64_t family, proto, dport, bin;
};
struct sighting_source {
	struct sighting_key key;
	struct addr src;
	uint64_t packets, targets;
	int64_t first_ns, last_ns;
	const uint8_t *payload; /* 16 bytes, borrowed, or NULL */
	bool spoofable;
	uint32_t index; /* of the first such record */
};
struct sighting_point {
	int64_t kind, agent, bin;
	uint64_t sources, packets;
};
struct sightings {
	struct sighting_kind *kinds;
	struct sighting_source *sources;
	struct sighting_point *points;
	size_t kind_count, source_count, source_cap, point_count;
	struct index source_index, point_index;
};
struct trace_key { /* the same */
	uint8_t digest[PATH_DIGEST_LEN];
	int64_t bin;
};
struct trace_sum {
	struct trace_key key;
	struct path path; /* owned */
	int64_t row;      /* of the path; 0: not known yet */
};
struct traces {
	struct trace_sum *sums;
	size_t count, cap;
	struct index index;
};
struct rollup {
	struct store *store;
	const struct prepared_batch *batch;
	struct store_outcome *outcome;
	struct sightings sightings;
	struct traces traces;
};
/* rollup-runs.c: a record of a campaign's run. */
int rollup_run(struct rollup *rollup, uint32_t index, struct errmsg *msg);
extern const struct rollup_ops sqlite_rollup;

int rollup_sighting(struct rollup *rollup, uint32_t index, struct errmsg *msg);
int rollup_sightings_finish(struct rollup *rollup, struct errmsg *msg);
void sightings_fini(struct sightings *sightings);
int rollup_trace(struct rollup *rollup, uint32_t index, struct errmsg *msg);
int rollup_traces_finish(struct rollup *rollup, struct errmsg *msg);
void traces_fini(struct traces *traces);

/* retention.c */
int sqlite_trim(struct store *store, const struct store_keep *keep,
    uint32_t *deleted, uint32_t *expired, struct errmsg *msg);

/* read-records.c and read-series.c */
int sqlite_read_agents(struct store_reader *reader,
    const struct store_filter *filter, store_agent_fn *fn, void *ctx);
int sqlite_read_gaps(struct store_reader *reader,
    const struct store_filter *filter, store_gap_fn *fn, void *ctx);
int sqlite_read_runs(struct store_reader *reader,
    const struct store_filter *filter, store_run_fn *fn, void *ctx);
int sqlite_run_failures(struct store_reader *reader, const uint8_t campaign[16],
    uint64_t *failed, char **last_error);
int sqlite_last_run(struct store_reader *reader, const uint8_t campaign[16],
    int64_t agent_row, uint64_t *run);
int sqlite_read_records(struct store_reader *reader,
    const struct store_filter *filter, store_record_fn *fn, void *ctx);
int sqlite_read_paths(struct store_reader *reader,
    const struct store_filter *filter, store_path_fn *fn, void *ctx);
int sqlite_read_points(struct store_reader *reader,
    const struct store_filter *filter, store_point_fn *fn, void *ctx);
int sqlite_read_watch(struct store_reader *reader,
    const struct store_filter *filter, store_watch_fn *fn, void *ctx);
int sqlite_read_kinds(struct store_reader *reader,
    const struct store_filter *filter, store_kind_fn *fn, void *ctx);
int sqlite_read_sources(struct store_reader *reader,
    const struct store_filter *filter, store_source_fn *fn, void *ctx);
int sqlite_count_sources(struct store_reader *reader,
    const struct store_filter *filter, uint32_t most, uint32_t *rows);
int sqlite_read_payload(struct store_reader *reader, const uint8_t hash[16],
    uint64_t *size_bytes, struct buf *octets);
int sqlite_totals(
    struct store_reader *reader, uint64_t *stored, uint64_t *lost);
