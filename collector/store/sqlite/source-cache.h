/* SPDX-License-Identifier: ISC */
/*
 * Which agents told of a source in a bin, remembered so that the database
 * need not be asked.  Only of bins that were empty when they were first asked
 * for: of those nothing is missing here.  Bounded: the bin that was not used
 * for longest goes first, and then the database is asked again.
 *
 * It is a copy of what the transaction wrote: forget all when that is undone.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/sketch/hash-index.h"

#define KNOWN_MOST_BINS 32
#define KNOWN_MOST_SOURCES (1u << 17)

struct known_key { /* compared as bytes: no padding */
	int64_t kind, family;
	uint8_t src[16];
};
struct known_source;
struct known_bin {
	int64_t bin_s, bin;
	bool whole; /* it was empty at first */
	uint64_t used;
	struct known_source *sources; /* owned */
	size_t count, cap;
	struct index index;
};
struct known {
	struct known_bin bins[KNOWN_MOST_BINS];
	size_t bin_count, source_count;
	uint64_t uses;
};

/* NULL: not asked for yet.  Good until the next call. */
struct known_bin *known_bin_find(
    struct known *known, int64_t bin_s, int64_t bin);
struct known_bin *known_bin_add(
    struct known *known, int64_t bin_s, int64_t bin, bool whole);

enum known_answer {
	KNOWN_NOBODY, /* told of the source in this bin */
	KNOWN_OTHERS,
	KNOWN_AGENT,  /* this agent did */
	KNOWN_UNKNOWN /* ask the database */
};
/* What was known before, and notes that the agent tells now. */
enum known_answer known_note(struct known *known, struct known_bin *bin,
    const struct known_key *key, int64_t agent);

void known_forget_bin(struct known *known, int64_t bin_s, int64_t bin);
void known_forget(struct known *known);
