/* SPDX-License-Identifier: ISC */
/*
 * The sensor without its capture: frames in, findings out.  Pure but for one
 * random key, so that no sender can prepare collisions.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "probes/sensor/finding.h"
#include "probes/sensor/first-packets.h"
#include "probes/sensor/payload-store.h"
#include "probes/sensor/table.h"

struct engine_config {
	uint32_t max_sources; /* 0: what fits into the memory */
	size_t memory;        /* octets of the tables (table.h) */
	double budget;        /* innocent sources accused a day; 0: 0.1 */
	uint32_t max_payloads;
	size_t max_payload_bytes;
	const struct prefix *homes; /* copied */
	size_t home_count;
	bool per_port;         /* findings per port, not per class */
	uint32_t first_sights; /* findings given at once, a second; 0: none */
	bool first_packets;    /* keep those of sources */
	finding_fn *finding;
	void *arg;
};

/* packets = decoded + truncated + malformed + unsupported */
struct engine_counts {
	uint64_t packets;
	uint64_t decoded;
	uint64_t truncated; /* the capture ends inside a header */
	uint64_t malformed;
	uint64_t unsupported;             /* not IP */
	uint64_t reasons[PACKET_REASONS]; /* of these three */
	/* of the decoded: */
	uint64_t fragments;
	uint64_t cut;       /* the capture ends inside the payload */
	uint64_t damaged;   /* a wrong IP checksum: nobody's */
	uint64_t undecided; /* and a signature would have needed more */
	uint64_t home;      /* sent by a local host */
	uint64_t replies;   /* to what a local host sent */
};

struct engine;
struct engine *engine_new(const struct engine_config *config);
void engine_free(struct engine *engine);
void engine_packet(struct engine *engine, int dlt, const void *bytes,
    size_t caplen, size_t wirelen, struct walltime at);
/* Counts packets that still wait for company; before the engine rests. */
void engine_settle(struct engine *engine);
/* Gives all findings and starts a new interval. */
void engine_flush(struct engine *engine);
/* The same for some sources at a time (table_flush_some). */
bool engine_flush_some(struct engine *engine, uint32_t sources);
void engine_expire(struct engine *engine, struct walltime before);

/* Of the packets that were counted: settle before. */
const struct engine_counts *engine_counts(struct engine *engine);
struct table_stats engine_table_stats(const struct engine *engine);
struct payloads *engine_payloads(struct engine *engine);
/* NULL: none are kept. */
struct first_packets *engine_first_packets(struct engine *engine);
