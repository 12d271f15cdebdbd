/* SPDX-License-Identifier: ISC */
/*
 * Packets and octets are sums, so they are exact.  Sources are counted by
 * distinct.c: exact up to 192, above that a HyperLogLog estimate of standard
 * error 3.25 % from which three of them are taken off, so that what is given
 * is a lower bound but once in 740.  Targets are the largest number that one
 * source had.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/base/xalloc.h"
#include "lib/sketch/hash-index.h"
#include "probes/sensor/aggregate.h"

#define AGGREGATES_MOST 512
/* Of these, for what has lost its port. */
#define FOLDED_MOST ((size_t)VERDICTS * SIGNATURES)

_Static_assert(FOLDED_MOST < AGGREGATES_MOST, "some keep their ports");

struct aggregate_key {
	int verdict, signature, proto, dport, icmp;
};

struct aggregate {
	struct aggregate_key key;
	struct finding sum;
	struct distinct sources;
};

struct aggregates {
	struct aggregate rows[AGGREGATES_MOST];
	size_t count;
	struct index index;
	struct distinct_pool *pool;
};

struct aggregates *aggregates_new(void)
{
	struct aggregates *a = xcalloc(1, sizeof(*a));
	a->pool = distinct_pool_new(AGGREGATES_MOST);
	return a;
}

void aggregates_free(struct aggregates *a)
{
	if (!a)
		return;
	distinct_pool_free(a->pool);
	index_fini(&a->index);
	free(a);
}

static struct aggregate *find_aggregate(
    struct aggregates *a, const struct aggregate_key *key)
{
	struct index_walk walk =
	    index_walk(&a->index, index_hash(key, sizeof(*key)));
	size_t i;
	while (index_next(&walk, &i))
		if (memcmp(&a->rows[i].key, key, sizeof(*key)) == 0)
			return &a->rows[i];
	return NULL;
}

static struct aggregate *make_aggregate(
    struct aggregates *a, const struct aggregate_key *key)
{
	struct aggregate *made = &a->rows[a->count];
	index_put(&a->index, index_hash(key, sizeof(*key)), a->count++);
	*made = (struct aggregate){ .key = *key };
	made->sum = (struct finding){
		.verdict = (enum verdict)key->verdict,
		.signature = (enum signature)key->signature,
		.proto = key->proto,
		.dport = key->dport,
		.icmp = key->icmp,
		.ports = 1,
		.targets_quality = DISTINCT_IS_AT_LEAST,
		.first.ns = INT64_MAX,
		.last.ns = INT64_MIN,
		.ttl_min = UINT8_MAX,
		.rule = "evicted",
		.rule_version = 1,
		.spoofable = true,
		.evicted = true,
	};
	return made;
}

static struct aggregate *aggregate_for(
    struct aggregates *a, const struct finding *f)
{
	struct aggregate_key key = { (int)f->verdict, (int)f->signature,
		f->proto, f->dport, f->icmp };
	struct aggregate *found = find_aggregate(a, &key);
	if (found)
		return found;
	if (a->count < AGGREGATES_MOST - FOLDED_MOST)
		return make_aggregate(a, &key);
	key.proto = key.dport = key.icmp = FINDING_NONE;
	found = find_aggregate(a, &key);
	return found ? found : make_aggregate(a, &key);
}

void aggregates_add(struct aggregates *a, const struct finding *f)
{
	struct aggregate *to = aggregate_for(a, f);
	struct finding *sum = &to->sum;
	distinct_add(a->pool, &to->sources,
	    (uint32_t)index_hash(&f->src, sizeof(f->src)));
	sum->packets += f->packets;
	sum->size_bytes += f->size_bytes;
	if (f->targets > sum->targets)
		sum->targets = f->targets;
	if (f->first.ns < sum->first.ns)
		sum->first = f->first;
	if (f->last.ns > sum->last.ns)
		sum->last = f->last;
	if (f->ttl_min < sum->ttl_min)
		sum->ttl_min = f->ttl_min;
	if (f->ttl_max > sum->ttl_max)
		sum->ttl_max = f->ttl_max;
	if (f->ports > sum->ports)
		sum->ports = f->ports;
	sum->attempts += f->attempts;
	sum->not_judged += f->not_judged;
	if (!sum->has_hash && f->has_hash) {
		memcpy(sum->hash, f->hash, sizeof(sum->hash));
		sum->has_hash = true;
	}
}

static uint32_t sources_at_least(
    const struct aggregates *a, const struct aggregate *row)
{
	enum distinct_quality quality;
	uint32_t count = distinct_count(a->pool, &row->sources, &quality);
	return quality == DISTINCT_IS_ESTIMATE ? count - count / 10 : count;
}

void aggregates_flush(struct aggregates *a, finding_fn *fn, void *arg)
{
	for (size_t i = 0; i < a->count; i++) {
		struct aggregate *row = &a->rows[i];
		row->sum.sources = sources_at_least(a, row);
		fn(arg, &row->sum);
		distinct_clear(a->pool, &row->sources);
	}
	a->count = 0;
	index_clear(&a->index);
}
