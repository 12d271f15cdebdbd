/* SPDX-License-Identifier: ISC */
/*
 * Random batches of three agents, with random flushes, merges, crashes with
 * what is gathered again, and late data; and what they say, one by one.
 */
#pragma once

#include "collector/store/sqlite/rollup/bins.h"
#include "collector/store/sqlite/rollup/flush.h"
#include "collector/store/sqlite/rollup/gather-private.h"

#define BATCHES 60
#define AGENTS 3
#define SOURCES 30
#define ROUTES 6
#define START_S (INT64_C(1795219200) - 2 * 86400)
#define SPAN_S (3 * 86400)
#define WORLD_UNSENT 5

struct sent_sighting {
	int64_t agent, bin, first_ns, last_ns;
	struct addr src;
	const char *verdict, *signature;
	uint32_t proto, dport;
	uint64_t packets, targets;
};
struct sent_trace {
	int64_t agent, at_ns;
	struct path path;
	uint8_t digest[PATH_DIGEST_LEN];
};
struct world {
	char dir[64], path[80];
	struct store_config config;
	struct gather *gather;
	struct prepared_batch *batches[BATCHES];
	size_t batch_count;
	struct sent_sighting *sightings;
	size_t sighting_count;
	struct sent_trace *traces;
	size_t trace_count;
	uint64_t run_records[AGENTS + 1][4]; /* by run */
	uint64_t gap_records;
	uint64_t unsent[AGENTS + 1][WORLD_UNSENT]; /* by world_unsent */
	size_t news; /* new sources that were reported */
};

/* Why pings' probes did not leave: what records say, and its reason. */
extern const struct world_unsent {
	Sonde__Outcome outcome;
	const char *text, *device, *reason;
} world_unsent[WORLD_UNSENT];
extern const char *const world_verdicts[3], *const world_signatures[3];

unsigned world_pick(unsigned n);
struct addr world_source(unsigned i);
void world_pack(struct prepared_batch *batch, const Sonde__Record *record);
ProtobufCBinaryData world_octets(const void *data, size_t len);
/* Fails with msg's words when err is below 0. */
void world_check(int err, const struct errmsg *msg);
void world_open(struct world *w);
void world_work(struct world *w);
/* Makes it and gathers all of it; world_end takes it away. */
void world_run(struct world *w, unsigned seed);
void world_end(struct world *w);
struct prepared_batch *world_batch(int64_t agent);
void world_gather(struct world *w, struct prepared_batch *batch);
/* One that is empty. */
void world_begin(struct world *w);
uint64_t world_bounded(struct world *w);
int64_t world_rows(struct world *w, const char *sql);
