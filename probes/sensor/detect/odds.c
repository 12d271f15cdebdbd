/* SPDX-License-Identifier: ISC */
/*
 * Threshold random walk (Jung, Paxson, Berger, Balakrishnan: Fast portscan
 * detection using sequential hypothesis testing, 2004) in integer steps.  Of an
 * innocent source a first contact, given its past, fails with probability at
 * most 0.2, of a scanner with 0.8: the likelihood ratio is 4 for one that
 * failed and 1/4 for one that was answered, two steps up and two down.
 * Contacts of which less is known go up one step only: then the assumption is
 * 0.4 (ratio 2), and one down would be 1/3; two down are on the safe side. What
 * no TCP/IP stack sends, an innocent host may still let through by a defect: a
 * contact that such a packet begins is taken for one in 32.
 *
 * While the source is innocent, the product of the ratios has a mean of at most
 * 1, so it ever exceeds x with probability at most 1/x (Ville 1939).  A source
 * that turns bad after years of good has a product near zero; therefore the
 * walk begins again where it would fall below 1.  The promise holds for the sum
 * of all beginnings if each has a weight and the weights sum to 1: the first
 * contact has 49/50, contact j after it 1/(50 j (j + 1)).  The walk's penalty
 * is this weight's logarithm, rounded up, and the 49/50 is taken off from what
 * is reported.
 *
 * Taking a contact back after later ones were added can only make the walk
 * lower than in their true order, because it begins again earlier.
 */
#include "probes/sensor/detect/odds.h"

#define STEPS_MOST 250

static uint8_t penalty_of(uint32_t contacts)
{
	if (contacts == 0)
		return 0;
	/* 50 j (j + 1) is at most 50 * 2^64: counted in halves. */
	uint64_t j = contacts < UINT32_MAX - 1 ? contacts : UINT32_MAX - 1;
	__uint128_t weight = (__uint128_t)50 * j * (j + 1);
	uint8_t steps = 0;
	while (((__uint128_t)1 << steps) < weight)
		steps++;
	return steps;
}

void odds_ask(struct odds_walk *w, unsigned weight)
{
	unsigned steps = w->steps + weight;
	w->steps = (uint8_t)(steps < STEPS_MOST ? steps : STEPS_MOST);
}

void odds_answer(struct odds_walk *w, unsigned weight, uint32_t contacts)
{
	unsigned down = weight + ODDS_STEP;
	if (w->steps >= down) {
		w->steps = (uint8_t)(w->steps - down);
		return;
	}
	w->steps = 0;
	w->penalty = penalty_of(contacts);
}

void odds_take_back(struct odds_walk *w, unsigned weight)
{
	w->steps = (uint8_t)(w->steps > weight ? w->steps - weight : 0);
}

void odds_settle(struct odds_walk *w, unsigned young)
{
	unsigned less = young + w->penalty;
	if (w->steps > less && w->steps - less > w->best)
		w->best = (uint8_t)(w->steps - less < ODDS_MOST_STEPS
			? w->steps - less
			: ODDS_MOST_STEPS);
}

uint64_t odds_of(unsigned best)
{
	uint64_t odds = UINT64_C(1)
	    << (best < ODDS_MOST_STEPS ? best : ODDS_MOST_STEPS);
	return best == 0 ? 0 : odds - odds / 50 - (odds % 50 != 0);
}
