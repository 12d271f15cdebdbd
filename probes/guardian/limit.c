// SPDX-License-Identifier: ISC
/*
 * Token buckets and the table of those that belong to destinations: a hash
 * with a secret key, so that no script can choose prefixes that fall
 * together, and a list by last use for what may be forgotten.
 */
#include <stdlib.h>

#include "lib/xalloc.h"
#include "probes/guardian/limit.h"

#define HEADS ((size_t)2 * LIMIT_PREFIXES)
#define SECOND_CHANCES 8

struct entry {
	struct bucket bucket;
	struct prefix prefix;
	enum policy_who who;
	uint32_t next; /* with the same hash; 0 ends the chain */
	uint32_t newer, older;
};

struct limit_table {
	uint64_t key;
	uint32_t used;
	uint32_t heads[HEADS];
	struct entry entries[LIMIT_PREFIXES + 1]; /* 0: the list's two ends */
};

static int64_t interval_ns(const struct limit *limit)
{
	return (NS_PER_S + limit->rate_pps - 1) / limit->rate_pps;
}

int64_t limit_ready(const struct limit *limit, bool waited, int64_t now)
{
	if (limit->rate_pps == 0 || limit->burst == 0)
		return INT64_MAX;
	const struct bucket *b = limit->bucket;
	int64_t interval = interval_ns(limit);
	int64_t ready = b->full_ns - (limit->burst - 1) * interval;
	if (ready <= now && (waited || b->waiting == 0))
		return now;
	return (ready > now ? ready : now) + b->waiting * interval;
}

void limit_take(const struct limit *limit, int64_t now)
{
	struct bucket *b = limit->bucket;
	if (b->full_ns < now)
		b->full_ns = now;
	b->full_ns += interval_ns(limit);
}

struct limit_table *limit_table_new(uint64_t key)
{
	struct limit_table *table = xcalloc(1, sizeof(*table));
	table->key = key;
	return table;
}

void limit_table_free(struct limit_table *table)
{
	free(table);
}

static uint32_t *head_of(
    struct limit_table *table, const struct prefix *prefix, enum policy_who who)
{
	uint64_t h = addr_hash(&prefix->addr, table->key + who);
	return &table->heads[h % HEADS];
}

static void list_remove(struct limit_table *table, uint32_t i)
{
	struct entry *e = &table->entries[i];
	table->entries[e->newer].older = e->older;
	table->entries[e->older].newer = e->newer;
}

static void list_put_newest(struct limit_table *table, uint32_t i)
{
	struct entry *ends = &table->entries[0], *e = &table->entries[i];
	e->newer = 0;
	e->older = ends->older;
	table->entries[ends->older].newer = i;
	ends->older = i;
}

static void forget(struct limit_table *table, uint32_t i)
{
	struct entry *e = &table->entries[i];
	uint32_t *link = head_of(table, &e->prefix, e->who);
	while (*link != i)
		link = &table->entries[*link].next;
	*link = e->next;
	list_remove(table, i);
}

/* An entry to use anew, or 0. */
static uint32_t take_entry(
    struct limit_table *table, int64_t now, int64_t *retry)
{
	if (table->used < LIMIT_PREFIXES)
		return ++table->used;
	*retry = INT64_MAX;
	for (int i = 0; i < SECOND_CHANCES; i++) {
		uint32_t oldest = table->entries[0].newer;
		struct bucket *b = &table->entries[oldest].bucket;
		if (b->full_ns <= now && b->waiting == 0) {
			forget(table, oldest);
			return oldest;
		}
		if (b->full_ns < *retry)
			*retry =
			    b->full_ns > now ? b->full_ns : now + NS_PER_MS;
		list_remove(table, oldest);
		list_put_newest(table, oldest);
	}
	return 0;
}

struct bucket *limit_table_find(struct limit_table *table, enum policy_who who,
    const struct addr *dst, int64_t now, int64_t *retry)
{
	struct prefix prefix = prefix_of(dst, dst->family == 4 ? 24 : 48);
	uint32_t *head = head_of(table, &prefix, who), i;
	for (i = *head; i != 0; i = table->entries[i].next) {
		struct entry *e = &table->entries[i];
		if (e->who == who && addr_equal(&e->prefix.addr, &prefix.addr))
			break;
	}
	if (i != 0) {
		list_remove(table, i);
	} else {
		i = take_entry(table, now, retry);
		if (i == 0)
			return NULL;
		/* Forgetting may have changed the chain. */
		head = head_of(table, &prefix, who);
		table->entries[i] = (struct entry){
			.prefix = prefix, .who = who, .next = *head
		};
		*head = i;
	}
	list_put_newest(table, i);
	return &table->entries[i].bucket;
}
