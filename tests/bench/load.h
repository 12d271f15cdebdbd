/* SPDX-License-Identifier: ISC */
/*
 * The mixed stream at real cardinality: a million sources, 3,400 destinations,
 * half sightings, half traces of ten hops, four agents, five days.  A load is
 * a file of sealed batches in the order in which a collector gets them, so
 * that making them is never measured.
 *
 * Two loads: `lean` has the fields that the small load of ingest-bench.c sets,
 * `full` has those that the agent's scripts fill (kernel stamps, IP ids, quoted
 * TTLs).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/web/synth.h"

#define LOAD_AGENTS 4
#define LOAD_BATCH 500
#define LOAD_SPAN_S (5 * 86400)

struct load {
	struct synth agents[LOAD_AGENTS]; /* their keys */
	const uint8_t *data;              /* mapped */
	size_t len, at;
	uint64_t batches, given;
	int64_t start_ns;
};

/* full: see above.  0 or -1. */
int load_make(const char *path, uint64_t records, bool full);
int load_open(struct load *load, const char *path);
/* 1: the next batch, of agent *who; 0: the end. */
int load_next(
    struct load *load, unsigned *who, const uint8_t **batch, size_t *len);
