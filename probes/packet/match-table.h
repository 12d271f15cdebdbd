/* SPDX-License-Identifier: ISC */
/*
 * The probes in the air, found by what answers them.  Pure, and a look-up
 * takes the same however many are in the air: each probe is in five hash
 * chains, by what an error quotes of it, by what a direct answer shows, by
 * the same without its target (hosts answer from other addresses and ports of
 * theirs), by target and IP ID (some quote no more), and by target and
 * destination port alone, which is walked only a little way when the others
 * find nothing (translators and firewalls change the rest).
 *
 * An answer that fits several probes equally well is given to none: it is
 * ambiguous for each of them.
 */
#pragma once

#include <stddef.h>

#include "probes/packet/match.h"

enum match_key {
	MATCH_BY_QUOTE,
	MATCH_BY_ANSWER,
	MATCH_BY_ANSWER_ANYWHERE,
	MATCH_BY_ID, /* of IPv4 */
	MATCH_BY_TARGET,
	MATCH_KEYS
};

#define MATCH_HEADS_BITS 16

/* Part of a probe in the air, which its owner keeps. */
struct match_entry {
	struct match_sent sent;
	bool told;         /* the caller's: an ambiguous answer was reported */
	const void *owner; /* who sent it: a session */
	struct match_chain {
		struct match_entry *next, **link;
	} in[MATCH_KEYS];
};

struct match_table;
/* key: secret, or who answers could choose what meets in a chain. */
struct match_table *match_table_new(uint64_t key);
void match_table_free(struct match_table *table); /* holds no entry any more */

/* What adding the entry, whose probe is set, reads of the table is on its way
 * to the cache, until match_table_add: of many, fetch all, then add all. */
void match_table_fetch(struct match_table *table, struct match_entry *entry);
void match_table_add(struct match_entry *entry);
void match_table_remove(struct match_entry *entry);

#define MATCH_MOST 64
struct match_found {
	enum match_fit fit;
	bool elsewhere; /* it came from another address than the target's */
	bool shared;    /* several fit, and of more than one owner */
	/* It is the answer to the one entry; or, ambiguous, it may be that of
	 * any of these and of those that were told of one before, which are
	 * left out. */
	bool ambiguous;
	size_t count;
	struct match_entry *entries[MATCH_MOST];
};
void match_table_find(struct match_table *table,
    const struct match_answer *answer, struct match_found *found);

/* An IP ID, never 0, that none of the last 65,534 was. */
uint16_t match_table_next_ip_id(struct match_table *table);
