/* SPDX-License-Identifier: ISC */
/* A few entries in an array: looking through all of them costs less than the
 * lock. */

#include "web/api/body-cache.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/xalloc.h"

/* Of data that changes all the time a body stays young for a second, or for ten
 * times what making it took: a crowd of readers then costs a tenth of one
 * processor, whatever the body's size. */
#define YOUNG_LEAST_NS NS_PER_S
#define YOUNG_MULTIPLE 10

struct cached_body {
	uint8_t key[BODY_KEY_LEN];
	struct packed_body *body; /* NULL: none yet, or the entry is free */
	uint64_t revision;
	struct monotime made;
	int64_t cost_ns;  /* of making it */
	uint64_t used;    /* the cache's count of calls when it last was */
	unsigned waiting; /* callers that hold on to the entry */
	bool making;
};

struct body_cache {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	size_t most, most_bytes;
	uint64_t calls;
	struct body_cache_stats stats;
	struct cached_body entries[];
};

struct body_cache *body_cache_new(size_t most, size_t most_bytes)
{
	struct body_cache *cache =
	    xcalloc(1, sizeof(*cache) + most * sizeof(cache->entries[0]));
	cache->most = most;
	cache->most_bytes = most_bytes;
	pthread_mutex_init(&cache->lock, NULL);
	pthread_cond_init(&cache->changed, NULL);
	return cache;
}

void body_cache_free(struct body_cache *cache)
{
	if (!cache)
		return;
	for (size_t i = 0; i < cache->most; i++)
		packed_body_unref(cache->entries[i].body);
	pthread_cond_destroy(&cache->changed);
	pthread_mutex_destroy(&cache->lock);
	free(cache);
}

static bool is_busy(const struct cached_body *entry)
{
	return entry->making || entry->waiting > 0;
}

static void drop_body(struct body_cache *cache, struct cached_body *entry)
{
	if (!entry->body)
		return;
	cache->stats.bodies--;
	cache->stats.bytes -= packed_body_size(entry->body);
	packed_body_unref(entry->body);
	entry->body = NULL;
}

/* The entry that was used longest ago and is not busy; NULL: all are. */
static struct cached_body *find_oldest(
    struct body_cache *cache, const struct cached_body *but)
{
	struct cached_body *oldest = NULL;
	for (size_t i = 0; i < cache->most; i++) {
		struct cached_body *entry = &cache->entries[i];
		if (entry != but && !is_busy(entry) &&
		    (!oldest || entry->used < oldest->used))
			oldest = entry;
	}
	return oldest;
}

/* The key's entry, or one that becomes it; NULL: all are busy. */
static struct cached_body *find_entry(
    struct body_cache *cache, const uint8_t key[static BODY_KEY_LEN])
{
	for (size_t i = 0; i < cache->most; i++) {
		struct cached_body *entry = &cache->entries[i];
		if ((entry->body || is_busy(entry)) &&
		    memcmp(entry->key, key, BODY_KEY_LEN) == 0)
			return entry;
	}
	struct cached_body *entry = find_oldest(cache, NULL);
	if (entry) {
		drop_body(cache, entry);
		memcpy(entry->key, key, BODY_KEY_LEN);
	}
	return entry;
}

static int64_t young_ns(const struct cached_body *entry)
{
	int64_t ns = YOUNG_MULTIPLE * entry->cost_ns;
	return ns > YOUNG_LEAST_NS ? ns : YOUNG_LEAST_NS;
}

static bool is_fresh(
    const struct cached_body *entry, uint64_t revision, struct monotime now)
{
	return entry->body &&
	    (entry->revision == revision ||
		monotime_diff(now, entry->made) < young_ns(entry));
}

/* Puts the body into the entry and others out, until all fit. */
static void keep_body(struct body_cache *cache, struct cached_body *entry,
    struct packed_body *body)
{
	drop_body(cache, entry);
	entry->body = packed_body_ref(body);
	cache->stats.bodies++;
	cache->stats.bytes += packed_body_size(body);
	struct cached_body *oldest;
	while (cache->stats.bytes > cache->most_bytes &&
	    (oldest = find_oldest(cache, entry)) != NULL && oldest->body)
		drop_body(cache, oldest);
	if (cache->stats.bytes > cache->most_bytes)
		drop_body(cache, entry);
}

/* Under the lock, which is let go while the body is made. */
static struct packed_body *make_body(struct body_cache *cache,
    struct cached_body *entry, uint64_t revision, struct monotime now,
    body_make *make, void *arg)
{
	entry->making = true;
	pthread_mutex_unlock(&cache->lock);
	struct monotime begin = monotime_now();
	struct packed_body *body = make(arg);
	int64_t cost_ns = monotime_diff(monotime_now(), begin);
	pthread_mutex_lock(&cache->lock);
	entry->making = false;
	cache->stats.made++;
	if (body) {
		entry->revision = revision;
		entry->made = now;
		entry->cost_ns = cost_ns;
		keep_body(cache, entry, body);
	}
	pthread_cond_broadcast(&cache->changed);
	return body;
}

struct packed_body *body_cache_get(struct body_cache *cache,
    const uint8_t key[static BODY_KEY_LEN], uint64_t revision,
    struct monotime now, body_make *make, void *arg)
{
	struct packed_body *body = NULL;
	pthread_mutex_lock(&cache->lock);
	struct cached_body *entry = find_entry(cache, key);
	if (!entry) {
		cache->stats.made++;
		pthread_mutex_unlock(&cache->lock);
		return make(arg);
	}
	entry->waiting++;
	while (entry->making)
		pthread_cond_wait(&cache->changed, &cache->lock);
	entry->waiting--;
	entry->used = ++cache->calls;
	if (is_fresh(entry, revision, now)) {
		cache->stats.hits++;
		body = packed_body_ref(entry->body);
	} else {
		body = make_body(cache, entry, revision, now, make, arg);
	}
	pthread_mutex_unlock(&cache->lock);
	return body;
}

void body_cache_stats(struct body_cache *cache, struct body_cache_stats *stats)
{
	pthread_mutex_lock(&cache->lock);
	*stats = cache->stats;
	pthread_mutex_unlock(&cache->lock);
}
