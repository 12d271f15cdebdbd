/* SPDX-License-Identifier: ISC */
/*
 * The odds that a source is no innocent one, from the outcomes of its first
 * contacts, in integer steps; pure.  odds.c has the method.
 */
#pragma once

#include <stdint.h>

/* A step is a factor of two.  How much one failed contact weighs, and an
 * answered one against it. */
enum {
	ODDS_NO_STEP = 0,
	ODDS_WEAK_STEP = 1,   /* an innocent source's fails in 2 of 5 */
	ODDS_STEP = 2,        /* in 1 of 5 */
	ODDS_STEALTH_STEP = 5 /* it sends such a thing in 1 of 32 */
};

struct odds_walk {
	uint8_t steps;   /* since the walk last began */
	uint8_t penalty; /* for the choice of that beginning */
	uint8_t
	    best; /* the largest that was settled; at most ODDS_MOST_STEPS */
};

/* A first contact that was not answered so far. */
void odds_ask(struct odds_walk *walk, unsigned weight);
/* It was answered after all: its weight is taken back and ODDS_STEP with it.
 * contacts: how many the source has had, this one included. */
void odds_answer(struct odds_walk *walk, unsigned weight, uint32_t contacts);
/* Its weight is taken back, and no more. */
void odds_take_back(struct odds_walk *walk, unsigned weight);
/* Notes how far it went; young: steps of contacts that may still be
 * answered. */
void odds_settle(struct odds_walk *walk, unsigned young);

#define ODDS_MOST_STEPS 62
/* "An innocent source does this less often than once in N": N, or 0 for what
 * is no evidence. */
uint64_t odds_of(unsigned best);
