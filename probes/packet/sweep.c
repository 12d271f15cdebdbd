/* SPDX-License-Identifier: ISC */
/*
 * The order of a sweep: the range is gone through in blocks of 65,536, and in
 * one of n addresses the i-th probe goes to address i * step mod n, where step
 * and n have no common divisor, so that each comes once.  step is near n /
 * golden ratio, which keeps probes to addresses near each other far apart in
 * time (Knuth, TAOCP 3, 6.4).  A block's networks are few enough for caches of
 * routes and limits.  What is kept of probes is kept by turn, one beside the
 * next; the turn of an address follows from the inverse of step modulo n.
 */
#include "probes/packet/sweep.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/hash.h"
#include "lib/base/xalloc.h"
#include "lib/packet/packet.h"

#define PACKET_MOST 1500 /* octets */
#define BLOCK 65536

/* Of one turn. */
struct sweep_place {
	int64_t sent_ns; /* monotonic; 0: not */
	int64_t wall_ns;
};

struct sweep {
	struct probe template;
	struct sweep_range range;
	struct monotime start;
	uint64_t key;
	uint32_t turn;        /* turns so far */
	uint32_t block, size; /* where the block in hand begins, its size */
	uint32_t step, place; /* in it, of the next */
	struct monotime last; /* that had its turn */
	struct sweep_counts counts;
	struct sweep_place *places; /* by turn */
	/* By address: 1 + the best outcome_rank; 0: no answer. */
	uint8_t *ranks;
	/* Of step: in a whole block, and in the last one. */
	uint32_t whole_inverse, last_inverse;
};

static uint32_t common_divisor(uint32_t a, uint32_t b)
{
	while (b != 0) {
		uint32_t rest = a % b;
		a = b;
		b = rest;
	}
	return a;
}

static uint32_t step_of(uint32_t count)
{
	uint32_t step = (uint32_t)((uint64_t)count * HASH_GOLDEN_32 >> 32);
	while (common_divisor(step, count) != 1)
		step++;
	return step;
}

/* x for which step * x is 1 modulo count (extended Euclid). */
static uint32_t inverse_of(uint32_t count)
{
	int64_t rest = count, next = step_of(count), x = 0, next_x = 1;
	while (next != 0) {
		int64_t times = rest / next, old = rest, old_x = x;
		rest = next;
		next = old - times * next;
		x = next_x;
		next_x = old_x - times * next_x;
	}
	return (uint32_t)(x < 0 ? x + count : x);
}

/* The last 32 bits of an address, in host order. */
static uint32_t low_bits(const struct addr *a)
{
	const uint8_t *at = a->bytes + (a->family == 4 ? 0 : 12);
	return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 |
	    (uint32_t)at[2] << 8 | at[3];
}

bool sweep_fits(const struct addr *first, uint32_t count)
{
	return count > 0 && count - 1 <= UINT32_MAX - low_bits(first);
}

struct addr sweep_address(const struct addr *first, uint32_t index)
{
	struct addr a = *first;
	uint8_t *at = a.bytes + (a.family == 4 ? 0 : 12);
	uint32_t low = low_bits(first) + index;
	for (int i = 3; i >= 0; i--, low >>= 8)
		at[i] = (uint8_t)low;
	return a;
}

static void start_block(struct sweep *sweep, uint32_t at)
{
	uint32_t left = sweep->range.count - at;
	sweep->block = at;
	sweep->size = left < BLOCK ? left : BLOCK;
	sweep->place = 0;
	if (left > 0)
		sweep->step = step_of(sweep->size);
}

struct sweep *sweep_new(const struct probe *template,
    const struct sweep_range *range, struct monotime start, uint64_t key)
{
	if (range->count > SWEEP_MOST ||
	    !sweep_fits(&template->dst, range->count))
		return NULL;
	struct sweep *sweep = xcalloc(1, sizeof(*sweep));
	sweep->template = *template;
	sweep->range = *range;
	sweep->start = start;
	sweep->key = key;
	start_block(sweep, 0);
	sweep->whole_inverse = inverse_of(BLOCK);
	if (range->count % BLOCK != 0)
		sweep->last_inverse = inverse_of(range->count % BLOCK);
	sweep->places = xcalloc(range->count, sizeof(*sweep->places));
	sweep->ranks = xcalloc(range->count, sizeof(*sweep->ranks));
	return sweep;
}

