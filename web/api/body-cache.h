/* SPDX-License-Identifier: ISC */
/*
 * Answers that cost much and are asked for often, compressed and kept for as
 * long as what they are made of does not change.  Askers of one key wait for
 * the one that makes it.  Any thread.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "lib/base/clock.h"
#include "web/http/packed-body.h"

enum { BODY_KEY_LEN = 32 };

struct body_cache;

/* Keeps at most so many bodies and bytes; the one that was used longest ago
 * goes first. */
struct body_cache *body_cache_new(size_t most, size_t most_bytes);
void body_cache_free(struct body_cache *cache); /* nothing is inside a call */

/* A new body, one reference; NULL: it cannot be made. */
typedef struct packed_body *body_make(void *arg);

/* The body of this key and revision, or a young one of an earlier revision (for
 * a second, or for ten times what making it took); else what make returns,
 * called without locks. revision: read before what make reads.  A new
 * reference, or NULL. */
struct packed_body *body_cache_get(struct body_cache *cache,
    const uint8_t key[static BODY_KEY_LEN], uint64_t revision,
    struct monotime now, body_make *make, void *arg);

struct body_cache_stats {
	uint64_t bodies, bytes; /* now */
	uint64_t hits, made;
};
void body_cache_stats(struct body_cache *cache, struct body_cache_stats *stats);
