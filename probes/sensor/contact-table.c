/* SPDX-License-Identifier: ISC */
/*
 * A bucket is a cache line of four; two neighbours are a pair.  An entry is in
 * its own bucket, or, when that was full and the other one of the pair was not,
 * there; then the first place of its own is marked as spilt.  So one line is
 * looked at, seldom two.
 *
 * The bucket is floor(tag * buckets / 2^38), which keeps order.  When the
 * number of buckets doubles, pair k's entries go to pairs 2k and 2k+1 and fit
 * there, so the table grows in place, from its end to its beginning.
 *
 * In a full pair the entry of the new one's bucket with the lowest rank is
 * evicted, of equals the one that was silent longest.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "lib/base/err.h"
#include "lib/base/xalloc.h"
#include "probes/sensor/contact-table.h"

#define WAYS 4
#define TAG_BITS 38
#define FIRST_BUCKETS 128
#define HUGE_LEAST_BYTES (4u << 20)

struct contact_bucket {
	struct contact entries[WAYS];
} __attribute__((aligned(64)));

struct contact_table {
	struct contact_bucket *buckets;
	size_t bucket_count, bucket_max, count;
	uint64_t evicted;
	contact_evicted_fn *on_evicted;
	void *arg;
};

struct contact_table *contact_table_new(const struct contact_config *config)
{
	struct contact_table *t = xcalloc(1, sizeof(*t));
	size_t max_bytes = config->max_bytes;
	t->bucket_max = FIRST_BUCKETS;
	while (t->bucket_max * 2 * sizeof(*t->buckets) <= max_bytes)
		t->bucket_max *= 2;
	/* What is left over is used, too: the first size is a part of the
	 * last one. */
	size_t steps = t->bucket_max / FIRST_BUCKETS;
	t->bucket_count = max_bytes / sizeof(*t->buckets) / steps & ~(size_t)1;
	if (t->bucket_count < FIRST_BUCKETS)
		t->bucket_count = FIRST_BUCKETS;
	t->bucket_max = t->bucket_count * steps;
	t->on_evicted = config->evicted;
	t->arg = config->arg;
	t->buckets = mmap(NULL, t->bucket_max * sizeof(*t->buckets),
	    PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
	    -1, 0);
	if (t->buckets == MAP_FAILED)
		BUG("no room for %zu contacts", t->bucket_max * WAYS);
	if (config->large_pages)
		madvise(t->buckets, t->bucket_max * sizeof(*t->buckets),
		    MADV_HUGEPAGE);
	return t;
}

void contact_table_free(struct contact_table *t)
{
	if (!t)
		return;
	munmap(t->buckets, t->bucket_max * sizeof(*t->buckets));
	free(t);
}

static uint64_t tag_of_hash(uint64_t hash)
{
	return hash >> (64 - TAG_BITS);
}

static uint64_t tag_of(const struct contact *c)
{
	return (uint64_t)c->tag_high << 32 | c->tag;
}

static size_t bucket_of(const struct contact_table *t, uint64_t tag)
{
	return (size_t)(tag * t->bucket_count >> TAG_BITS);
}

void contact_fetch(const struct contact_table *t, uint64_t hash)
{
	__builtin_prefetch(&t->buckets[bucket_of(t, tag_of_hash(hash))]);
}

/* An entry's first eight octets, and which bits of them are its tag: the
 * members of struct contact, as they lie on little-endian machines. */
#define TAG_MASK UINT64_C(0xfc000000ffffffff)

static uint64_t head_of_tag(uint64_t tag)
{
	return (tag >> 32) << 58 | (uint32_t)tag;
}

static struct contact *find_in(struct contact_bucket *b, uint64_t tag)
{
	uint64_t want = head_of_tag(tag), head;
	for (size_t i = 0; i < WAYS; i++) {
		struct contact *c = &b->entries[i];
		memcpy(&head, c, sizeof(head));
		if (((head ^ want) & TAG_MASK) == 0 && c->state != CONTACT_FREE)
			return c;
	}
	return NULL;
}

static struct contact *free_in(struct contact_bucket *b)
{
	for (size_t i = 0; i < WAYS; i++)
		if (b->entries[i].state == CONTACT_FREE)
			return &b->entries[i];
	return NULL;
}

struct contact *contact_find(const struct contact_table *t, uint64_t hash)
{
	uint64_t tag = tag_of_hash(hash);
	size_t n = bucket_of(t, tag);
	struct contact *c = find_in(&t->buckets[n], tag);
	return c || !t->buckets[n].entries[0].spilt
	    ? c
	    : find_in(&t->buckets[n ^ 1], tag);
}

bool contact_is(const struct contact *c, uint64_t hash)
{
	return tag_of(c) == tag_of_hash(hash) && c->state != CONTACT_FREE;
}