/* When the address with this index has its turn. */
static uint32_t turn_of(const struct sweep *sweep, uint32_t index)
{
	uint32_t block = index / BLOCK * BLOCK,
		 left = sweep->range.count - block;
	return left < BLOCK
	    ? block + (uint64_t)(index - block) * sweep->last_inverse % left
	    : block + (uint64_t)(index - block) * sweep->whole_inverse % BLOCK;
}

void sweep_free(struct sweep *sweep)
{
	if (!sweep)
		return;
	free(sweep->places);
	free(sweep->ranks);
	free(sweep);
}

/* What is not of the template. */
static void put_fields(
    const struct sweep *sweep, uint32_t index, struct probe *probe)
{
	uint64_t number = hash_finish(sweep->key ^ index);
	probe->dst = sweep_address(&sweep->template.dst, index);
	if (probe->dst.family == 4 && sweep->template.ip_id == 0)
		probe->ip_id = (uint16_t)(1 + (number >> 48) % UINT16_MAX);
	if (probe->proto == PACKET_ICMP)
		probe->icmp_seq = (uint16_t)number;
	if (probe->proto == PACKET_TCP)
		probe->tcp_seq = (uint32_t)number;
}

bool sweep_peek(const struct sweep *sweep, struct probe *probe)
{
	if (sweep->turn == sweep->range.count)
		return false;
	put_fields(sweep, sweep->block + sweep->place, probe);
	return true;
}

void sweep_step(struct sweep *sweep, uint32_t verdict, int err,
    struct monotime now, struct walltime wall)
{
	if (verdict != 0) {
		sweep->counts.denied++;
		sweep->counts.verdict = verdict;
	} else if (err != 0) {
		sweep->counts.failed++;
		sweep->counts.err = err;
	} else {
		sweep->counts.sent++;
		sweep->places[sweep->turn] =
		    (struct sweep_place){ now.ns, wall.ns };
	}
	sweep->turn++;
	sweep->last = now;
	sweep->place = (sweep->place + sweep->step) % sweep->size;
	if (sweep->place == 0)
		start_block(sweep, sweep->turn);
}

struct sweep_counts sweep_counts(const struct sweep *sweep)
{
	return sweep->counts;
}

struct monotime sweep_due(const struct sweep *sweep, int64_t wait_ns)
{
	int64_t turns = sweep->turn, rate_pps = sweep->range.rate_pps;
	if (sweep->turn == sweep->range.count)
		return monotime_add(sweep->last, wait_ns);
	return rate_pps == 0
	    ? sweep->start
	    : monotime_add(sweep->start, turns * NS_PER_S / rate_pps);
}

bool sweep_find(const struct sweep *sweep, struct probe_builder *builder,
    const struct match_answer *answer, struct sweep_hit *hit)
{
	const struct addr *dst = &answer->flow.dst;
	const struct addr *src = answer->quoted ? &answer->src : &answer->to;
	uint8_t bytes[PACKET_MOST];
	if (!answer->to_own || dst->family != sweep->template.dst.family)
		return false;
	uint32_t index = low_bits(dst) - low_bits(&sweep->template.dst);
	if (index >= sweep->range.count)
		return false;
	const struct sweep_place *place = &sweep->places[turn_of(sweep, index)];
	if (place->sent_ns == 0)
		return false;
	struct probe probe = sweep->template;
	put_fields(sweep, index, &probe);
	if (!addr_equal(dst, &probe.dst) ||
	    probe_build(builder, &probe, src, bytes, sizeof(bytes), NULL) < 0)
		return false;
	*hit = (struct sweep_hit){ .index = index,
		.sent = match_sent_of(&probe, src, bytes),
		.sent_at = { place->sent_ns },
		.sent_wall = { place->wall_ns } };
	return match_fit(answer, &hit->sent) >= MATCH_WEAK ||
	    match_fit_elsewhere(answer, &hit->sent) >= MATCH_WEAK;
}

bool sweep_is_better(
    struct sweep *sweep, uint32_t index, enum outcome_rank rank)
{
	if (sweep->ranks[index] > rank)
		return false;
	sweep->ranks[index] = (uint8_t)(rank + 1);
	return true;
}
