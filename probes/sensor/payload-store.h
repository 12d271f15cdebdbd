/* SPDX-License-Identifier: ISC */
/*
 * Each distinct payload once, by its BLAKE2b-128.  Bounded in number and
 * bytes; the oldest are evicted.  A payload that is known is recognised by
 * comparing octets, which costs less than hashing them again.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PAYLOAD_HASH_LEN 16

struct payload {
	uint8_t hash[PAYLOAD_HASH_LEN];
	uint8_t *octets; /* owned */
	uint32_t len, wire_len;
	uint64_t quick; /* a keyed hash that only this table uses */
	uint32_t chain; /* the next one in its bucket */
};

struct payloads;
struct payloads *payloads_new(
    uint32_t max_count, size_t max_bytes, uint64_t key);
void payloads_free(struct payloads *payloads);

/* Writes the hash of the captured octets to `hash` and keeps them if they are
 * new. */
void payloads_note(struct payloads *payloads, const uint8_t *octets, size_t len,
    size_t wire_len, uint8_t hash[static PAYLOAD_HASH_LEN]);

/* The next payload that this function has not given yet, or NULL.  Borrowed
 * until the next payloads_note. */
const struct payload *payloads_next_new(struct payloads *payloads);

struct payloads_stats {
	uint32_t count;
	size_t bytes;
	uint64_t distinct;   /* ever kept */
	uint64_t unreported; /* evicted before it was given, or too large */
};
struct payloads_stats payloads_stats(const struct payloads *payloads);