/* Where an entry with this tag may go; NULL: the pair is full. */
static struct contact *find_room(struct contact_table *t, uint64_t tag)
{
	size_t n = bucket_of(t, tag);
	struct contact *c = free_in(&t->buckets[n]);
	if (c)
		return c;
	c = free_in(&t->buckets[n ^ 1]);
	if (c)
		t->buckets[n].entries[0].spilt = 1;
	return c;
}

/* Into its place, whose own mark stays. */
static void put_contact(struct contact *place, struct contact contact)
{
	contact.spilt = place->spilt;
	*place = contact;
}

/* Puts these back, which were taken out of one pair. */
static void put_back(
    struct contact_table *t, const struct contact *moved, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (moved[i].state == CONTACT_FREE)
			continue;
		struct contact *to = find_room(t, tag_of(&moved[i]));
		if (to)
			put_contact(to, moved[i]);
		else
			BUG("a contact without room where it was");
	}
}

static void grow(struct contact_table *t)
{
	struct contact moved[2 * WAYS];
	size_t pairs = t->bucket_count / 2;
	t->bucket_count *= 2;
	while (pairs-- > 0) {
		struct contact_bucket *b = &t->buckets[2 * pairs];
		memcpy(moved, b, sizeof(moved));
		memset(b, 0, sizeof(moved));
		put_back(t, moved, 2 * WAYS);
	}
	size_t len = t->bucket_count * sizeof(*t->buckets);
	if (len >= HUGE_LEAST_BYTES)
		madvise(t->buckets, len, MADV_HUGEPAGE);
}

/* What is lost with an entry.  Of an answer without a question the question
 * seldom comes; an answered conversation begins anew and is answered again, or
 * is over; a failure is evidence; of a young one nothing is known. */
static unsigned rank_of(const struct contact *c)
{
	static const uint8_t ranks[] = {
		[CONTACT_FREE] = 0,
		[CONTACT_PASSED] = 0,
		[CONTACT_UNASKED] = 1,
		[CONTACT_ANSWERED] = 2,
		[CONTACT_PROVEN] = 2,
		[CONTACT_FAILED] = 3,
		[CONTACT_REFUSED] = 3,
		[CONTACT_ASKED] = 4,
	};
	return ranks[c->state];
}

static void drop_contact(struct contact_table *t, struct contact *c)
{
	if (c->state != CONTACT_UNASKED)
		t->on_evicted(t->arg, c);
	c->state = CONTACT_FREE;
	t->count--;
}

static struct contact *evict_one(
    struct contact_table *t, uint64_t tag, uint16_t now_s)
{
	struct contact *entries = t->buckets[bucket_of(t, tag)].entries;
	struct contact *least = &entries[0];
	for (size_t i = 1; i < WAYS; i++) {
		struct contact *c = &entries[i];
		uint16_t age = (uint16_t)(now_s - c->at_s);
		if (rank_of(c) < rank_of(least) ||
		    (rank_of(c) == rank_of(least) &&
			age > (uint16_t)(now_s - least->at_s)))
			least = c;
	}
	drop_contact(t, least);
	t->evicted++;
	return least;
}

/* A pair may be full while the table is nearly empty, if it is large: one
 * contact in 4,000 is not worth twice the memory. */
static bool is_worth_growing(const struct contact_table *t)
{
	return t->bucket_count < t->bucket_max &&
	    t->count >= t->bucket_count * (WAYS / 4);
}

struct contact *contact_add(
    struct contact_table *t, uint64_t hash, uint16_t now_s)
{
	uint64_t tag = tag_of_hash(hash);
	if (t->count >= t->bucket_count * (WAYS / 2) &&
	    t->bucket_count < t->bucket_max)
		grow(t);
	struct contact *c;
	while (!(c = find_room(t, tag)) && is_worth_growing(t))
		grow(t);
	if (!c)
		c = evict_one(t, tag, now_s);
	put_contact(c,
	    (struct contact){
		.tag = (uint32_t)tag, .tag_high = tag >> 32 & 63 });
	t->count++;
	return c;
}

/* A pair from which something was dropped is filled anew: an entry that had
 * to go to the other bucket must not stay behind a gap in its own. */
void contact_expire(struct contact_table *t, uint16_t now_s, uint16_t age_s)
{
	struct contact kept[2 * WAYS];
	for (size_t n = 0; n < t->bucket_count; n += 2) {
		struct contact *entries = t->buckets[n].entries;
		size_t before = t->count;
		for (size_t i = 0; i < 2 * WAYS; i++) {
			uint16_t age = (uint16_t)(now_s - entries[i].at_s);
			/* One from the future is not old. */
			if (entries[i].state != CONTACT_FREE && age > age_s &&
			    age < 0x8000)
				drop_contact(t, &entries[i]);
		}
		if (t->count == before)
			continue;
		memcpy(kept, entries, sizeof(kept));
		memset(entries, 0, sizeof(kept));
		put_back(t, kept, 2 * WAYS);
	}
}

struct contact_stats contact_table_stats(const struct contact_table *t)
{
	return (
	    struct contact_stats){ t->count, t->bucket_max * WAYS, t->evicted };
}
