/* SPDX-License-Identifier: ISC */
/*
 * A ring of payloads in order of arrival (number n is in slot n % max_count),
 * and buckets by quick hash.  The quick hash only finds candidates: octets are
 * compared before a payload is taken for a known one, so forging it gains
 * nothing.
 */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/hash.h"
#include "lib/base/xalloc.h"
#include "probes/sensor/payload-store.h"

#define KEEP_MAX_BYTES 8192
#define NONE UINT32_MAX

struct payloads {
	struct payload *ring;
	uint32_t *buckets;
	uint32_t bucket_mask, max_count, count;
	uint64_t given; /* number of the next one to give */
	size_t max_bytes;
	uint64_t key;
	struct payloads_stats stats;
};

struct payloads *payloads_new(
    uint32_t max_count, size_t max_bytes, uint64_t key)
{
	struct payloads *p = xcalloc(1, sizeof(*p));
	uint32_t size = 16;
	while (size < max_count * 2)
		size *= 2;
	p->ring = xcalloc(max_count, sizeof(*p->ring));
	p->buckets = xcalloc(size, sizeof(*p->buckets));
	memset(p->buckets, 0xff, size * sizeof(*p->buckets));
	p->bucket_mask = size - 1;
	p->max_count = max_count;
	p->max_bytes = max_bytes;
	p->key = key;
	return p;
}

void payloads_free(struct payloads *p)
{
	if (!p)
		return;
	for (uint32_t i = 0; i < p->max_count; i++)
		free(p->ring[i].octets);
	free(p->ring);
	free(p->buckets);
	free(p);
}

static uint64_t quick_hash(const uint8_t *octets, size_t len, uint64_t key)
{
	uint64_t h = key ^ len;
	for (; len >= 16; octets += 16, len -= 16) {
		uint64_t words[2];
		memcpy(words, octets, 16);
		h = hash_fold(words[0] ^ HASH_GOLDEN ^ h, words[1] ^ key);
	}
	uint64_t rest[2] = { 0 };
	memcpy(rest, octets, len);
	return hash_fold(
	    rest[0] ^ UINT64_C(0xbf58476d1ce4e5b9) ^ h, rest[1] ^ key);
}

static uint32_t *bucket_of(struct payloads *p, uint64_t quick)
{
	return &p->buckets[quick & p->bucket_mask];
}

static uint32_t slot_of(const struct payloads *p, uint64_t number)
{
	return (uint32_t)(number % p->max_count);
}

static void drop_oldest(struct payloads *p)
{
	uint64_t number = p->stats.distinct - p->count;
	uint32_t slot = slot_of(p, number);
	struct payload *old = &p->ring[slot];
	uint32_t *at = bucket_of(p, old->quick);
	while (*at != slot)
		at = &p->ring[*at].chain;
	*at = old->chain;
	if (p->given <= number) {
		p->stats.unreported++;
		p->given = number + 1;
	}
	p->stats.bytes -= old->len;
	free(old->octets);
	old->octets = NULL;
	p->count--;
}

static void keep_payload(struct payloads *p, const struct payload *payload)
{
	if (payload->len > KEEP_MAX_BYTES || payload->len > p->max_bytes) {
		p->stats.unreported++;
		return;
	}
	while (p->count == p->max_count ||
	    p->stats.bytes + payload->len > p->max_bytes)
		drop_oldest(p);
	uint32_t slot = slot_of(p, p->stats.distinct++);
	uint32_t *bucket = bucket_of(p, payload->quick);
	p->ring[slot] = *payload;
	p->ring[slot].octets = xmemdup(payload->octets, payload->len);
	p->ring[slot].chain = *bucket;
	*bucket = slot;
	p->count++;
	p->stats.bytes += payload->len;
}

static const struct payload *find_payload(
    struct payloads *p, const struct payload *new)
{
	uint32_t slot = *bucket_of(p, new->quick);
	for (; slot != NONE; slot = p->ring[slot].chain) {
		const struct payload *known = &p->ring[slot];
		if (known->quick == new->quick &&
		    known->len ==
			new->len &&memcmp(
			    known->octets, new->octets, new->len) == 0)
			return known;
	}
	return NULL;
}

void payloads_note(struct payloads *p, const uint8_t *octets, size_t len,
    size_t wire_len, uint8_t hash[static PAYLOAD_HASH_LEN])
{
	struct payload new = {
		.octets = (uint8_t *)octets,
		.len = (uint32_t)len,
		.wire_len = (uint32_t)wire_len,
		.quick = quick_hash(octets, len, p->key),
	};
	const struct payload *known = find_payload(p, &new);
	if (known) {
		memcpy(hash, known->hash, PAYLOAD_HASH_LEN);
		return;
	}
	crypto_generichash(new.hash, PAYLOAD_HASH_LEN, octets, len, NULL, 0);
	memcpy(hash, new.hash, PAYLOAD_HASH_LEN);
	keep_payload(p, &new);
}

const struct payload *payloads_next_new(struct payloads *p)
{
	if (p->given == p->stats.distinct)
		return NULL;
	return &p->ring[slot_of(p, p->given++)];
}

struct payloads_stats payloads_stats(const struct payloads *p)
{
	struct payloads_stats stats = p->stats;
	stats.count = p->count;
	return stats;
}
