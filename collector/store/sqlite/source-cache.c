/* SPDX-License-Identifier: ISC */
/* A small table of bins, each with its sources in a hash. */
#include <stdlib.h>
#include <string.h>

#include "collector/store/sqlite/source-cache.h"
#include "lib/base/xalloc.h"

#define AGENTS_NAMED 4

struct known_source {
	struct known_key key;
	int64_t agents[AGENTS_NAMED];
	unsigned agent_count; /* AGENTS_NAMED + 1: more than are named */
};

static void empty_bin(struct known *known, struct known_bin *bin)
{
	known->source_count -= bin->count;
	free(bin->sources);
	bin->sources = NULL;
	bin->count = bin->cap = 0;
	bin->whole = false;
	index_fini(&bin->index);
}

static void remove_bin(struct known *known, struct known_bin *bin)
{
	empty_bin(known, bin);
	*bin = known->bins[--known->bin_count];
}

void known_forget(struct known *known)
{
	for (size_t i = 0; i < known->bin_count; i++)
		empty_bin(known, &known->bins[i]);
	known->bin_count = 0;
}

void known_forget_bin(struct known *known, int64_t bin_s, int64_t bin)
{
	struct known_bin *found = known_bin_find(known, bin_s, bin);
	if (found)
		remove_bin(known, found);
}

struct known_bin *known_bin_find(
    struct known *known, int64_t bin_s, int64_t bin)
{
	for (size_t i = 0; i < known->bin_count; i++) {
		struct known_bin *at = &known->bins[i];
		if (at->bin == bin && at->bin_s == bin_s) {
			at->used = ++known->uses;
			return at;
		}
	}
	return NULL;
}

static struct known_bin *oldest(struct known *known)
{
	struct known_bin *found = &known->bins[0];
	for (size_t i = 1; i < known->bin_count; i++)
		if (known->bins[i].used < found->used)
			found = &known->bins[i];
	return found;
}

/* Of those that hold sources. */
static struct known_bin *oldest_full(struct known *known)
{
	struct known_bin *found = NULL;
	for (size_t i = 0; i < known->bin_count; i++) {
		struct known_bin *at = &known->bins[i];
		if (at->count > 0 && (!found || at->used < found->used))
			found = at;
	}
	return found;
}

struct known_bin *known_bin_add(
    struct known *known, int64_t bin_s, int64_t bin, bool whole)
{
	if (known->bin_count == KNOWN_MOST_BINS)
		remove_bin(known, oldest(known));
	struct known_bin *made = &known->bins[known->bin_count++];
	*made = (struct known_bin){ .bin_s = bin_s,
		.bin = bin,
		.whole = whole,
		.used = ++known->uses };
	return made;
}

static struct known_source *find_source(
    const struct known_bin *bin, const struct known_key *key, uint64_t hash)
{
	struct index_walk walk = index_walk(&bin->index, hash);
	size_t i;
	while (index_next(&walk, &i))
		if (memcmp(&bin->sources[i].key, key, sizeof(*key)) == 0)
			return &bin->sources[i];
	return NULL;
}

/* A bin that gives way is whole no longer; this one too, when it fills all. */
static void make_room(struct known *known)
{
	struct known_bin *bin;
	while (known->source_count >= KNOWN_MOST_SOURCES &&
	    (bin = oldest_full(known)))
		empty_bin(known, bin);
}

static void add_source(struct known *known, struct known_bin *bin,
    const struct known_source *source, uint64_t hash)
{
	make_room(known);
	if (!bin->whole)
		return;
	if (bin->count == bin->cap) {
		bin->cap = bin->cap ? bin->cap * 2 : 64;
		bin->sources = xreallocarray(
		    bin->sources, bin->cap, sizeof(*bin->sources));
	}
	index_put(&bin->index, hash, bin->count);
	bin->sources[bin->count++] = *source;
	known->source_count++;
}

enum known_answer known_note(struct known *known, struct known_bin *bin,
    const struct known_key *key, int64_t agent)
{
	if (!bin->whole)
		return KNOWN_UNKNOWN;
	uint64_t hash = index_hash(key, sizeof(*key));
	struct known_source *source = find_source(bin, key, hash);
	if (!source) {
		struct known_source made = {
			.key = *key, .agents = { agent }, .agent_count = 1
		};
		add_source(known, bin, &made, hash);
		return KNOWN_NOBODY;
	}
	unsigned named = source->agent_count;
	for (unsigned i = 0; i < named && i < AGENTS_NAMED; i++)
		if (source->agents[i] == agent)
			return KNOWN_AGENT;
	if (named > AGENTS_NAMED)
		return KNOWN_UNKNOWN;
	source->agent_count++;
	if (named < AGENTS_NAMED)
		source->agents[named] = agent;
	return KNOWN_OTHERS;
}
