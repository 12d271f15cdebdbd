/* SPDX-License-Identifier: ISC */
/*
 * Who began with whom, and was it answered: one entry for each contact, that
 * is (source, destination, protocol, destination port), found by a hash of
 * these that no sender can choose.  16 octets an entry, four to a cache line;
 * memory is taken as it is needed, up to a stated size.  Where there is no
 * room, the contact that matters least is evicted, and the owner is told: what
 * the table has forgotten is unknown, and nobody's failure.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum contact_state {
	CONTACT_FREE,
	CONTACT_ASKED,    /* `at` is when it began: an answer may yet come */
	CONTACT_FAILED,   /* that time is over */
	CONTACT_REFUSED,  /* RST, unreachable: nobody wanted it */
	CONTACT_PASSED,   /* a router answered for the way: neither */
	CONTACT_ANSWERED, /* by the other end */
	CONTACT_PROVEN,   /* and the source returned what only it could know */
	CONTACT_UNASKED   /* an answer, and no question was seen; `owner` is
			     who answered */
};

#define CONTACT_OWNERS_MAX (1u << 20)

struct contact {
	uint32_t tag;
	uint32_t owner : 20; /* the caller's number for its source */
	uint32_t state : 3;  /* enum contact_state */
	uint32_t weight : 2; /* the caller's */
	uint32_t spilt : 1;  /* the table's own, of the place in its bucket */
	uint32_t tag_high : 6;
	uint16_t at_s;  /* seconds, modulo 2^16 */
	uint16_t id;    /* of the last attempt, hashed */
	uint32_t value; /* the caller's: a sequence number, a cookie */
};
_Static_assert(sizeof(struct contact) == 16, "four to a cache line");

struct contact_table;

/* An entry is about to give way.  Called for each but CONTACT_UNASKED. */
typedef void contact_evicted_fn(void *arg, const struct contact *contact);

struct contact_config {
	size_t max_bytes; /* of entries; at least 8 KiB are taken */
	bool large_pages; /* from the start, not only once it is large */
	contact_evicted_fn *evicted;
	void *arg;
};
struct contact_table *contact_table_new(const struct contact_config *config);
void contact_table_free(struct contact_table *table);

/* Brings nearer what finding this hash will need. */
void contact_fetch(const struct contact_table *table, uint64_t hash);
/* The entry, or NULL; valid until the next contact_add or contact_expire. */
struct contact *contact_find(const struct contact_table *table, uint64_t hash);
/* Is this still the entry of that hash? */
bool contact_is(const struct contact *contact, uint64_t hash);
/* A new entry for a hash that contact_find does not know: only its tag is set,
 * the rest is for the caller to fill. */
struct contact *contact_add(
    struct contact_table *table, uint64_t hash, uint16_t now_s);
/* Drops entries of which nothing was seen for longer than age_s (less than
 * 2^15 seconds). */
void contact_expire(
    struct contact_table *table, uint16_t now_s, uint16_t age_s);

struct contact_stats {
	size_t count, max_count;
	uint64_t evicted; /* for want of room */
};
struct contact_stats contact_table_stats(const struct contact_table *table);
